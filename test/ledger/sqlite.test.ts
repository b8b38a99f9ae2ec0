import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import type { Reader, SeenRow } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { placeName, readName, routeName } from "../../src/plan/read-names.ts";
import { encodeTrace } from "../../src/plan/trace.ts";
import { digest, encodeKey, packValues } from "../../src/site.ts";
import { article, idOf, intent, livePage, publish, step } from "./fixtures.ts";
import { describeLedger } from "./ledger-contract.ts";
import { testAgainstModel } from "./ledger-property.ts";
import { TO_THIRD_SCHEMA } from "./third-schema.ts";

const folder = mkdtempSync(join(tmpdir(), "nightbake-ledger-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function newFile(): string {
  files += 1;
  return join(folder, `${files}`, "ledger.db");
}

describeLedger("SQLite", async () => {
  const file = newFile();
  return { open: () => openSqliteLedger(file) };
});

testAgainstModel(() => openSqliteLedger(":memory:"), 400);

describe("a ledger file", () => {
  test("is not written by opening, reading, or calls that have nothing to do", async () => {
    const file = newFile();
    const failed = { ...article(3), code: "row_invalid", message: "bad", at: "{}" };
    {
      await using ledger = await openSqliteLedger(file);
      await publish(ledger, livePage());
      await ledger.setNote("store", "folder");
      await ledger.quarantine([failed], []);
    }
    const before = readFileSync(file);
    using watcher = new DatabaseSync(file);
    const version = () => watcher.prepare("PRAGMA data_version").get();
    const first = version();
    {
      await using ledger = await openSqliteLedger(file);
      for (const kind of await ledger.liveKinds()) await ledger.live(kind, undefined, 10);
      await ledger.pages([article(1)]);
      await ledger.setNote("store", "folder");
      await ledger.quarantine([failed], [article(8)]);
      await ledger.unstage("run", [article(1)]);
      await ledger.discard("run");
      await ledger.unretire("publisher", ["a"]);
      await ledger.forget("publisher", []);
      await ledger.recall([]);
      await ledger.serveBy("");
      await ledger.stage("run", []);
      await ledger.intend("publisher", [], []);
      await ledger.doubt("publisher", [], 1);
    }

    expect(version()).toEqual(first);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(statSync(`${file}-wal`).size).toBe(0);
  });

  test("keeps a page with four shared reads in at most 350 bytes, route of 50 included", async () => {
    const file = newFile();
    const pages = 10_000;
    {
      await using ledger = await openSqliteLedger(file);
      for (let start = 0; start < pages; start += 500) {
        const keys = Array.from({ length: 500 }, (_, at) => start + at);
        await ledger.stage(
          "run",
          keys.map((key) => step(article(key))),
        );
        await ledger.confirm("run", keys.map(typicalPage), { added: keys.flatMap(readersOf) });
      }
      await ledger.finish("run", FIRST);
    }

    expect(statSync(file).size / pages).toBeLessThan(350 + (TABLES * 8192) / pages);
  });

  test("keeps a declared row in at most 60 bytes", async () => {
    const file = newFile();
    const count = 20_000;
    const rows = (from: number) => Array.from({ length: 500 }, (_, at) => knownRow(from + at));
    {
      await using ledger = await openSqliteLedger(file);
      for (let from = 0; from < count; from += 500) await ledger.see("run", rows(from));
      await ledger.finish("run", FIRST);
    }

    expect(statSync(file).size / count).toBeLessThan(60 + (TABLES * 8192) / count);
  });

  test("of the third schema keeps what is live, for the next build to look at", async () => {
    const file = newFile();
    const before = await openSqliteLedger(file);
    await publish(before, livePage(), livePage(idOf("tag", "x")));
    await before.see("publisher", [knownRow(1)]);
    await before.finish("publisher", FIRST, {
      ...{ basis: "what it started from", store: "s" },
      ...{ publisher: "publisher", finisher: "publisher" },
    });
    await before[Symbol.asyncDispose]();
    {
      using database = new DatabaseSync(file);
      for (const statement of TO_THIRD_SCHEMA) database.exec(statement);
    }

    await using ledger = await openSqliteLedger(file);

    expect(ledger.id).toBe(before.id);
    expect(await ledger.liveKinds()).toEqual(["article", "tag"]);
    expect(await ledger.live("article", undefined, 9)).toEqual([
      livePage({ trace: Buffer.alloc(0) }),
    ]);
    expect(await ledger.known("articles", undefined, 9)).toEqual([]);
    expect([await ledger.note("basis"), await ledger.note("store")]).toEqual([undefined, "s"]);
    expect(await ledger.note("kept_since")).toBe("1");
    expect(await ledger.readersBetween(Buffer.of(0), Buffer.of(255))).toEqual([]);
  });

  test("of the first schema gets the tables it lacks and keeps what it holds", async () => {
    const file = newFile();
    mkdirSync(dirname(file));
    {
      using database = new DatabaseSync(file);
      database.exec(FIRST_SCHEMA);
    }

    await using ledger = await openSqliteLedger(file);
    // Who published last is not known, so half of release 2 may be live.
    expect(await ledger.note("kept_since")).toBe("2");
    await ledger.see("run", [knownRow(1)]);
    await ledger.finish("run", { ...FIRST, id: 2 });

    expect(ledger.id).toBe("the first");
    expect(await ledger.known("articles", undefined, 9)).toEqual([knownRow(1).now]);
    expect(await ledger.live("article", undefined, 9)).toMatchObject([
      { ...article(1), route: "/a/", bytes: 3, release: 1 },
    ]);
    expect((await ledger.releases(9)).map(({ id }) => id)).toEqual([2, 1]);
    expect(await ledger.retired(9)).toEqual([
      { object: "gone/index.html", dueAt: 7, isCached: true },
    ]);
    expect(await ledger.waiting()).toMatchObject({ changes: 0, items: ["/left/"] });
    expect(await ledger.hasOutbox()).toBe(true);
    expect((await ledger.countsOf({ tags: [], folders: [] })).live).toBe(1);
    await using again = await openSqliteLedger(file);
    expect(again.id).toBe("the first");
  });

  test("of a newer release is refused with what to do", async () => {
    const file = newFile();
    await (await openSqliteLedger(file))[Symbol.asyncDispose]();
    using database = new DatabaseSync(file);
    database.exec("UPDATE nightbake_meta SET value = '99' WHERE name = 'version'");

    await expect(openSqliteLedger(file)).rejects.toMatchObject({
      code: "ledger_rejected",
      hint: expect.stringContaining("newer release"),
    });
  });

  test("that is another program's is refused and left as it was", async () => {
    const file = newFile();
    mkdirSync(dirname(file));
    using database = new DatabaseSync(file);
    database.exec("CREATE TABLE notes (id INTEGER)");
    const before = readFileSync(file);

    await expect(openSqliteLedger(file)).rejects.toMatchObject({ code: "ledger_rejected" });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("that is no database is refused", async () => {
    const file = newFile();
    mkdirSync(dirname(file));
    writeFileSync(file, "Once upon a time ".repeat(100));

    await expect(openSqliteLedger(file)).rejects.toMatchObject({ code: "ledger_rejected" });
  });

  test("that cannot be opened is unavailable", async () => {
    await expect(openSqliteLedger(folder)).rejects.toMatchObject({
      code: "ledger_unavailable",
      retryable: true,
    });
  });
});

describe("several processes on one file", () => {
  test("that make the ledger at once make one", async () => {
    const file = newFile();
    const children = Array.from({ length: 4 }, () => start("open", file));

    const ids = await Promise.all(children.map(({ line }) => line()));

    expect(new Set(ids).size).toBe(1);
    await using ledger = await openSqliteLedger(file);
    expect(ledger.id).toBe(ids[0]);
  });

  test("that write at once lose nothing", async () => {
    const file = newFile();
    const children = ["one", "two"].map((name) => start("stage", file, name));
    const exits = await Promise.all(children.map(({ exited }) => exited));

    await using ledger = await openSqliteLedger(file);
    expect(exits).toEqual([0, 0]);
    expect(await ledger.staged("one", { limit: 500 })).toHaveLength(200);
    expect(await ledger.staged("two", { limit: 500 })).toHaveLength(200);
  });

  test("leave their intents when one is killed between intend and confirm", async () => {
    const file = newFile();
    const child = start("intend", file);
    await child.line();
    await child.line();
    child.process.kill("SIGKILL");
    await child.exited;

    await using ledger = await openSqliteLedger(file);
    expect(await ledger.intents()).toEqual([intent(), intent(article(2))]);
    expect((await ledger.changes(0, 9)).map(({ route }) => route)).toEqual([livePage().route]);
  });
});

/** Tables and indexes that there are; each takes a page of 8 KB at least. */
const TABLES = 28;
const FIRST = { id: 1, startedAt: 1, finishedAt: 2, report: "{}" };

/** An article as the demo site knows it: status, moment and author; one in ten is due. */
function knownRow(n: number): SeenRow {
  const key = encodeKey([n]);
  const deps = packValues([1, 1_735_689_600_000_000 + n, `author-${n % 500}`, null]);
  const dueAt = n % 10 === 0 ? 1_735_689_600_000_000 + n : undefined;
  return { table: "articles", key, now: { key, hash: digest(`${n}`).subarray(0, 8), deps, dueAt } };
}

/** Its author's row, its place among those of its topic, and two routes that it links to. */
function readersOf(n: number): readonly Reader[] {
  const [author, topic] = [`person-${n % 500}`, `topic-${n % 100}`];
  const names = [readName(`row:users/${author}`), routeName(`/people/${author}/`)];
  const place = placeName("by_topic", topic, [1_735_689_600_000_000 + n, n]);
  return [...names, routeName(`/topics/${topic}/`), place].map((read) => ({ ...article(n), read }));
}

/** What the first schema's migration made, with one page and one release. */
const FIRST_SCHEMA = `PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
CREATE TABLE nightbake_meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE nb_page (kind TEXT NOT NULL, page_key BLOB NOT NULL, route TEXT NOT NULL, start BLOB, fold BLOB NOT NULL,
  hash BLOB, etag TEXT, bytes INTEGER NOT NULL, trace BLOB NOT NULL, lastmod INTEGER, release_id INTEGER NOT NULL,
  PRIMARY KEY (kind, page_key)) WITHOUT ROWID;
CREATE INDEX nb_page_index ON nb_page (fold);
CREATE TABLE nb_step (run BLOB NOT NULL, kind TEXT NOT NULL, page_key BLOB NOT NULL, phase INTEGER NOT NULL,
  action INTEGER NOT NULL, reason TEXT NOT NULL, route TEXT NOT NULL, start BLOB, prior TEXT, fold BLOB,
  PRIMARY KEY (run, kind, page_key)) WITHOUT ROWID;
CREATE INDEX nb_step_index ON nb_step (run, fold);
CREATE TABLE nb_intent (kind TEXT NOT NULL, page_key BLOB NOT NULL, route TEXT NOT NULL, start BLOB,
  PRIMARY KEY (kind, page_key)) WITHOUT ROWID;
CREATE TABLE nb_failed (kind TEXT NOT NULL, page_key BLOB NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
  place TEXT NOT NULL, PRIMARY KEY (kind, page_key)) WITHOUT ROWID;
CREATE TABLE nb_retired (object TEXT NOT NULL PRIMARY KEY, due_at INTEGER NOT NULL, items TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE nb_waiting (hash BLOB NOT NULL PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE nb_batch (id TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL, items TEXT NOT NULL, invalidation TEXT) WITHOUT ROWID;
CREATE TABLE nb_release (id INTEGER NOT NULL PRIMARY KEY, started_at INTEGER NOT NULL, finished_at INTEGER, report TEXT) WITHOUT ROWID;
CREATE TABLE nb_note (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE nb_lease (slot INTEGER NOT NULL PRIMARY KEY, holder TEXT, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO nightbake_meta VALUES ('id', 'the first'), ('version', '1');
INSERT INTO nb_lease VALUES (1, NULL, 0);
INSERT INTO nb_waiting VALUES (x'01', '/left/');
INSERT INTO nb_release VALUES (1, 1, 2, NULL);
INSERT INTO nb_retired VALUES ('gone/index.html', 7, '["/gone/"]');
INSERT INTO nb_page VALUES ('article', x'1501', '/a/', NULL, x'0102030405', NULL, NULL, 3, x'00', NULL, 1);`;

function typicalPage(key: number) {
  const reads = ["template", "row", "author", "near", "links"].map((name) => ({
    key: name,
    digest: digest(`${name} ${key}`),
  }));
  const trace = encodeTrace({ reads, uses: readersOf(key).map(({ read }) => read), refs: [] });
  const route = `/articles/how-we-moved-a-thousand-tables-${String(key).padStart(9, "0")}/`;
  return livePage({ ...article(key), route, trace });
}

interface Child {
  readonly process: ChildProcess;
  /** The next line it prints. */
  line(): Promise<string>;
  readonly exited: Promise<number | null>;
}

function start(...args: readonly string[]): Child {
  const script = join(import.meta.dirname, "ledger-child.ts");
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    process: child,
    line: async () => String((await lines.next()).value),
    exited: once(child, "exit").then(([code]) => code),
  };
}
