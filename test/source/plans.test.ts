import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AnyList,
  appendOnly,
  instant,
  int,
  link,
  list,
  oneOf,
  path,
  table,
  text,
} from "../../src/site.ts";
import type { Dialect, Statement } from "../../src/source/dialect.ts";
import { flavourOf } from "../../src/source/flavour.ts";
import { readCatalog } from "../../src/source/mysql-catalog.ts";
import { type MysqlConnection, mysqlPool } from "../../src/source/mysql-connection.ts";
import { mysqlDialect } from "../../src/source/mysql-dialect.ts";
import type { Window } from "../../src/source/source.ts";
import {
  countStatement,
  type Moment,
  placeColumns,
  placesByStatement,
  placesStatement,
  rowsStatement,
  scanStatement,
  windowStatement,
} from "../../src/source/sql.ts";
import { sqliteConnection } from "../../src/source/sqlite-connection.ts";
import { SQLITE } from "../../src/source/sqlite-dialect.ts";
import { BRAND } from "../services/brand.ts";
import { describeWith } from "../services/requires.ts";
import { fill, mysqlDatabase, sqliteDatabase } from "./database.ts";
import { NOW } from "./samples.ts";

const posts = table("posts", {
  key: "id",
  columns: {
    id: int(),
    tag: text({ max: 50 }),
    status: oneOf("draft", "published"),
    at: instant(),
    until: instant().nullable(),
    author: text({ max: 50 }),
    other: int(),
    kind: oneOf("a", "b"),
    body: text(),
  },
});

const pairs = table("pairs", { key: ["a", "b"], columns: { a: text({ max: 9 }), b: int() } });

const visible = { show: { status: "published" }, from: "at", until: "until" } as const;
const order = ["at", "id"] as const;
const recent = list(posts, { order, ...visible, cut: appendOnly() });
const byTag = list(posts, { by: "tag", order, ...visible, cut: appendOnly() });
const plain = list(posts, { by: "tag", order, name: "plain", cut: appendOnly() });
const linked = list(posts, {
  by: "tag",
  order,
  ...visible,
  name: "linked",
  see: ["body"],
  item: link("post", "kind", "other"),
  links: (row) => ({
    author: path`/authors/${row.author}/`,
    other: path`/others/${row.other}/`,
  }),
  cut: appendOnly(),
});

const COUNT = 12_000;
/** Ten posts a second, so that a place is more than its moment. */
const at = (id: number) => NOW - (COUNT - Math.floor(id / 10)) * 1_000_000;

const rows = Array.from({ length: COUNT }, (_, id) => ({
  id,
  tag: id % 4 === 0 ? "small" : id % 1000 === 1 ? `rare${id % 7}` : "big",
  status: id % 50 === 0 ? "draft" : "published",
  at: at(id),
  until: null,
  author: `author ${id % 2000}`,
  other: id % 3000,
  kind: id % 2 === 0 ? "a" : "b",
  body: "x".repeat(100),
}));

const MIDDLE = { order: [at(COUNT / 2), COUNT / 2], isInclusive: false };
const LATE = { order: [at(COUNT - 100), COUNT - 100], isInclusive: true };
const SECOND = { order: [at(COUNT / 2)], isInclusive: true };
const LIMIT = 20;

const windows: readonly Omit<Window, "part" | "limit">[] = (["oldest", "newest"] as const).flatMap(
  (first) => [
    { first },
    { first, from: MIDDLE },
    { first, to: MIDDLE },
    { first, from: MIDDLE, to: LATE },
    { first, from: SECOND },
    { first, to: SECOND },
  ],
);

const authors = Array.from({ length: 20 }, (_, n) => [`author ${n * 7}`]);
const others = Array.from({ length: 20 }, (_, n) => [n * 7]);
const many = Array.from({ length: 500 }, (_, n) => [`author ${n}`]);
const items = others.map(([n = 0]) => [n % 2 === 0 ? "a" : "b", n]);

/** How the entries that lead to pages are found. */
const FINDING: Readonly<Record<string, (moment: Moment) => Statement>> = {
  "places by item": (moment) => placesByStatement(moment, linked, ["kind", "other"], items),
  "places by one item": (moment) =>
    placesByStatement(moment, linked, ["kind", "other"], [["a", 8]]),
  "places by text": (moment) => placesByStatement(moment, linked, ["author"], authors),
  "places by many": (moment) => placesByStatement(moment, linked, ["author"], many),
  "places by number": (moment) => placesByStatement(moment, linked, ["other"], others),
  "places by none that is there": (moment) =>
    placesByStatement(moment, linked, ["author"], [["x"]]),
};

