import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Config, readConfig } from "../../src/config.ts";
import type { RunEvent, Summary } from "../../src/events.ts";
import { build } from "../../src/pipeline.ts";
import { openBuild, openLoad } from "../../src/wiring.ts";
import { type CloudFront, startCloudFront } from "../services/cloudfront.ts";
import { mariaDbAt } from "../services/mariadb.ts";
import { type S3Address, s3Client } from "../services/s3.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { type Listing, listBucket } from "./bucket.ts";
import { type Answer, get } from "./viewer.ts";

const SITE = fileURLToPath(new URL("../../site.config.ts", import.meta.url));
/** The stand-in completes after 50 ms; CloudFront takes minutes, so the outbox asks every 5 s. */
const POLL_MS = 20;
/** CloudFront keeps a 404 for 10 s; here a page is there as soon as it is put, and no test waits. */
const ERROR_TTL_SECONDS = 0;

/** The servers that one published site rests on. */
export interface StackOptions {
  readonly s3: S3Address;
  readonly bucket: string;
  /** Folder of the site in the bucket; "" for the bucket itself. */
  readonly prefix: string;
  readonly ledger: "mysql" | "sqlite";
}

/** What a run told: its summary, and the routes or keys that failed. */
export interface Built extends Summary {
  readonly failures: readonly string[];
}

export interface BuildAt {
  /** The run's clock, e.g. `2026-06-01T00:00:00Z`. */
  readonly now: string;
  /** Called before a batch is sent to the CDN: what it names is put or deleted, and not evicted yet. */
  readonly beforeSend?: (items: readonly string[]) => Promise<void>;
}

/** Real servers from the database to the edge, and what a site's operator does with them. */
export interface Stack extends AsyncDisposable {
  readonly config: Config;
  readonly cdn: CloudFront;
  /** Makes the database equal to the files in `dir`. */
  load(dir: string): Promise<void>;
  /** Opens every part from the configuration, builds once and closes them, as one command does. */
  build(options: BuildAt): Promise<Built>;
  /** An editor's statement. */
  sql(statement: string, ...values: readonly unknown[]): Promise<void>;
  listing(): Promise<Listing>;
  /** The object behind a viewer's path as the bucket has it, past the CDN. */
  stored(path: string): Promise<Answer>;
}

/** Opens an empty site behind a CDN: databases, distribution and the configuration that names them. */
export async function openStack({ s3, bucket, prefix, ledger }: StackOptions): Promise<Stack> {
  await using parts = new AsyncDisposableStack();
  const cwd = await mkdtemp(join(tmpdir(), "nightbake-e2e-"));
  parts.defer(() => rm(cwd, { recursive: true }));
  const server = await sharedMariaDb();
  const newDatabase = async () => {
    const url = await server.createDatabase();
    parts.defer(async () => void (await server.query(`DROP DATABASE ${url.split("/").at(-1)}`)));
    return url;
  };
  const databaseUrl = await newDatabase();
  const origin = { endpoint: s3.endpoint, bucket, prefix };
  const cdn = parts.use(await startCloudFront({ origin, errorTtlSeconds: ERROR_TTL_SECONDS }));
  const env = {
    DATABASE_URL: databaseUrl,
    ...(ledger === "mysql" && { LEDGER_URL: await newDatabase() }),
    S3_BUCKET: bucket,
    S3_PREFIX: prefix,
    S3_ENDPOINT: s3.endpoint,
    CLOUDFRONT_DISTRIBUTION_ID: cdn.distributionId,
    CLOUDFRONT_ENDPOINT: cdn.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
  const config = readConfig({ env, cwd, options: { config: SITE } });
  const client = s3Client(s3);
  parts.defer(() => client.destroy());
  const folder = prefix === "" ? "" : `${prefix}/`;
  const open = parts.move();
  return {
    config,
    cdn,
    async load(dir) {
      await using loading = await openLoad(config);
      await loading.run(dir, {});
    },
    build: (options) => buildOnce(config, options),
    async sql(statement, ...values) {
      await mariaDbAt(databaseUrl).query(statement, values);
    },
    listing: () => listBucket(client, bucket, folder),
    stored: (path) =>
      get(
        `${s3.endpoint}/${bucket}`,
        `/${folder}${path.slice(1).replace(/(^|\/)$/, "$1index.html")}`,
      ),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function buildOnce(config: Config, { now, beforeSend }: BuildAt): Promise<Built> {
  await using wired = await openBuild(config);
  const { cdn } = wired;
  const watched = {
    ...cdn,
    async send(batch: Parameters<typeof cdn.send>[0]) {
      await beforeSend?.(batch.items);
      return await cdn.send(batch);
    },
  };
  const failures: string[] = [];
  const emit = (event: RunEvent) => {
    if (event.event === "failed") failures.push(`${event.kind} ${event.key} ${event.error.code}`);
  };
  const sleep = () => wait(POLL_MS);
  const summary = await build(
    { ...wired, cdn: watched, sleep },
    {
      allowDeletes: false,
      isDryRun: false,
      signal: new AbortController().signal,
      emit,
      now: () => Date.parse(now) * 1000,
    },
  );
  return { ...summary, failures };
}
