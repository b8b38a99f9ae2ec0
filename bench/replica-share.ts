import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type MariaDbAddress, startMariaDb } from "../test/services/mariadb.ts";
import { LARGE_ROWS, synthetic } from "./data-sets.ts";
import { loadData } from "./load-data.ts";
import { measured } from "./measured.ts";

const CONFIG = fileURLToPath(new URL("../site.config.ts", import.meta.url));
const BUFFER_POOL = "--innodb-buffer-pool-size=512M";
const CATCH_UP_SECONDS = 120;

/** What a build had each server read, as the servers count it. */
export interface Share {
  readonly primary: ServerReads;
  readonly replica: ServerReads;
  /** Rows that this process was given, and the replicas' share of them as the build tells it. */
  readonly given: { readonly rows: number; readonly replicaShare: number };
}

interface ServerReads {
  /** Rows of InnoDB's tables. */
  readonly rows: number;
  /** `Handler_read%` summed up: also what the server looks up in tables of its own. */
  readonly handler: number;
}

/** The first build of so many articles, with a primary and a replica of its own in `dir`. */
export async function replicaShare(dir: string, articles: number): Promise<Share> {
  await using primary = await startMariaDb({ replicas: 1, args: [BUFFER_POOL] });
  const url = await primary.createDatabase("site");
  await loadData(CONFIG, url, synthetic(articles, LARGE_ROWS));
  await primary.caughtUp(CATCH_UP_SECONDS);
  const replica = primary.replicas[0] as MariaDbAddress;
  const cwd = join(dir, "replica-share");
  mkdirSync(cwd, { recursive: true });
  const env = { DATABASE_URL: url, DATABASE_REPLICA_URLS: `${replica.url}/site` };
  const before = [await readsOf(primary), await readsOf(replica)];
  const { lines } = await measured(["build", "--json", "--config", CONFIG], { env, cwd });
  const after = [await readsOf(primary), await readsOf(replica)];
  const [ofPrimary, ofReplica] = after.map((reads, at) => ({
    rows: reads.rows - (before[at]?.rows ?? 0),
    handler: reads.handler - (before[at]?.handler ?? 0),
  })) as [ServerReads, ServerReads];
  const summary = lines.find(({ event }) => event === "summary") as
    | { readonly read: Share["given"] }
    | undefined;
  const { rows = 0, replicaShare: share = 0 } = summary?.read ?? {};
  return { primary: ofPrimary, replica: ofReplica, given: { rows, replicaShare: share } };
}

async function readsOf(server: MariaDbAddress): Promise<ServerReads> {
  const sum = async (like: string) => {
    const rows = await server.query<{ Value: string }>(`SHOW GLOBAL STATUS LIKE '${like}'`);
    return rows.reduce((total, { Value }) => total + Number(Value), 0);
  };
  return { rows: await sum("Innodb_rows_read"), handler: await sum("Handler_read%") };
}
