import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startFauxqs } from "../test/services/fauxqs.ts";
import { mariaDbAt, startMariaDb } from "../test/services/mariadb.ts";
import { startRadosgw } from "../test/services/radosgw.ts";
import type { S3Address } from "../test/services/s3.ts";

/** Fresh source, ledger and store for one run, and what differs between them. */
export interface Mode extends AsyncDisposable {
  /** Settings of `nightbake`. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a statement on the source, as an application would. */
  write(sql: string, values: readonly (string | number)[]): Promise<void>;
}

type Open = (dir: string) => Promise<Mode>;

/** Every mode, by the name it has on the command line; each starts servers of its own in `dir`. */
export const MODES: Readonly<Record<string, Open>> = {
  embedded,
  radosgw: (dir) => shared(dir, startRadosgw),
  fauxqs: (dir) => shared(dir, startFauxqs),
};

async function embedded(dir: string): Promise<Mode> {
  return {
    env: { NIGHTBAKE_HOME: join(dir, "home"), OUT_DIR: join(dir, "out") },
    async write(sql, values) {
      const database = new DatabaseSync(join(dir, "home", "source.db"));
      database.prepare(sql).run(...values);
      database.close();
    },
    async [Symbol.asyncDispose]() {},
  };
}

interface Bucketeer extends S3Address, AsyncDisposable {
  createBucket(): Promise<string>;
}

/** Rows and ledger in one MariaDB, objects in an S3 server. */
async function shared(dir: string, startS3: () => Promise<Bucketeer>): Promise<Mode> {
  await using servers = new AsyncDisposableStack();
  const database = servers.use(await startMariaDb());
  const s3 = servers.use(await startS3());
  const source = await database.createDatabase("source");
  const env = {
    NIGHTBAKE_HOME: join(dir, "home"),
    DATABASE_URL: source,
    LEDGER_URL: await database.createDatabase("ledger"),
    S3_BUCKET: await s3.createBucket(),
    S3_ENDPOINT: s3.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
  const running = servers.move();
  return {
    env,
    write: async (sql, values) => void (await mariaDbAt(source).query(sql, values)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
