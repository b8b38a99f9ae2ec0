import type { OptionSpec } from "./args.ts";
import type { Command } from "./command.ts";
import { table } from "./format.ts";

/** Names of the settings and what they mean; `nightbake config` shows their values. */
const SETTINGS_HELP: readonly (readonly [string, string])[] = [
  ["NIGHTBAKE_HOME", "our own state (default .nightbake)"],
  ["OUT_DIR", "the output folder (default dist)"],
  ["SITE_URL", "replaces the origin of the site definition"],
  ["DATABASE_URL", "MySQL instead of the embedded source: mysql://user:password@host/database"],
  ["DATABASE_REPLICA_URLS", "its replicas, with commas between; rows are read there"],
  [
    "DATABASE_REPLICA_WAIT",
    "seconds a rebuild waits for one to have what the primary has; builds 12 times that (default 5)",
  ],
  ["DATABASE_STATEMENT_LIMIT", "seconds that one statement may take, 0 for no limit (default 60)"],
  ["DATABASE_PASSWORD_FILE", "holds the password for those of these URLs that have none"],
  ["DATABASE_CA_FILE", "PEM file of the authority that signed the databases' certificates"],
  [
    "DATABASE_FEED_URL",
    "the server that `follow` follows, for a user with REPLICATION SLAVE (default DATABASE_URL)",
  ],
  [
    "CHANGE_FEED",
    "binlog: builds ask that server's log first, and compare no row where it tells of no change (default scan)",
  ],
  ["LEDGER_URL, LEDGER_PASSWORD_FILE", "MySQL instead of the embedded ledger"],
  ["S3_BUCKET, S3_PREFIX, S3_ENDPOINT", "S3 instead of the output folder"],
  ["CLOUDFRONT_DISTRIBUTION_ID", "the CDN to invalidate"],
  ["CLOUDFRONT_ENDPOINT", "another server that speaks CloudFront's protocol"],
  [
    "CLOUDFRONT_CACHE_TAGS",
    "header of cache tags that its CacheTagConfig names: x-amz-meta-cache-tag",
  ],
  [
    "INVALIDATION_BUDGET_USD",
    "for a month's invalidations; wider ones are chosen near it (default none)",
  ],
  ["INVALIDATION_EVICTED_USD", "what it weighs to evict an unchanged page (default 0.0001)"],
  ["INVALIDATION_MAX_SHARE", "share of the site that may be evicted unchanged (default 0.05)"],
  ["INVALIDATION_RESERVE", "items in progress that builds leave to others (default 1000)"],
  [
    "NIGHTBAKE_PROBE, PROBE_URL",
    "changed pages to fetch from there until they are new (default 0)",
  ],
  ["REDIS_URL", "the queue that workers share; without it each looks in the ledger, every second"],
  ["SQS_QUEUE_URL", "the same in SQS: what the URLs of its queues begin with"],
  ["NIGHTBAKE_HELPERS", "functions on AWS that are called to help one run (default 10)"],
  ["NIGHTBAKE_PARAMETERS", "path of SSM parameters that are settings, too: /nightbake/prod"],
  ["NIGHTBAKE_HOST, NIGHTBAKE_PORT", "where `serve` listens (default 127.0.0.1 and 8377)"],
  ["NIGHTBAKE_REQUESTS_PER_MINUTE", "that one token may make of one `serve` process (default 600)"],
  [
    "NIGHTBAKE_EVENTS_URL",
    "the server that streams events of jobs, when it is another than the one that is asked",
  ],
  [
    "NIGHTBAKE_TOKEN, NIGHTBAKE_TOKEN_FILE",
    "the token, or a file that holds it, for `rebuild --remote`",
  ],
  [
    "SCHEDULE_BUILD, SCHEDULE_VERIFY, SCHEDULE_SWEEP",
    'when these jobs are asked for, as cron writes it, or off (default "0 3 * * *", "0 5 * * 0", "30 4 * * *")',
  ],
  ["SCHEDULE_DUE", "off asks for no job when the clock shows or hides a row (default on)"],
  ["SCHEDULE_TIME_ZONE", "whose clock that is: Europe/Berlin (default UTC)"],
  ["NIGHTBAKE_DELETE_SHARE", "share of the site one build may delete unasked (default 0.2)"],
  [
    "NIGHTBAKE_CONCURRENCY",
    "the most objects put at the same time (default 32); as many as the store takes",
  ],
  ["NIGHTBAKE_BODIES_MB", "size of the kept bodies' file; 0 keeps none (default 4096)"],
  [
    "NIGHTBAKE_KEEP_MB",
    "size of the file of replaced pages, for rollbacks; 0 keeps none (default 1024)",
  ],
  ["NIGHTBAKE_KEEP_RELEASES", "releases that can be told and restored at least (default 20)"],
  ["NIGHTBAKE_KEEP_DAYS", "days over which all of them can (default 30)"],
];

const EXIT_CODES = [
  ["0", "done"],
  [
    "1",
    "done, some pages failed; their last good versions stay live. Or verify, doctor or schema --diff found something",
  ],
  ["2", "nothing published"],
  ["3", "stopped half-way, the store is consistent; the next run completes it"],
] as const;

/** What `nightbake --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = [
    ...commands.map((each) => [usage(each), each.summary]),
    ["help COMMAND", "Shows a command's options and examples."],
  ];
  return [
    "Nightbake pre-renders a MySQL-backed site to S3 and tells CloudFront exactly what changed.\n",
    section("Usage", ["nightbake COMMAND [OPTIONS]", "nightbake --version"]),
    section("Commands", lines(rows)),
    section("Settings, from the environment or a .env file beside AWS's own", lines(SETTINGS_HELP)),
    section("Exit codes", lines(EXIT_CODES)),
  ].join("\n");
}

/** What `nightbake COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const { summary, details, options, examples } = command;
  const optionRows = Object.entries(options).map(([name, spec]) => [flag(name, spec), spec.says]);
  const exampleRows = examples.map((each) => [`nightbake ${each.line}`, each.says]);
  return [
    `${summary}\n`,
    ...(details ? [`${details}\n`] : []),
    section("Usage", [`nightbake ${usage(command)} [OPTIONS]`]),
    section("Options", lines(optionRows)),
    section("Examples", lines(exampleRows)),
  ].join("\n");
}

function usage({ name, positionals }: Command): string {
  return [name, ...positionals].join(" ");
}

function flag(name: string, { short, value }: OptionSpec): string {
  return `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`;
}

function lines(rows: readonly (readonly string[])[]): readonly string[] {
  return table(rows).trimEnd().split("\n");
}

function section(title: string, body: readonly string[]): string {
  return [`${title}:`, ...body.map((each) => `  ${each}`), ""].join("\n");
}
