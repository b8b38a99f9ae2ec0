import { readFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { parseEnv } from "node:util";
import {
  A_MINUTE,
  BUCKET,
  CHANGE_FEED,
  COUNT,
  CRON,
  DISTRIBUTION,
  DOLLARS,
  FEW,
  fileIn,
  HOST,
  HTTP,
  ITEMS,
  listOf,
  MEGABYTES,
  mysqlWith,
  ORIGIN,
  PORT,
  PREFIX,
  QUEUE,
  REDIS,
  REGION,
  SECONDS,
  SHARE,
  SSM_PATH,
  SWITCH,
  TAG_HEADER,
  TIME_ZONE,
  TOKEN,
  tokenFileIn,
  tokenIn,
  type ValueType,
} from "./config-values.ts";
import { PipelineError, type Problem } from "./error.ts";
import { didYouMean } from "./nearest.ts";

/** Where a setting's value comes from. */
export type Origin = "default" | "parameter" | ".env" | "environment" | "option";

/** Everything a run is told from outside; files and folders are absolute. Frozen. */
export interface Config {
  readonly cwd: string;
  /** Folder of our own state. */
  readonly home: string;
  /** The embedded source; used when there is no `databaseUrl`. */
  readonly sourceFile: string;
  /** The embedded ledger; used when there is no `ledgerUrl`. */
  readonly ledgerFile: string;
  /** Rendered bodies; may be deleted at any time. */
  readonly bodiesFile: string;
  /** What pages were before releases changed them, where the store keeps no versions. */
  readonly keptFile: string;
  /** Output folder; used when there is no `s3Bucket`. */
  readonly out: string;
  readonly configFile: string;
  /** Beside `configFile`: a site is a folder. */
  readonly contentDir: string;
  readonly templatesDir: string;
  /** `mysql://…`; holds a password. */
  readonly databaseUrl: string | undefined;
  readonly databaseReplicaUrls: readonly string[];
  /** Seconds that a rebuild waits for a replica to have what the primary has. */
  readonly replicaWait: number;
  /** Seconds that one statement may take; 0 for no limit. */
  readonly statementLimit: number;
  /** The server whose log is followed, for a user that may replicate; undefined means `databaseUrl`. */
  readonly databaseFeedUrl: string | undefined;
  /** Whether builds compare every row, or ask the log first. */
  readonly changeFeed: "scan" | "binlog";
  readonly ledgerUrl: string | undefined;
  /** Holds the password of those URLs above that have none, and one for the ledger's. */
  readonly databasePasswordFile: string | undefined;
  readonly ledgerPasswordFile: string | undefined;
  /** PEM file of the authority that signed the certificates of all three. */
  readonly databaseCaFile: string | undefined;
  readonly s3Bucket: string | undefined;
  /** Without "/" at its ends: `blog/en`; empty for none. */
  readonly s3Prefix: string;
  readonly s3Endpoint: string | undefined;
  readonly cloudfrontDistributionId: string | undefined;
  readonly cloudfrontEndpoint: string | undefined;
  /** The header in which the distribution finds cache tags; undefined when it looks for none. */
  readonly cloudfrontTagHeader: string | undefined;
  /** USD a month for invalidations; undefined for no limit. */
  readonly invalidationBudgetUsd: number | undefined;
  /** USD that it weighs to evict a page that did not change. */
  readonly invalidationEvictedUsd: number;
  /** Share of the live pages, 0 to 1, that may be evicted though they did not change. */
  readonly invalidationMaxShare: number;
  /** Items in progress that builds leave to editors and others. */
  readonly invalidationReserve: number;
  /** Changed pages that are fetched through the CDN before a run is done. */
  readonly probes: number;
  /** Where they are fetched; no "/" at its end. Undefined means the site's own address. */
  readonly probeUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** Queues of SQS share it as the beginning of theirs: `https://sqs.eu-central-1.amazonaws.com/1234/blog`. */
  readonly sqsQueueUrl: string | undefined;
  /** Functions that are called to help one run, at most. */
  readonly helpers: number;
  /** Below which path of SSM more settings stand: `/nightbake/prod`. */
  readonly parametersPath: string | undefined;
  /** Where `serve` listens. */
  readonly host: string;
  readonly port: number;
  /** Requests a minute that one token may make of one clone. */
  readonly requestsPerMinute: number;
  /** The server that streams events, when it is another; no "/" at its end. */
  readonly eventsUrl: string | undefined;
  /** With which a server elsewhere is asked; a secret. */
  readonly token: string | undefined;
  /** Holds it unless it is said. */
  readonly tokenFile: string | undefined;
  /** When jobs are asked for, as cron writes it; `off` for never. */
  readonly scheduleBuild: string;
  readonly scheduleVerify: string;
  readonly scheduleSweep: string;
  /** `on` or `off`: whether a job is asked for when the clock shows or hides a row. */
  readonly scheduleDue: string;
  /** Whose clock the schedule goes by. */
  readonly scheduleTimeZone: string;
  /** Replaces the definition's `origin`; no "/" at its end. */
  readonly siteUrl: string | undefined;
  /** Undefined leaves the choice to the AWS SDK (its profile or the machine's role). */
  readonly awsRegion: string | undefined;
  /** Share of the live pages, 0 to 1, that one build may delete unasked. */
  readonly deleteShare: number;
  /** The most objects put at the same time; how many they are follows from how the store answers. */
  readonly concurrency: number;
  /** Size in MB that the file of rendered bodies may have; 0 keeps none. */
  readonly bodiesMb: number;
  /** Size in MB that the file of what pages were may have; 0 keeps none. */
  readonly keepMb: number;
  /** So many releases can be told and restored, and all of the last days. */
  readonly keepReleases: number;
  readonly keepDays: number;
  /** AWS's own variables, which its SDK reads; secrets among them. */
  readonly aws: Readonly<Record<string, string>>;
  /** Of each setting and AWS variable, by name. */
  readonly origins: Readonly<Record<string, Origin>>;
}

/** Values of command-line options; they win over variables. */
export interface ConfigOptions {
  readonly out?: string | undefined;
  readonly config?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
}

/** Which field holds each setting, in the order `nightbake config` shows them. */
export const SETTINGS = {
  NIGHTBAKE_HOME: "home",
  OUT_DIR: "out",
  "--config": "configFile",
  SITE_URL: "siteUrl",
  DATABASE_URL: "databaseUrl",
  DATABASE_REPLICA_URLS: "databaseReplicaUrls",
  DATABASE_REPLICA_WAIT: "replicaWait",
  DATABASE_STATEMENT_LIMIT: "statementLimit",
  DATABASE_PASSWORD_FILE: "databasePasswordFile",
  DATABASE_CA_FILE: "databaseCaFile",
  DATABASE_FEED_URL: "databaseFeedUrl",
  CHANGE_FEED: "changeFeed",
  LEDGER_URL: "ledgerUrl",
  LEDGER_PASSWORD_FILE: "ledgerPasswordFile",
  S3_BUCKET: "s3Bucket",
  S3_PREFIX: "s3Prefix",
  S3_ENDPOINT: "s3Endpoint",
  CLOUDFRONT_DISTRIBUTION_ID: "cloudfrontDistributionId",
  CLOUDFRONT_ENDPOINT: "cloudfrontEndpoint",
  CLOUDFRONT_CACHE_TAGS: "cloudfrontTagHeader",
  INVALIDATION_BUDGET_USD: "invalidationBudgetUsd",
  INVALIDATION_EVICTED_USD: "invalidationEvictedUsd",
  INVALIDATION_MAX_SHARE: "invalidationMaxShare",
  INVALIDATION_RESERVE: "invalidationReserve",
  NIGHTBAKE_PROBE: "probes",
  PROBE_URL: "probeUrl",
  REDIS_URL: "redisUrl",
  SQS_QUEUE_URL: "sqsQueueUrl",
  NIGHTBAKE_HELPERS: "helpers",
  NIGHTBAKE_PARAMETERS: "parametersPath",
  NIGHTBAKE_HOST: "host",
  NIGHTBAKE_PORT: "port",
  NIGHTBAKE_REQUESTS_PER_MINUTE: "requestsPerMinute",
  NIGHTBAKE_EVENTS_URL: "eventsUrl",
  NIGHTBAKE_TOKEN: "token",
  NIGHTBAKE_TOKEN_FILE: "tokenFile",
  SCHEDULE_BUILD: "scheduleBuild",
  SCHEDULE_VERIFY: "scheduleVerify",
  SCHEDULE_SWEEP: "scheduleSweep",
  SCHEDULE_DUE: "scheduleDue",
  SCHEDULE_TIME_ZONE: "scheduleTimeZone",
  AWS_REGION: "awsRegion",
  NIGHTBAKE_DELETE_SHARE: "deleteShare",
  NIGHTBAKE_CONCURRENCY: "concurrency",
  NIGHTBAKE_BODIES_MB: "bodiesMb",
  NIGHTBAKE_KEEP_MB: "keepMb",
  NIGHTBAKE_KEEP_RELEASES: "keepReleases",
  NIGHTBAKE_KEEP_DAYS: "keepDays",
} as const satisfies Record<string, keyof Config>;

/** Settings that do nothing unless another is set. */
const NEEDS: readonly (readonly [name: Name, needed: Name])[] = [
  ["DATABASE_REPLICA_URLS", "DATABASE_URL"],
  ["DATABASE_REPLICA_WAIT", "DATABASE_REPLICA_URLS"],
  ["DATABASE_STATEMENT_LIMIT", "DATABASE_URL"],
  ["DATABASE_PASSWORD_FILE", "DATABASE_URL"],
  ["LEDGER_PASSWORD_FILE", "LEDGER_URL"],
  ["DATABASE_FEED_URL", "DATABASE_URL"],
  ["CHANGE_FEED", "DATABASE_URL"],
  ["S3_PREFIX", "S3_BUCKET"],
  ["S3_ENDPOINT", "S3_BUCKET"],
  ["CLOUDFRONT_ENDPOINT", "CLOUDFRONT_DISTRIBUTION_ID"],
  ["CLOUDFRONT_CACHE_TAGS", "CLOUDFRONT_DISTRIBUTION_ID"],
  ["INVALIDATION_BUDGET_USD", "CLOUDFRONT_DISTRIBUTION_ID"],
  ["INVALIDATION_EVICTED_USD", "CLOUDFRONT_DISTRIBUTION_ID"],
  ["INVALIDATION_MAX_SHARE", "CLOUDFRONT_DISTRIBUTION_ID"],
  ["INVALIDATION_RESERVE", "CLOUDFRONT_DISTRIBUTION_ID"],
  ["NIGHTBAKE_PROBE", "CLOUDFRONT_DISTRIBUTION_ID"],
  ["NIGHTBAKE_HELPERS", "SQS_QUEUE_URL"],
];

/** Settings of which one excludes the other. */
const EXCLUDES: readonly (readonly [name: Name, other: Name])[] = [["SQS_QUEUE_URL", "REDIS_URL"]];

type Name = keyof typeof SETTINGS;
type Env = Readonly<Record<string, string | undefined>>;
type Get = <T, F>(name: Name, fallback: F, type: ValueType<T>) => T | F;

/**
 * Reads the settings of this process, and gives the AWS SDK those of its variables that only
 * `.env` has. The one place that touches `process.env`.
 * @throws PipelineError `config_invalid` with every problem
 */
export function readProcessConfig(options: ConfigOptions = {}, parameters: Env = {}): Config {
  const config = readConfig({ env: process.env, cwd: process.cwd(), options, parameters });
  giveSdk(config.aws);
  return config;
}

/**
 * The path below which SSM has this process's other settings; undefined when it has none. Gives the SDK
 * its variables as above, since it is asked before all settings are known.
 * @throws PipelineError `config_invalid`
 */
export function processParametersPath(): string | undefined {
  const dotEnv = readDotEnv(process.cwd(), []);
  const name = "NIGHTBAKE_PARAMETERS";
  const text = (process.env[name] ?? dotEnv[name] ?? "").trim();
  if (text === "") return undefined;
  const path = SSM_PATH.parse(text);
  if (path === undefined) throw refused([{ place: name, message: SSM_PATH.expects }]);
  giveSdk(awsVariables({ env: process.env, dotEnv, origins: {} }));
  return path;
}

function giveSdk(aws: Config["aws"]): void {
  for (const [name, value] of Object.entries(aws)) process.env[name] ??= value;
}

/**
 * Settings from options, then `env`, then the file `.env` in `cwd`, then `parameters`, then defaults.
 * An empty value is no value, but hides what stands behind it; a parameter may hide nothing and be
 * hidden by nothing, since whoever changes one has to see it change.
 * @throws PipelineError `config_invalid` with every problem; `place` is the variable's name
 */
export function readConfig(from: {
  readonly env: Env;
  readonly cwd: string;
  readonly options?: ConfigOptions;
  /** What the parameter store holds, by names of settings. */
  readonly parameters?: Env;
}): Config {
  const { env, cwd, options = {}, parameters = {} } = from;
  const problems: Problem[] = [];
  const dotEnv = readDotEnv(cwd, problems);
  const layers: readonly (readonly [Origin, Env])[] = [
    ["option", asSettings(options)],
    ["environment", env],
    [".env", dotEnv],
    ["parameter", parameters],
  ];
  const origins: Record<string, Origin> = {};
  const get: Get = (name, fallback, type) => {
    const [origin, layer] =
      layers.find(([, each]) => each[name] !== undefined) ?? (["default", {} as Env] as const);
    const text = layer[name]?.trim() ?? "";
    origins[name] = text === "" ? "default" : origin;
    const value = text === "" ? fallback : type.parse(text);
    if (value === undefined && text !== "") problems.push({ place: name, message: type.expects });
    return value ?? fallback;
  };
  const aws = awsVariables({ env, dotEnv, origins });
  const config: Config = { ...fields(cwd, get, aws), cwd, aws, origins };
  problems.push(...unknownNames({ ...dotEnv, ...env }), ...conflicts(config));
  problems.push(...wrongParameters(parameters, { ...dotEnv, ...env }));
  if (problems.length > 0) throw refused(problems);
  return Object.freeze(config);
}

function asSettings({ out, config, host, port }: ConfigOptions): Env {
  return { OUT_DIR: out, "--config": config, NIGHTBAKE_HOST: host, NIGHTBAKE_PORT: port };
}

function fields(
  cwd: string,
  get: Get,
  aws: Config["aws"],
): Omit<Config, "cwd" | "aws" | "origins"> {
  const file = fileIn(cwd);
  const home = get("NIGHTBAKE_HOME", resolve(cwd, ".nightbake"), file);
  const configFile = get("--config", resolve(cwd, "site.config.ts"), file);
  const s3Endpoint = get("S3_ENDPOINT", undefined, HTTP);
  const cloudfrontEndpoint = get("CLOUDFRONT_ENDPOINT", undefined, HTTP);
  // Servers that speak AWS's protocols rarely care for the region, but its SDK will not go without.
  const region = s3Endpoint || cloudfrontEndpoint ? "us-east-1" : undefined;
  return {
    home,
    sourceFile: join(home, "source.db"),
    ledgerFile: join(home, "ledger.db"),
    bodiesFile: join(home, "bodies.db"),
    keptFile: join(home, "kept.db"),
    out: get("OUT_DIR", resolve(cwd, "dist"), file),
    configFile,
    contentDir: join(dirname(configFile), "content"),
    templatesDir: join(dirname(configFile), "templates"),
    ...databases(get, fileIn(cwd)),
    s3Bucket: get("S3_BUCKET", undefined, BUCKET),
    s3Prefix: get("S3_PREFIX", "", PREFIX),
    s3Endpoint,
    cloudfrontDistributionId: get("CLOUDFRONT_DISTRIBUTION_ID", undefined, DISTRIBUTION),
    cloudfrontEndpoint,
    cloudfrontTagHeader: get("CLOUDFRONT_CACHE_TAGS", undefined, TAG_HEADER),
    invalidationBudgetUsd: get("INVALIDATION_BUDGET_USD", undefined, DOLLARS),
    invalidationEvictedUsd: get("INVALIDATION_EVICTED_USD", EVICTED_USD, DOLLARS),
    invalidationMaxShare: get("INVALIDATION_MAX_SHARE", MAX_SHARE, SHARE),
    invalidationReserve: get("INVALIDATION_RESERVE", RESERVE, ITEMS),
    probes: get("NIGHTBAKE_PROBE", 0, FEW),
    probeUrl: get("PROBE_URL", undefined, ORIGIN),
    ...queue(get),
    ...control(get, cwd),
    ...schedule(get),
    siteUrl: get("SITE_URL", undefined, ORIGIN),
    awsRegion: get("AWS_REGION", aws["AWS_DEFAULT_REGION"] ?? region, REGION),
    deleteShare: get("NIGHTBAKE_DELETE_SHARE", DELETE_SHARE, SHARE),
    concurrency: get("NIGHTBAKE_CONCURRENCY", CONCURRENCY, COUNT),
    bodiesMb: get("NIGHTBAKE_BODIES_MB", BODIES_MB, MEGABYTES),
    keepMb: get("NIGHTBAKE_KEEP_MB", KEEP_MB, MEGABYTES),
    keepReleases: get("NIGHTBAKE_KEEP_RELEASES", KEEP_RELEASES, COUNT),
    keepDays: get("NIGHTBAKE_KEEP_DAYS", KEEP_DAYS, COUNT),
  };
}

function queue(get: Get) {
  return {
    redisUrl: get("REDIS_URL", undefined, REDIS),
    sqsQueueUrl: get("SQS_QUEUE_URL", undefined, QUEUE),
    helpers: get("NIGHTBAKE_HELPERS", HELPERS, FEW),
    parametersPath: get("NIGHTBAKE_PARAMETERS", undefined, SSM_PATH),
  };
}

function schedule(get: Get) {
  return {
    scheduleBuild: get("SCHEDULE_BUILD", EACH_NIGHT, CRON),
    scheduleVerify: get("SCHEDULE_VERIFY", EACH_SUNDAY, CRON),
    scheduleSweep: get("SCHEDULE_SWEEP", AFTERWARDS, CRON),
    scheduleDue: get("SCHEDULE_DUE", "on", SWITCH),
    scheduleTimeZone: get("SCHEDULE_TIME_ZONE", "UTC", TIME_ZONE),
  };
}

function databases(get: Get, file: ValueType<string>) {
  const databasePasswordFile = get("DATABASE_PASSWORD_FILE", undefined, file);
  const ledgerPasswordFile = get("LEDGER_PASSWORD_FILE", undefined, file);
  const databaseCaFile = get("DATABASE_CA_FILE", undefined, file);
  const caFile = databaseCaFile;
  const database = mysqlWith({ passwordFile: databasePasswordFile, caFile });
  const ledger = mysqlWith({ passwordFile: ledgerPasswordFile, caFile });
  return {
    databaseUrl: get("DATABASE_URL", undefined, database),
    databaseReplicaUrls: get("DATABASE_REPLICA_URLS", [], listOf(database)),
    replicaWait: get("DATABASE_REPLICA_WAIT", REPLICA_WAIT, SECONDS),
    statementLimit: get("DATABASE_STATEMENT_LIMIT", STATEMENT_LIMIT, SECONDS),
    databaseFeedUrl: get("DATABASE_FEED_URL", undefined, database),
    changeFeed: get("CHANGE_FEED", "scan" as const, CHANGE_FEED),
    ledgerUrl: get("LEDGER_URL", undefined, ledger),
    databasePasswordFile,
    ledgerPasswordFile,
    databaseCaFile,
  };
}

function control(get: Get, cwd: string) {
  const tokenFile = get("NIGHTBAKE_TOKEN_FILE", undefined, tokenFileIn(cwd));
  return {
    host: get("NIGHTBAKE_HOST", "127.0.0.1", HOST),
    port: get("NIGHTBAKE_PORT", PORT_NUMBER, PORT),
    requestsPerMinute: get("NIGHTBAKE_REQUESTS_PER_MINUTE", REQUESTS, A_MINUTE),
    eventsUrl: get("NIGHTBAKE_EVENTS_URL", undefined, ORIGIN),
    token: get("NIGHTBAKE_TOKEN", tokenFile && tokenIn(tokenFile), TOKEN),
    tokenFile,
  };
}

/** Each has connections of its own to the database. */
const HELPERS = 10;
/** Nobody's by custom. */
const PORT_NUMBER = 8377;
/** A CMS that asks with every key stroke makes fewer. */
const REQUESTS = 600;
/** Verifying lists the whole store, so it is rarer. */
const [EACH_NIGHT, EACH_SUNDAY, AFTERWARDS] = ["0 3 * * *", "0 5 * * 0", "30 4 * * *"];
/** An editor waits as long without asking why. */
const REPLICA_WAIT = 5;
/** Each of ours reads a batch; one that takes longer hangs. */
const STATEMENT_LIMIT = 60;
const DELETE_SHARE = 0.2;
/** Those of `invalidate/terms.ts`, which says why. */
const [EVICTED_USD, MAX_SHARE, RESERVE] = [0.0001, 0.05, 1000];
/** One S3 client opens 50 sockets at most unless told otherwise; this leaves room for others. */
const CONCURRENCY = 32;
/** Room for the bodies of a million short articles. */
const BODIES_MB = 4096;
/** Every page of a site of 100,000 once, compressed. */
const KEEP_MB = 1024;
const KEEP_RELEASES = 20;
const KEEP_DAYS = 30;

function readDotEnv(cwd: string, problems: Problem[]): Env {
  try {
    return parseEnv(readFileSync(join(cwd, ".env"), "utf8"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOENT") problems.push({ place: ".env", message: `It cannot be read: ${code}.` });
    return {};
  }
}

/** AWS's variables of both; notes where each comes from. */
function awsVariables(from: {
  readonly env: Env;
  readonly dotEnv: Env;
  readonly origins: Record<string, Origin>;
}): Record<string, string> {
  const aws: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...from.dotEnv, ...from.env })) {
    if (!name.startsWith("AWS_") || !value) continue;
    aws[name] = value;
    from.origins[name] = from.env[name] === undefined ? ".env" : "environment";
  }
  return aws;
}

