import { BRAND } from "./brand.ts";
import { type MariaDb, type MariaDbServer, startMariaDb } from "./mariadb.ts";

/** A private primary and two read-only replicas that follow it. */
export interface Topology extends MariaDb {
  readonly replicas: readonly [MariaDbServer, MariaDbServer];
  /** The URLs of one database for a user with SELECT alone, the primary's first. */
  readonly urls: readonly [primary: string, first: string, second: string];
}

/** Starts three servers; `database` is empty, compares by bytes, and is on all of them. */
export async function startTopology(database = "site"): Promise<Topology> {
  const primary = await startMariaDb({ replicas: 2, durable: true });
  try {
    await primary.createDatabase(database);
    await primary.query("CREATE USER reader@'%' IDENTIFIED BY 'r3ader'");
    await primary.query(`GRANT SELECT ON ${database}.* TO reader@'%'`);
    await primary.caughtUp();
  } catch (error) {
    await primary[Symbol.asyncDispose]();
    throw error;
  }
  const replicas = primary.replicas as Topology["replicas"];
  const urlOf = ({ url }: MariaDbServer) =>
    `mysql://reader:r3ader@${new URL(url).host}/${database}`;
  return { ...primary, replicas, urls: [urlOf(primary), urlOf(replicas[0]), urlOf(replicas[1])] };
}

/** It gets what is written and does not apply it, so it lags, whatever its status says. */
export async function stopApplying(replica: MariaDbServer): Promise<void> {
  await replica.query(`STOP ${BRAND.replica} SQL_THREAD`);
}

/** It gets nothing any more, and does not know how far it is behind. */
export async function stopFetching(replica: MariaDbServer): Promise<void> {
  await replica.query(`STOP ${BRAND.replica} IO_THREAD`);
}

/** It applies everything so many seconds late; 0 also ends `stopApplying` and `stopFetching`. */
export async function delay(replica: MariaDbServer, seconds: number): Promise<void> {
  await replica.query(`STOP ${BRAND.replica}`);
  await replica.query(BRAND.change({ DELAY: seconds }));
  await replica.query(`START ${BRAND.replica}`);
}

/** Makes a replica the primary; the others follow it, and the old one, if it runs, is to be ended. */
export async function promote(
  replica: MariaDbServer,
  others: readonly MariaDbServer[] = [],
): Promise<void> {
  await replica.query(`STOP ${BRAND.replica}`);
  await replica.query(`RESET ${BRAND.replica} ALL`);
  await replica.query("SET GLOBAL read_only = 0");
  const { port } = new URL(replica.url);
  for (const other of others) {
    await other.query(`STOP ${BRAND.replica}`);
    await other.query(BRAND.change({ HOST: "'127.0.0.1'", PORT: port }));
    await other.query(`START ${BRAND.replica}`);
  }
}
