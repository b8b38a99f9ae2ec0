import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AnyList,
  type AnyTable,
  bigint,
  bool,
  instant,
  int,
  json,
  type Key,
  oneOf,
  type Row,
  table,
  text,
} from "../../src/site.ts";
import type { Decoded, Place, Rows, Window } from "../../src/source/source.ts";
import { fill, type TestDatabase } from "./database.ts";
import { model, pick, placeOf, seen } from "./model.ts";
import { BIGINTS, INSTANTS, INTS, NOW, samples, TEXTS } from "./samples.ts";

const things = table("things", {
  key: "id",
  columns: {
    id: int(),
    name: text({ max: 100 }),
    body: text().nullable(),
    size: bigint(),
    flag: bool(),
    at: instant(),
    data: json(),
    kind: oneOf("a", "A", "b"),
  },
});

const THING = {
  id: 1,
  name: "",
  body: null,
  size: 0n,
  flag: false,
  at: 0,
  data: {},
  kind: "a",
};

/** What every Source must do, with the target that fills it. `open` gives an empty database. */
export function describeSource(technology: string, open: () => Promise<TestDatabase>): void {
  describe(`${technology} as a Source`, () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await open();
    });
    afterAll(() => database[Symbol.asyncDispose]());

    async function reading<T>(work: (rows: Rows) => Promise<T>): Promise<T> {
      await using source = await database.source();
      await using rows = await source.read(NOW);
      return await work(rows);
    }

    async function roundTrip(rows: readonly Row[]): Promise<readonly (Row | undefined)[]> {
      await database.run("DROP TABLE IF EXISTS things");
      await fill(database, things, rows);
      const see = Object.keys(things.columns);
      const read = await reading((each) =>
        each.scan(things, { see, after: undefined, limit: 1000 }),
      );
      return read.map(({ row }) => row);
    }

    test("gives back every text, number, instant and word as it was", async () => {
      const rows = [
        ...TEXTS.flatMap((each) => [{ name: each }, { body: each }]),
        ...INSTANTS.map((at) => ({ at })),
        ...BIGINTS.map((size) => ({ size })),
        { flag: true },
        { kind: "A" },
      ].map((each, at) => ({ ...THING, ...each, id: at }));

      expect(await roundTrip(rows)).toEqual(rows);
      const ints = INTS.map((id) => ({ ...THING, id }));
      expect(await roundTrip(ints)).toEqual(ints);
    });

    test("tells NULL from empty text", async () => {
      const rows = [{ body: null }, { body: "" }, { body: "null" }].map((each, id) => ({
        ...THING,
        ...each,
        id,
      }));

      expect(await roundTrip(rows)).toEqual(rows);
    });

    test("reads JSON with its members in one order, however they were written", async () => {
      const data = { b: [1, 0.5, 1e21, "\u2028😀\u0000"], a: { z: null, y: true } };

      const [row] = await roundTrip([{ ...THING, data }]);

      expect(JSON.stringify(row?.["data"])).toBe(
        JSON.stringify({ a: { y: true, z: null }, b: [1, 0.5, 1e21, "\u2028😀\u0000"] }),
      );
    });

    test("keeps a text of 16 MB", async () => {
      const body = "é'\\\n"
        .repeat((16 * 1024 * 1024) / 5)
        .padEnd(16 * 1024 * 1024 - 3_355_443, "x");

      const [row] = await roundTrip([{ ...THING, body }]);

      expect(Buffer.byteLength(body)).toBe(16 * 1024 * 1024);
      expect(row?.["body"] === body).toBe(true);
    });

    test("sees nothing that is written after it began to read", async () => {
      await roundTrip([THING]);
      await using source = await database.source();
      await using rows = await source.read(NOW);

      await database.run("DELETE FROM things");

      expect(await rows.isEmpty(things)).toBe(false);
      await using later = await source.read(NOW);
      expect(await later.isEmpty(things)).toBe(true);
    });

    test("answers as plain JavaScript over the same rows would", { timeout: 300_000 }, async () => {
      const property = fc.asyncProperty(samples, fc.gen(), async (sample, any) => {
        await database.run("DROP TABLE IF EXISTS samples");
        await fill(database, sample.table, sample.rows, [sample.list]);
        const says = model(sample.rows, NOW);
        const windows = Array.from({ length: 12 }, () => anyWindow(sample.list, sample.rows, any));
        const by = any(() =>
          fc.shuffledSubarray(Object.keys(sample.table.columns), { minLength: 1, maxLength: 2 }),
        );
        const tuples = anyTuples(sample.rows, by, any);
        const { table: made, list } = sample;
        const linked = Object.values(list.links).flatMap(({ columns }) => columns);
        const shown = [...list.see, ...(list.item?.key ?? []), ...linked];

        await using source = await database.source();
        await source.check([made], [list]);
        await using rows = await source.read(NOW);

        const limit = any(fc.integer, { min: 1, max: 20 });
        const visible = says.scan(made, list.visible);
        const scanned = await scanAll(rows, made, list, limit);
        expect(scanned).toEqual(visible.map((row) => seen(made, ["body"], row)));
        expect(await placesAll(rows, list, limit)).toEqual(says.places(list));
        expect((await rows.windows(list, windows)).map(rowsOf)).toEqual(
          windows.map((window) => says.window(list, window).map((row) => seen(made, shown, row))),
        );
        expect(await rows.placesIn(list, windows)).toEqual(
          windows.map((window) => says.window(list, window).map((row) => placeOf(list, row))),
        );
        const parts = windows.map(({ part }) => part);
        expect(await rows.counts(list, parts)).toEqual(
          parts.map((part) => says.window(list, { part, first: "oldest", limit: 1e9 }).length),
        );
        expect(inOrder(await rows.placesBy(list, by, tuples))).toEqual(
          inOrder(says.placesBy(list, by, tuples)),
        );
        const keys = [...sample.rows, ...sample.rows.slice(0, 1)].map((row) => pick(row, made.key));
        const found = await rows.rows(made, { see: ["body"], visible: list.visible, keys });
        expect(found.map((each) => each?.row)).toEqual(
          sample.rows
            .concat(sample.rows.slice(0, 1))
            .map((row) => (visible.includes(row) ? seen(made, ["body"], row) : undefined)),
        );
      });

      // A failure prints the seed; replay it with `fc.assert(property, { seed, path })`.
      await fc.assert(property, { numRuns: 60, endOnFailure: true });
    });

    test("finds no row by a key that only looks like another's", async () => {
      const pairs = table("pairs", {
        key: ["a", "b"],
        columns: { a: text({ max: 9 }), b: text({ max: 9 }) },
      });
      await fill(database, pairs, [
        { a: "x", b: "y " },
        { a: "É", b: "" },
      ]);
      const keys = [
        ["x", "y"],
        ["x", "y "],
        ["É", ""],
        ["E\u0301", ""],
        ["é", ""],
      ];

      const found = await reading((rows) => rows.rows(pairs, { see: [], keys }));

      expect(found.map((each) => each?.key)).toEqual([
        undefined,
        ["x", "y "],
        ["É", ""],
        undefined,
        undefined,
      ]);
    });

    test("reads a thousand windows and keys at once", async () => {
      const many = table("many", { key: "id", columns: { id: int(), name: text({ max: 9 }) } });
      const list: AnyList = { ...listOf(many), by: "name", order: ["id"] };
      const rows = Array.from({ length: 1234 }, (_, id) => ({ id, name: `n${id % 617}` }));
      await fill(database, many, rows, [list]);
      const windows = Array.from({ length: 1000 }, (_, at) => ({
        part: `n${at}`,
        first: "newest" as const,
        limit: 5,
      }));

      const [read, found] = await reading(async (each) => [
        await each.windows(list, windows),
        await each.rows(many, { see: ["name"], keys: rows.map(({ id }) => [id]).reverse() }),
      ]);

      expect(read.map((window) => window.map(({ key }) => key?.[0]))).toEqual(
        windows.map((_, at) => (at < 617 ? [at + 617, at] : [])),
      );
      expect(found.map((each) => each?.row)).toEqual(rows.toReversed());
    });

    test("names everything that is missing at once", async () => {
      await database.run("DROP TABLE IF EXISTS things");
      const fewer = table("things", { key: "id", columns: { id: int(), name: text({ max: 9 }) } });
      await fill(database, fewer, []);
      const absent = table("absent", { key: "id", columns: { id: int() } });
      await using source = await database.source();

      await expect(source.check([things, absent])).rejects.toMatchObject({
        code: "source_rejected",
        hint: expect.stringContaining("nightbake load"),
        problems: [
          ...["body", "size", "flag", "at", "data", "kind"].map((name) => ({
            place: `things.${name}`,
            message: "The column is missing.",
          })),
          { place: "absent", message: "The table is missing." },
        ],
      });
    });

    test("checks again once a statement failed on what was altered meanwhile", async () => {
      await database.run("DROP TABLE IF EXISTS things");
      const own = table("things", { key: "id", columns: { id: int(), size: int() } });
      await fill(database, own, []);
      await using source = await database.source();
      await source.check([own]);
      await source.check([own]);
      await database.run("ALTER TABLE things DROP COLUMN size");
      await using rows = await source.read(NOW);

      const query = { see: ["size"], after: undefined, limit: 1 };
      await expect(rows.scan(own, query)).rejects.toMatchObject({ code: "source_rejected" });
      await expect(source.check([own])).rejects.toMatchObject({
        problems: [{ place: "things.size", message: "The column is missing." }],
      });
    });

    test("refuses a declared key that is not the primary key, and a type that cannot be read", async () => {
      await database.run("DROP TABLE IF EXISTS things");
      const stored = table("things", {
        key: "name",
        columns: { id: int(), name: text({ max: 9 }) },
      });
      await fill(database, stored, []);
      const declared = table("things", { key: "id", columns: { id: int(), name: int() } });
      await using source = await database.source();

      await expect(source.check([declared])).rejects.toMatchObject({
        problems: [
          { place: "things.name", message: expect.stringContaining("cannot hold int") },
          { place: "things", message: "The primary key must be (id); it is (name)." },
        ],
      });
    });

    test("says that a table or a column went away", async () => {
      await database.run("DROP TABLE IF EXISTS things", "DROP TABLE IF EXISTS absent");
      const fewer = table("things", { key: "id", columns: { id: int() } });
      await fill(database, fewer, []);
      const absent = table("absent", { key: "id", columns: { id: int() } });
      const query = { see: [], after: undefined, limit: 1 };

      const rejected = { code: "source_rejected", hint: expect.any(String) };
      await expect(reading((rows) => rows.scan(absent, query))).rejects.toMatchObject(rejected);
      await expect(
        reading((rows) => rows.scan(things, { ...query, see: ["name"] })),
      ).rejects.toMatchObject(rejected);
    });

    test("refuses names that are no plain identifiers", async () => {
      const evil = table("things; DROP TABLE things", { key: "id", columns: { id: int() } });

      await expect(reading((rows) => rows.isEmpty(evil))).rejects.toMatchObject({
        code: "config_invalid",
      });
    });
  });
}

