import fc from "fast-check";
import { expect, test } from "vitest";
import type { Ledger, LivePage } from "../../src/ledger/ledger.ts";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { exportHistory } from "../../src/pipeline/route-history.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, listsOf, type Row, tablesOf } from "../../src/site.ts";
import type { LoadTarget } from "../../src/source/load-target.ts";
import { openMysqlSource } from "../../src/source/mysql-source.ts";
import { openMysqlTarget } from "../../src/source/mysql-target.ts";
import type { Source } from "../../src/source/source.ts";
import { openSqliteSource } from "../../src/source/sqlite-source.ts";
import type { MariaDbAddress } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { isComparable } from "./comparable.ts";
import { type Change, change, DAY, postChange, START, writeRows } from "./rows.ts";
import {
  bake,
  differences,
  openSmall,
  SITE,
  type SmallSite,
  scratch,
  served,
  shown,
  smallSite,
} from "./small-site.ts";

/** Of the rows' changes and of the clock, in days; it may be set back. */
interface Moment {
  readonly changes: readonly Change[];
  readonly days: number;
}

interface History {
  /** Enough of them for archives. */
  readonly posts: readonly Change[];
  readonly moments: readonly Moment[];
}

const history: fc.Arbitrary<History> = fc.record({
  posts: fc.array(postChange, { maxLength: 16, size: "max" }),
  moments: fc.array(
    fc.record({
      changes: fc.array(change, { minLength: 1, maxLength: 6 }),
      days: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: 0, max: 60 }) },
        { weight: 1, arbitrary: fc.integer({ min: -40, max: -1 }) },
      ),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

const RUNS = Number(process.env["HISTORIES"] ?? 50);
const TABLES = tablesOf(SITE.kinds);
const LISTS = listsOf(SITE.kinds);

describeWith("shared-mariadb", "With rows and ledger in MariaDB", () => {
  test(`after each of ${RUNS} random histories the store equals one made from scratch with SQLite`, async () => {
    const seed = Number(process.env["SEED"] ?? 20_261_123);
    console.info(`seed ${seed}`);
    const server = await sharedMariaDb();
    const [url, ledgerUrl] = [await server.createDatabase(), await server.createDatabase()];
    await using target = await openMysqlTarget(url);
    await using source = await openMysqlSource({ url });
    await using ledger = await openMysqlLedger(ledgerUrl);
    const property = fc.asyncProperty(history, async (each) => {
      await emptyLedger(server, ledgerUrl);
      await check(each, { target, source, ledger });
    });
    await fc.assert(property, { numRuns: RUNS, seed });
  }, 600_000);
});

interface Parts {
  readonly target: LoadTarget;
  readonly source: Source;
  readonly ledger: Ledger;
}

/** Rows are written to SQLite and copied, so that both databases must tell the same of them. */
async function check({ posts, moments }: History, parts: Parts): Promise<void> {
  await using site = await smallSite();
  const objects = new Map<string, Artifact>();
  const store = memoryStore(objects);
  writeRows(site.source, posts);
  let now = START;
  for (const { changes, days } of moments) {
    now += days * DAY;
    writeRows(site.source, changes);
    await copyRows(site, parts.target);
    const { failed, events } = await bakeWith(site, parts, store, now);
    if (!isComparable(events, objects)) continue;

    const name = `scratch-${now}-${Math.random()}.db`;
    const history = await Array.fromAsync(exportHistory(parts.ledger));
    const wanted = await scratch(site, now, { ledger: name, history });
    expect(differences(shown(served(objects)), shown(wanted))).toEqual([]);
    await using other = await openSqliteLedger(`${site.dir}/${name}`);
    if (failed === 0) expect(await factsOf(parts.ledger)).toEqual(await factsOf(other));
  }
  expect(await bakeWith(site, parts, store, now)).toMatchObject({ changed: 0, deleted: 0 });
}

/** Builds the site of the same folder from rows and ledger in MariaDB. */
async function bakeWith(
  site: SmallSite,
  { source, ledger }: Parts,
  store: ObjectStore,
  now: number,
): ReturnType<typeof bake> {
  await using wired = await openSmall(site, { ledger: "unused.db", store });
  return await bake({ ...wired, source, ledger }, { now: () => now });
}

/** A new one would take half a second. */
async function emptyLedger(server: MariaDbAddress, url: string): Promise<void> {
  const database = new URL(url).pathname.slice(1);
  const tables = await server.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_name LIKE 'nb\\_%'",
    [database],
  );
  for (const { name } of tables) await server.query(`DELETE FROM ${database}.${name}`);
  await server.query(`INSERT INTO ${database}.nb_lease VALUES (1, NULL, 0)`);
}

/** Makes the rows in MariaDB those that are in SQLite. */
async function copyRows(site: SmallSite, target: LoadTarget): Promise<void> {
  await using source = await openSqliteSource(site.source);
  await using rows = await source.read(START);
  await using transaction = await target.begin(TABLES, LISTS);
  for (const table of TABLES) {
    const query = { see: Object.keys(table.columns), after: undefined, limit: 100 };
    const wanted = await rows.scan(table, query);
    const stored = await transaction.rows.scan(table, query);
    await transaction.write(table, {
      deletes: stored.flatMap(({ key }) => (key === undefined ? [] : [key])),
      inserts: [],
      updates: [],
    });
    const inserts = wanted.flatMap(({ row }): readonly Row[] => (row === undefined ? [] : [row]));
    await transaction.write(table, { inserts, updates: [], deletes: [] });
  }
  await transaction.commit();
}

/** What a ledger knows of pages, rows and who reads what, whatever runs led there. */
async function factsOf(ledger: Ledger): Promise<unknown> {
  const pages: LivePage[] = [];
  for (const kind of await ledger.liveKinds()) {
    pages.push(...(await ledger.live(kind, undefined, 1000)));
  }
  const known = await Promise.all(TABLES.map(({ name }) => ledger.known(name, undefined, 1000)));
  const readers = await ledger.readersBetween(Buffer.alloc(0), Buffer.alloc(9, 0xff));
  return {
    // The last put and its cause depend on the runs.
    pages: pages.map((page) => ({ ...page, release: 0, cause: 0 })),
    known,
    due: await ledger.dueRows(Number.MAX_SAFE_INTEGER, undefined, 1000),
    readers: readers.map(({ kind, key }) => `${kind} ${Buffer.from(key).toString("hex")}`).sort(),
  };
}