/** Every statement that must be a range of an index, by a name that says what it is. */
const STATEMENTS: Readonly<Record<string, (moment: Moment) => Statement>> = {
  "scan from the middle": (moment) =>
    scanStatement(moment, posts, ["id", "body"], { visible, after: [COUNT / 2], limit: LIMIT }),
  "scan of pairs": (moment) =>
    scanStatement(moment, pairs, ["a", "b"], { after: ["a3", 500], limit: LIMIT }),
  rows: (moment) => rowsStatement(moment, posts, ["id"], { visible, keys: [[1], [5000], [COUNT]] }),
  ...FINDING,
  "rows of pairs": (moment) =>
    rowsStatement(moment, pairs, ["a", "b"], { keys: pairKeys.slice(0, LIMIT) }),
  ...Object.fromEntries(
    [recent, byTag, plain, linked].flatMap((each) => [
      [
        `places of ${each.name}`,
        (moment: Moment) => placesStatement(moment, each, place(each), LIMIT),
      ],
      ...windows.map((window) => [
        `places in ${each.name} ${JSON.stringify(window)}`,
        (moment: Moment) => {
          const own = { ...window, part: "big", limit: LIMIT };
          return windowStatement(moment, each, placeColumns(each), own);
        },
      ]),
      ...windows.map((window) => [
        `window of ${each.name} ${JSON.stringify(window)}`,
        (moment: Moment) =>
          windowStatement(moment, each, ["id", "body"], { ...window, part: "big", limit: LIMIT }),
      ]),
    ]),
  ),
};

const pairRows = Array.from({ length: 3000 }, (_, b) => ({ a: `a${b % 5}`, b }));
const pairKeys = pairRows.map(({ a, b }) => [a, b]);

function place(of: AnyList) {
  return { part: of.by === undefined ? null : "big", order: MIDDLE.order };
}

async function fillAll(database: Parameters<typeof fill>[0]): Promise<void> {
  await fill(database, posts, rows, [recent, byTag, plain, linked]);
  await fill(database, pairs, pairRows);
}

describe("SQLite plans", () => {
  let plan: (statement: Statement) => string;
  const open = sqliteDatabase();
  beforeAll(async () => {
    const database = await open;
    await fillAll(database);
    const connection = sqliteConnection(database.at, { readOnly: true });
    plan = ({ select, sql, params }) =>
      connection
        .all(`EXPLAIN QUERY PLAN SELECT ${select.join(", ")} ${sql}`, params)
        .map((row) => row[3])
        .join("\n");
  });
  afterAll(async () => (await open)[Symbol.asyncDispose]());

  test.each(Object.entries(STATEMENTS))("%s", (name, build) => {
    const statement = build({ dialect: SQLITE, now: NOW });
    const steps = plan(statement);

    expect(steps).toMatch(/^SEARCH (posts|pairs) USING/);
    expect(steps).not.toMatch(/TEMP B-TREE|SCAN (posts|pairs)|MULTI-INDEX/);
    if (name in FINDING) expect(steps).toMatch(/USING INDEX posts_(kind_other|author|other) \(/);
    // Every column of a tuple is part of the range, not only the first.
    for (const [, tuple = ""] of statement.sql.matchAll(/ \(("\w+"(?:, "\w+")+)\) [<>]/g)) {
      expect(steps).toContain(`(${tuple.replaceAll('"', "").replaceAll(" ", "")})`);
    }
  });

  test("the entries of a partition are counted along the list's index", () => {
    const steps = plan(countStatement({ dialect: SQLITE, now: NOW }, byTag, "big"));

    expect(steps).toMatch(/^SEARCH posts USING (COVERING )?INDEX/);
  });
});

describeWith("shared-mariadb", "MariaDB plans", () => {
  const open = mysqlDatabase();
  let pool: ReturnType<typeof mysqlPool>;
  let connection: MysqlConnection;
  let dialect: Dialect;
  let explain: string;
  beforeAll(async () => {
    const database = await open;
    await fillAll(database);
    pool = mysqlPool(database.at);
    connection = await pool.connect();
    explain = (await flavourOf(connection)).words.explain;
    dialect = mysqlDialect(await readCatalog(connection));
  });
  afterAll(async () => {
    await connection.release();
    await pool[Symbol.asyncDispose]();
    await (await open)[Symbol.asyncDispose]();
  });

  test.each(Object.entries(STATEMENTS))("%s", async (name, build) => {
    const { select, sql, params } = build({ dialect, now: NOW });
    const text = `SELECT ${select.join(", ")} ${sql}`;

    const steps = await connection.all(`${explain} ${text}`, params);
    await connection.run("FLUSH STATUS");
    const found = await connection.all(text, params);
    const touched = await connection.all("SHOW SESSION STATUS LIKE 'Handler_read%'");

    expect(steps.map((step) => step[BRAND.flavour === "mysql" ? 4 : 3])).toEqual([
      expect.stringMatching(/^(range|ref)$/),
    ]);
    expect(String(steps[0]?.at(-1))).not.toMatch(/filesort|temporary/);
    // One look-up for each range or key, then what is asked for; a few drafts are passed over.
    const sum = touched.reduce((total, [, count]) => total + Number(count), 0);
    const keys = name in FINDING ? params.length : 0;
    expect(sum).toBeLessThanOrEqual(1.1 * Math.max(found.length, 3) + keys + 8);
  });
});
