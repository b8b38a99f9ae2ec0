import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AnyTable,
  appendOnly,
  bigint,
  bool,
  firstOf,
  instant,
  int,
  json,
  type Key,
  list,
  oneOf,
  type Row,
  table,
  text,
} from "../../src/site.ts";
import { type LoadCounts, type LoadProgress, load } from "../../src/source/load.ts";
import { corpus } from "../corpus.ts";
import type { TestDatabase } from "./database.ts";
import { articles, articleTags, demoLists, demoTables } from "./demo-tables.ts";
import { NOW } from "./samples.ts";

const CORPUS = fileURLToPath(new URL("../../../shared/corpus/", import.meta.url));

const notes = table("notes", {
  key: "id",
  columns: {
    id: int(),
    title: text({ max: 5 }),
    body: text().nullable(),
    tags: json<readonly string[]>(),
    main_tag: text({ max: 9 }).nullable().from(firstOf("tags")),
    at: instant(),
    size: bigint().nullable(),
    flag: bool().nullable(),
    kind: oneOf("a", "b").nullable(),
  },
});

const noteTags = table("note_tags", {
  key: ["tag", "note_id"],
  columns: { tag: text({ max: 9 }), note_id: int(), at: instant() },
  fill: { of: notes, each: "tags", as: "tag", copy: { note_id: "id", at: "at" } },
});

const byTag = list(noteTags, { by: "tag", order: ["at", "note_id"], cut: appendOnly() });
const TABLES = [notes, noteTags];

const NOTE = { id: 1, title: "one", tags: ["x", "y", "x"], at: "2026-08-15T12:15:58Z" };

