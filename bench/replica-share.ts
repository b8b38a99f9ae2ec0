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
  /** `Handler_read%` summed up: also what a server looks up in tables of its own. */
  readonly primaryReads: number;
  readonly replicaReads: number;
  /** Rows that this process was given, and the replicas' share of them as the build tells it. */
  readonly given: { readonly rows: number; readonly replicaShare: number };
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
  const before = [await readsOf(primary), await readsOf(replica)] as const;
  const { lines } = await measured(["build", "--json", "--config", CONFIG], { env, cwd });
  const [primaryReads, replicaReads] = [
    (await readsOf(primary)) - before[0],
    (await readsOf(replica)) - before[1],
  ];
  const summary = lines.find(({ event }) => event === "summary") as
    | { readonly read: Share["given"] }
    | undefined;
  const { rows = 0, replicaShare: share = 0 } = summary?.read ?? {};
  return { primaryReads, replicaReads, given: { rows, replicaShare: share } };
}

async function readsOf(server: MariaDbAddress): Promise<number> {
  const rows = await server.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Handler_read%'");
  return rows.reduce((total, { Value }) => total + Number(Value), 0);
}
