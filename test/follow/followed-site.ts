import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import type { RunEvent } from "../../src/events.ts";
import { type FollowOptions, follow } from "../../src/follow.ts";
import type { Log } from "../../src/pipeline/log.ts";
import type { Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { type Artifact, listsOf, tablesOf } from "../../src/site.ts";
import { type BinlogFeedOptions, openBinlogFeed } from "../../src/source/binlog-feed.ts";
import type { Feed } from "../../src/source/feed.ts";
import { load } from "../../src/source/load.ts";
import { openMysqlSource } from "../../src/source/mysql-source.ts";
import { openMysqlTarget } from "../../src/source/mysql-target.ts";
import type { ReaderSetOptions } from "../../src/source/readers.ts";
import { openSmall, SITE, scratch, served, shown, smallSite } from "../pipeline/small-site.ts";
import { mariaDbAt } from "../services/mariadb.ts";
import { sharedMariaDb } from "../services/shared.ts";

/** The small site over a database of a MariaDB server, with one ledger and one store. */
export interface FollowedSite extends AsyncDisposable {
  readonly wired: Wired;
  readonly feed: Feed;
  readonly events: readonly RunEvent[];
  /** Statements of one session each. */
  run(...sql: readonly string[]): Promise<void>;
  /** The same, and the log is not told. */
  runUnlogged(...sql: readonly string[]): Promise<void>;
  /** Follows until `work` is done. */
  while(work: () => Promise<void>): Promise<void>;
  until(holds: () => boolean): Promise<void>;
  /** Waits until all that is committed was published. */
  caughtUp(): Promise<void>;
  shown(): Readonly<Record<string, string>>;
  scratch(): Promise<Readonly<Record<string, string>>>;
}

/** What a followed site may have otherwise. */
type Otherwise = Pick<FollowOptions, "sliceRows"> &
  Pick<BinlogFeedOptions, "maxRows"> &
  Partial<Pick<Wired, "deleteShare"> & Pick<Log, "replacesScan">> & {
    /** Servers of its own, instead of the shared one. */
    readonly servers?: Servers;
  };

/** Where rows are read, which log is followed, and who may write. */
interface Servers extends Pick<ReaderSetOptions, "replicaUrls" | "waitSeconds"> {
  readonly url: string;
  readonly feedUrl: string;
  readonly writeUrl: string;
}

async function sharedServer(): Promise<Servers> {
  const url = await (await sharedMariaDb()).createDatabase();
  return { url, feedUrl: url, writeUrl: url };
}

export async function followedSite(otherwise: Otherwise = {}): Promise<FollowedSite> {
  const { sliceRows, deleteShare = 1, replacesScan = false, servers, ...ofFeed } = otherwise;
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await smallSite());
  const { writeUrl, feedUrl, ...readers } = servers ?? (await sharedServer());
  const [tables, lists] = [tablesOf(SITE.kinds), listsOf(SITE.kinds)];
  await using target = await openMysqlTarget(writeUrl);
  await load({ dir: join(site.dir, "rows"), tables, lists, target });
  const source = stack.use(await openMysqlSource({ restMs: 50, connectMs: 2_000, ...readers }));
  const objects = new Map<string, Artifact>();
  const small = stack.use(
    await openSmall(site, { ledger: "ledger.db", store: memoryStore(objects) }),
  );
  const followed = tables.map((table) => ({ table, see: [] }));
  const feed = stack.use(openBinlogFeed({ url: feedUrl, followed, silenceMs: 3_000, ...ofFeed }));
  const events: RunEvent[] = [];
  const log = { feed, of: "this database", replacesScan };
  const wired = { ...small, source, deleteShare, log };
  const caughtUp = async () => {
    const [until] = await Promise.all([feed.position()]);
    while (!(await isPublished(wired, until))) await sleep(10);
  };
  const open = stack.move();
  return {
    wired,
    feed,
    events,
    async run(...sql) {
      for (const each of sql) await mariaDbAt(writeUrl).query(each);
    },
    async runUnlogged(...sql) {
      const connection = await createConnection(writeUrl);
      for (const each of ["SET SESSION sql_log_bin = 0", ...sql]) await connection.query(each);
      await connection.end();
    },
    async while(work) {
      const stop = new AbortController();
      const following = follow(wired, feed, {
        signal: stop.signal,
        emit: (event) => events.push(event),
        // Other suites write to the same server.
        positionMs: 0,
        ...(sliceRows !== undefined && { sliceRows }),
        sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
      });
      await Promise.race([following, work()]);
      stop.abort();
      await following;
    },
    async until(holds) {
      while (!holds()) await sleep(10);
    },
    caughtUp,
    shown: () => shown(served(objects)),
    async scratch() {
      const now = Date.now() * 1000;
      return shown(await scratch(site, now, { rewire: (opened) => ({ ...opened, source }) }));
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** All up to a position is told, and nothing that was told waits. */
async function isPublished({ ledger }: Wired, until: string): Promise<boolean> {
  const number = (position = "") => Number(position.split("-").at(-1) ?? 0);
  const upTo = number(await ledger.toldUpTo());
  return upTo >= number(until) && (await ledger.told(1)).length === 0;
}