/** What `load` must do to every target. `open` gives an empty database. */
export function describeLoad(technology: string, open: () => Promise<TestDatabase>): void {
  describe(`${technology} as a target of load`, () => {
    let database: TestDatabase;
    let dir: string;
    beforeAll(async () => {
      database = await open();
      dir = mkdtempSync(join(tmpdir(), "nightbake-load-"));
    });
    afterAll(async () => {
      await database[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    });

    /** Loads lines as they are, or objects as lines, as the only file. */
    async function loadNotes(
      rows: readonly (string | object)[],
      options: { readonly tables?: readonly AnyTable[]; readonly signal?: AbortSignal } = {},
    ): Promise<readonly LoadCounts[]> {
      const lines = rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row)));
      writeFileSync(join(dir, "notes.ndjson"), lines.join("\n"));
      await using target = await database.target();
      return await load({ dir, tables: TABLES, lists: [byTag], target, ...options });
    }

    async function stored(from: AnyTable): Promise<readonly (Row | undefined)[]> {
      await using source = await database.source();
      await using rows = await source.read(NOW);
      const see = Object.keys(from.columns);
      const read = await rows.scan(from, { see, after: undefined, limit: 10_000 });
      return read.map(({ row }) => row);
    }

    test("makes tables and rows out of files, fills columns and listing tables", async () => {
      const second = {
        ...{
          id: 0,
          title: "É😀\u2028\u0000x",
          body: "",
          tags: [],
          at: "2010-10-22T15:33:15.000001Z",
        },
        ...{ size: "-9223372036854775808", flag: true, kind: "b", unknown: { a: 1 } },
      };

      const counts = await loadNotes([NOTE, "", second]);

      expect(counts).toEqual([
        { table: "notes", inserted: 2, updated: 0, deleted: 0, unchanged: 0 },
        { table: "note_tags", inserted: 2, updated: 0, deleted: 0, unchanged: 0 },
      ]);
      const at = Date.UTC(2026, 7, 15, 12, 15, 58) * 1000;
      const nothing = { body: null, size: null, flag: null, kind: null };
      const { unknown: _, ...rest } = second;
      const early = Date.UTC(2010, 9, 22, 15, 33, 15) * 1000 + 1;
      expect(await stored(notes)).toEqual([
        { ...rest, size: -(2n ** 63n), at: early, main_tag: null },
        { ...NOTE, ...nothing, at, main_tag: "x" },
      ]);
      expect(await stored(noteTags)).toEqual([
        { tag: "x", note_id: 1, at },
        { tag: "y", note_id: 1, at },
      ]);
      await using source = await database.source();
      await source.check(TABLES, [byTag]);
    });

    test("writes only what differs, and deletes what is in no file", async () => {
      const rows = Array.from({ length: 1200 }, (_, id) => ({ ...NOTE, id }));
      await loadNotes(rows.toReversed());

      const edited = rows.slice(100).map((row) => (row.id === 700 ? { ...row, tags: ["z"] } : row));
      const counts = await loadNotes([...edited, { ...NOTE, id: 5000 }]);
      const again = await loadNotes([{ ...NOTE, id: 5000 }, ...edited]);

      expect(counts).toEqual([
        { table: "notes", inserted: 1, updated: 1, deleted: 100, unchanged: 1099 },
        { table: "note_tags", inserted: 3, updated: 0, deleted: 202, unchanged: 2198 },
      ]);
      expect(again.map(({ unchanged }) => unchanged)).toEqual([1101, 2201]);
      const ids = (await stored(notes)).map((row) => row?.["id"]);
      expect(ids).toEqual([...Array.from({ length: 1100 }, (_, at) => at + 100), 5000]);
    });

    test("takes 64-bit numbers as numbers, with all digits", async () => {
      const text = JSON.stringify(NOTE).replace("{", '{"size":9007199254740993,');

      await loadNotes([text]);

      expect((await stored(notes)).map((row) => row?.["size"])).toEqual([9007199254740993n]);
    });

    test("refuses every bad line at once, and changes nothing", async () => {
      await loadNotes([NOTE]);
      const before = await stored(notes);
      const bad: readonly (string | object)[] = [
        { ...NOTE, id: 2 },
        "{",
        "[1]",
        { ...NOTE, id: 2 ** 53, title: undefined, tags: "x" },
        { ...NOTE, id: 3, title: "é😀😀😀😀😀", at: "2026-02-30T00:00:00Z" },
        { ...NOTE, id: 4, flag: "yes", kind: "c", size: 1.5, at: "2026-08-15 12:15:58" },
        '{"id":5,"title":"\\ud800","tags":["\\udfff"],"at":"2026-08-15T12:15:58Z"}',
        { ...NOTE, id: 2 },
      ];

      await expect(loadNotes(bad)).rejects.toMatchObject({
        code: "input_invalid",
        message: expect.stringMatching(/^7 rows .* so nothing was\. notes\.ndjson:2: /),
        problems: [
          { place: "notes.ndjson:2", message: "The line is not JSON in UTF-8." },
          { place: "notes.ndjson:3", message: "The line is not a JSON object." },
          {
            place: "notes.ndjson:4",
            message:
              "id is not a whole number between ±2^53; title is missing or null and is not declared nullable; main_tag is filled from tags, which is no array.",
          },
          {
            place: "notes.ndjson:5",
            message:
              "title is longer than 5 characters; at is not a time such as 2026-08-15T12:15:58Z, or one that cannot be kept exactly.",
          },
          {
            place: "notes.ndjson:6",
            message:
              "at is not a time such as 2026-08-15T12:15:58Z, or one that cannot be kept exactly; size is not a whole number of 64 bits; flag is neither true nor false; kind is none of a, b.",
          },
          {
            place: "notes.ndjson:7",
            message:
              "title holds half of a surrogate pair; tags holds JSON with half of a surrogate pair; main_tag holds half of a surrogate pair.",
          },
          { place: "notes.ndjson:8", message: "The key 2 occurs twice in notes." },
        ],
      });
      expect(await stored(notes)).toEqual(before);
    });

    test("tells the first twenty bad lines and the number of all", async () => {
      const lines = Array.from({ length: 45 }, () => "{");

      const error = await loadNotes(lines).catch((each: unknown) => each);

      expect(error).toMatchObject({ message: expect.stringContaining("45 rows") });
      expect(error).toHaveProperty("problems.length", 20);
    });

    test("a listing that cannot be made takes the whole load back", async () => {
      await loadNotes([NOTE]);
      const before = await stored(notes);

      await expect(
        loadNotes([{ ...NOTE, tags: ["x", 7] }], {
          tables: [{ ...notes, columns: untagged() }, noteTags],
        }),
      ).rejects.toMatchObject({
        code: "input_invalid",
        problems: [{ place: "notes/1.tags", message: "An element is not text." }],
      });
      expect(await stored(notes)).toEqual(before);
    });

    test("leaves a table without file and fill alone, and fills from a table without file", async () => {
      await loadNotes([NOTE, { ...NOTE, id: 2 }]);
      const other = table("other", { key: "id", columns: { id: int() } });
      await rm(join(dir, "notes.ndjson"));
      writeFileSync(join(dir, "other.ndjson.gz"), gzipSync('{"id":1}\n'));
      await database.run("DELETE FROM note_tags");
      await using target = await database.target();

      const counts = await load({ dir, tables: [notes, other, noteTags], lists: [], target });

      await rm(join(dir, "other.ndjson.gz"));
      expect(counts.map(({ table: name, inserted }) => [name, inserted])).toEqual([
        ["other", 1],
        ["note_tags", 4],
      ]);
      expect(await stored(notes)).toHaveLength(2);
    });

    test("refuses a table that has other columns", async () => {
      await database.run(
        "DROP TABLE IF EXISTS strange",
        "CREATE TABLE strange (id INT PRIMARY KEY)",
      );
      const strange = table("strange", { key: "id", columns: { id: int(), name: text() } });
      writeFileSync(join(dir, "strange.ndjson"), '{"id":1,"name":"x"}');
      await using target = await database.target();

      const loading = load({ dir, tables: [strange], lists: [], target });

      await expect(loading).rejects.toMatchObject({
        code: "source_rejected",
        problems: [{ place: "strange.name", message: "The column is missing." }],
      });
      await rm(join(dir, "strange.ndjson"));
    });

    test("stops when told so, and takes everything back", async () => {
      await loadNotes([NOTE]);
      const stop = new AbortController();
      const seen: LoadProgress[] = [];
      const rows = Array.from({ length: 2000 }, (_, id) => ({ ...NOTE, id }));
      writeFileSync(join(dir, "notes.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n"));
      await using target = await database.target();

      const loading = load({
        ...{ dir, tables: TABLES, lists: [], target, signal: stop.signal },
        onProgress(progress) {
          seen.push(progress);
          if (progress.total !== undefined && progress.rows >= 1000) stop.abort();
        },
      });

      await expect(loading).rejects.toMatchObject({ code: "interrupted" });
      expect(seen.map(({ rows: done, total }) => [done, total])).toEqual([
        ...[500, 1000, 1500, 2000].map((done) => [done, undefined]),
        [500, 2000],
        [1000, 2000],
      ]);
      expect(await stored(notes)).toHaveLength(1);
    });

    test("loads the corpus as it is, and a second time changes nothing", async () => {
      const run = async () => {
        await using target = await database.target();
        return await load({ dir: CORPUS, tables: demoTables, lists: demoLists, target });
      };

      const [first, second] = [await run(), await run()];

      const sizes = [4179, 1526, 41_140, 8284, 8913];
      expect(first.map(({ inserted }) => inserted)).toEqual(sizes);
      expect(second.map(({ unchanged }) => unchanged)).toEqual(sizes);
      expect(
        second.every(({ inserted, updated, deleted }) => inserted + updated + deleted === 0),
      ).toBe(true);
      await using source = await database.source();
      await source.check(demoTables, demoLists);
      await using rows = await source.read(NOW);
      let after: Key | undefined;
      for await (const batch of batches(corpus<Row>("articles"), 500)) {
        const see = Object.keys(articles.columns);
        const read = await rows.scan(articles, { see, after, limit: 500 });
        expect(read.map(({ row }) => row)).toEqual(batch.map(asArticle));
        after = read.at(-1)?.key;
      }
      const tagged = await rows.scan(articleTags, { see: [], after: ["analytics", 0], limit: 1 });
      const capital = await rows.scan(articleTags, { see: [], after: ["Analytics", 0], limit: 1 });
      expect([tagged, capital].map(([each]) => each?.key?.[0])).toEqual(["analytics", "Analytics"]);
    });
  });
}

/** Like `notes`, but with `tags` of anything and no column filled from them. */
function untagged() {
  return { ...notes.columns, main_tag: text({ max: 9 }).nullable() };
}

function asArticle(row: Row): Row {
  const tags = row["tags"] as readonly string[];
  const at = (name: string) => Date.parse(String(row[name])) * 1000;
  const times = {
    published_at: at("published_at"),
    updated_at: at("updated_at"),
    expires_at: null,
  };
  return { ...row, ...times, main_tag: tags[0] ?? null };
}

async function* batches<T>(rows: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