function unknownNames(env: Env): Problem[] {
  const known = Object.keys(SETTINGS);
  return Object.keys(env)
    .filter((name) => /^(NIGHTBAKE|INVALIDATION|SCHEDULE)_/.test(name) && !known.includes(name))
    .map((name) => ({
      place: name,
      message: `There is no such setting.${didYouMean(name, Object.keys(SETTINGS))}`,
    }));
}

/** Parameters that are no settings, and those that are set elsewhere, too. */
function wrongParameters(parameters: Env, elsewhere: Env): Problem[] {
  const known = Object.keys(SETTINGS).filter((name) => /^[A-Z]/.test(name));
  const wrong = (name: string) => {
    if (name === "NIGHTBAKE_PARAMETERS") return "A parameter cannot say where parameters are.";
    if (!known.includes(name)) return `The parameter is no setting.${didYouMean(name, known)}`;
    if (elsewhere[name] === undefined) return undefined;
    return "It is set in the environment and as a parameter: only one of them may say it.";
  };
  return Object.keys(parameters).flatMap((place) => {
    const message = wrong(place);
    return message === undefined ? [] : [{ place, message }];
  });
}

function conflicts(config: Config): Problem[] {
  const isSet = (name: Name) => (config.origins[name] ?? "default") !== "default";
  const lonely = NEEDS.filter(([name, needed]) => isSet(name) && !isSet(needed));
  const problems = lonely.map(([name, needed]) => ({
    place: name,
    message: `It does nothing unless ${needed} is set too.`,
  }));
  for (const [name, other] of EXCLUDES) {
    if (!isSet(name) || !isSet(other)) continue;
    problems.push({ place: name, message: `It cannot be used together with ${other}.` });
  }
  const { out, configFile, contentDir, templatesDir, home } = config;
  const held = [configFile, contentDir, templatesDir, home].find((each) => isWithin(each, out));
  if (held === undefined) return problems;
  return [...problems, { place: "OUT_DIR", message: `The output folder must not hold ${held}.` }];
}

function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function refused(problems: readonly Problem[]): PipelineError {
  const count = problems.length === 1 ? "One setting is" : `${problems.length} settings are`;
  return new PipelineError("config_invalid", `${count} wrong.`, {
    hint: "Correct them in the environment or in .env; `nightbake --help` lists the settings.",
    problems,
  });
}