function listOf(made: AnyTable): AnyList {
  const cut = { by: "appendOnly", max: 50 } as const;
  const none = { by: undefined, visible: {}, item: undefined, links: {}, head: 20, cut };
  return { ...none, name: made.name, table: made, order: made.key, see: [] };
}

function rowsOf(decoded: readonly Decoded[]): readonly (Row | undefined)[] {
  return decoded.map(({ row, error }) => {
    if (error !== undefined) throw error;
    return row;
  });
}

async function scanAll(
  rows: Rows,
  made: AnyTable,
  { visible }: AnyList,
  limit: number,
): Promise<readonly (Row | undefined)[]> {
  const all: Decoded[] = [];
  for (let after: Key | undefined; ; after = all.at(-1)?.key) {
    const batch = await rows.scan(made, { see: ["body"], visible, after, limit });
    all.push(...batch);
    if (batch.length < limit) return rowsOf(all);
  }
}

async function placesAll(rows: Rows, list: AnyList, limit: number): Promise<readonly Place[]> {
  const all: Place[] = [];
  for (;;) {
    const batch = await rows.places(list, all.at(-1), limit);
    all.push(...batch);
    if (batch.length < limit) return all;
  }
}

/** A window whose partition and bounds are mostly those of rows; bounds may be shortened. */
function anyWindow(list: AnyList, rows: readonly Row[], any: fc.GeneratorValue): Window {
  const bound = (): Window["from"] => {
    const row = any(() => fc.constantFrom(undefined, ...rows));
    if (row === undefined) return undefined;
    const { order } = placeOf(list, row);
    const some = order.slice(0, any(fc.integer, { min: 1, max: order.length }));
    return some.includes(null) ? undefined : { order: some, isInclusive: any(fc.boolean) };
  };
  const parts = rows.map((row) => placeOf(list, row).part);
  const [from, to] = [bound(), bound()];
  return {
    part: any(() => fc.constantFrom(null, ...parts)),
    ...(from && { from }),
    ...(to && { to }),
    first: any(() => fc.constantFrom("oldest", "newest")),
    limit: any(fc.integer, { min: 1, max: 9 }),
  };
}

/** Values of some rows' columns, mixed with each other's; NULL is never asked for. */
function anyTuples(
  rows: readonly Row[],
  columns: readonly string[],
  any: fc.GeneratorValue,
): readonly Key[] {
  const tuples = Array.from(
    { length: rows.length === 0 ? 0 : any(fc.integer, { min: 0, max: 12 }) },
    () => columns.map((name) => any(() => fc.constantFrom(...rows.map((row) => row[name])))),
  );
  return tuples.filter((tuple) => !tuple.includes(null)) as unknown as readonly Key[];
}

function inOrder(places: readonly Place[]): readonly Place[] {
  const text = ({ part, order }: Place) => [part, ...order].map(String).join("|");
  return places.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}
