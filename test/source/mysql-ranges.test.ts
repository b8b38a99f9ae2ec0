import { expect, test } from "vitest";
import { type AnyTable, instant, int, json, oneOf, table, text } from "../../src/site.ts";
import type { KeyRange, RangeSum, Source } from "../../src/source/source.ts";
import { BRAND } from "../services/brand.ts";
import { describeWith } from "../services/requires.ts";
import { mysqlDatabase } from "./database.ts";
import { NOW } from "./samples.ts";

const ALL: KeyRange = { after: undefined };

const pairs = table("pairs", {
  key: "id",
  columns: {
    id: int(),
    a: text().nullable(),
    b: text().nullable(),
    kind: oneOf("x", "y").nullable(),
    at: instant().nullable(),
    stamp: instant().nullable(),
    data: json().nullable(),
  },
});
const SEE = Object.keys(pairs.columns);
/** Columns of three character sets and four collations; `other` is not declared. */
const PAIRS = `CREATE TABLE pairs (id BIGINT PRIMARY KEY, a TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
  b VARCHAR(99) CHARACTER SET latin1, kind VARCHAR(9) COLLATE ${BRAND.byteCollation}, at DATETIME(6),
  stamp TIMESTAMP(6) NULL, data JSON, other INT NULL)`;

async function sums(
  source: Source,
  ranges: readonly KeyRange[] = [ALL],
  see: readonly string[] = SEE,
  of: AnyTable = pairs,
): Promise<readonly RangeSum[]> {
  await using rows = await source.read(NOW);
  return (await rows.ranges?.sums(of, see, ranges)) ?? [];
}

async function sum(source: Source): Promise<string | undefined> {
  return (await sums(source))[0]?.text;
}

describeWith("shared-mariadb", "Sums of ranges", () => {
  test("differ wherever a value does, and nowhere else", async () => {
    await using database = await mysqlDatabase();
    await database.run(PAIRS, "INSERT INTO pairs (id) VALUES (1)");
    await using source = await database.source();
    const texts = [
      "NULL",
      "''",
      "'N'",
      "'NN'",
      "':'",
      "'0:'",
      "'1:'",
      "'a'",
      "'1:a'",
      "'a1:b'",
      "'A'",
      "'a '",
    ];
    const cut = [
      "a = 'a#', b = 'b'",
      "a = 'a', b = '#b'",
      "a = '1:a1:b', b = ''",
      "a = 'a;b', b = ''",
      "a = 'a', b = 'b;'",
      "a = '', b = '1:a1:b'",
    ];
    const times = ["2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-25 01:30:00.000001"];
    const changes = [
      ...texts.flatMap((a) => texts.map((b) => `a = ${a}, b = ${b}`)),
      ...cut,
      ...["kind = 'x'", "kind = 'N'", "data = '[1]'", "data = '1'", "a = REPEAT('ä', 70000)"],
      ...times.flatMap((each) => [`at = '${each}'`, `stamp = '${each}'`]),
    ];

    const seen = new Map<string | undefined, string>();
    for (const change of changes) {
      await database.run(
        "UPDATE pairs SET a = NULL, b = NULL, kind = NULL, at = NULL, stamp = NULL, data = NULL",
        `UPDATE pairs SET ${change}`,
      );
      const text = await sum(source);
      expect(seen.get(text), `${change} reads as`).toBeUndefined();
      seen.set(text, change);
    }
    const last = await sum(source);
    await database.run("UPDATE pairs SET other = 5");
    expect(await sum(source)).toBe(last);
  });

  test("differ when rows swap values, come or go, whatever order they were written in", async () => {
    await using database = await mysqlDatabase();
    const rows = ["(1, 'a', 'x')", "(2, 'b', 'x')", "(3, 'a', 'x')"];
    const write = (...values: readonly string[]) =>
      database.run("DELETE FROM pairs", `INSERT INTO pairs (id, a, b) VALUES ${values.join(", ")}`);
    await database.run(PAIRS);
    await using source = await database.source();
    const empty = await sum(source);

    await write(...rows);
    const first = await sum(source);
    await write(...rows.toReversed());
    expect(await sum(source)).toBe(first);
    await write("(1, 'b', 'x')", "(2, 'a', 'x')", "(3, 'a', 'x')");
    const swapped = await sum(source);
    await write("(1, 'a', 'x')", "(2, 'b', 'x')");
    const fewer = await sum(source);

    expect(new Set([empty, first, swapped, fewer]).size).toBe(4);
  });

  test("begin after a key and end with one: each row is in exactly one range", async () => {
    const tagged = table("tagged", {
      key: ["tag", "id"],
      columns: { tag: text({ max: 9 }), id: int() },
    });
    await using database = await mysqlDatabase();
    await database.run(
      `CREATE TABLE tagged (tag VARCHAR(9) COLLATE ${BRAND.byteCollation}, id BIGINT, PRIMARY KEY (tag, id))`,
      "INSERT INTO tagged VALUES ('', 1), ('A', 1), ('a', -1), ('a', 2), ('a', 10), ('a ', 1), ('ä', 1)",
    );
    await using source = await database.source();
    const bounds = [
      undefined,
      ["A", 1],
      ["a", 2],
      ["a", 5],
      ["a", 10],
      ["a ", 1],
      undefined,
    ] as const;
    const ranges = bounds.slice(1).map((upTo, at) => ({ after: bounds[at], upTo }));
    const ask = () => sums(source, ranges, ["tag", "id"], tagged);
    const before = await ask();

    expect(before.map(({ rows }) => rows)).toEqual([2, 2, 0, 1, 1, 1]);
    for (const [key, own] of [
      ["'A' AND id = 1", 0],
      ["'a' AND id = 2", 1],
      ["'ä' AND id = 1", 5],
    ] as const) {
      const old = await ask();
      await database.run(`DELETE FROM tagged WHERE tag = ${key}`);
      const now = await ask();
      const changed = now.flatMap(({ text }, at) => (text === old[at]?.text ? [] : [at]));
      expect(changed, key).toEqual([own]);
    }
  });

  test("differ when the same bytes become other text", async () => {
    await using database = await mysqlDatabase();
    await database.run(
      PAIRS,
      "INSERT INTO pairs (id, b) VALUES (1, CONVERT(X'C3A4' USING latin1))",
    );
    await using source = await database.source();
    const before = await sum(source);
    await database.run(
      "ALTER TABLE pairs MODIFY b VARBINARY(99)",
      "ALTER TABLE pairs MODIFY b VARCHAR(99) CHARACTER SET utf8mb4",
    );

    expect(await sum(source)).not.toBe(before);
  });
});
