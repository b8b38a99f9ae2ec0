import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { int, type Key, table, text } from "../../src/site.ts";
import { openSqliteSource } from "../../src/source/sqlite-source.ts";
import { listed, loose, looseList, verdicts } from "./bad-rows.ts";
import { sqliteDatabase } from "./database.ts";
import { NOW } from "./samples.ts";
import { describeSource } from "./source-contract.ts";

describeSource("SQLite", sqliteDatabase);

const CREATE_LOOSE =
  "CREATE TABLE loose (id INTEGER NOT NULL PRIMARY KEY, title TEXT, size INT, flag INT, at INT, data TEXT, kind TEXT)";

test("SQLite: a bad value spoils its row only, and is named", async () => {
  await using database = await sqliteDatabase();
  await database.run(
    CREATE_LOOSE,
    "INSERT INTO loose VALUES (1, 'good', 5, 1, 7, '[1]', 'a')",
    "INSERT INTO loose VALUES (2, NULL, 'x', 2, 1.5, '{', 'c')",
    "INSERT INTO loose VALUES (3, CAST(x'61eda080' AS TEXT), 1, 0, 7, NULL, 'b')",
    "INSERT INTO loose VALUES (4, char(65533), 1, 0, 8, '\"\\ud800\"', 'b')",
    "INSERT INTO loose VALUES (5, x'61', 1, NULL, 'text', '1e999', 'b')",
    "INSERT INTO loose VALUES (6, char(65533), 1, 0, 9223372036854775807, NULL, 'b')",
    "INSERT INTO loose VALUES (9007199254740993, 'beyond', 1, 0, 1, NULL, 'b')",
    "INSERT INTO loose VALUES (7, char(65533), 1, 0, NULL, NULL, 'b')",
  );
  await using source = await database.source();
  await source.check([loose], [looseList]);

  expect(await verdicts(source)).toEqual({
    1: "ok",
    2: "title holds NULL and is not declared nullable; size holds text; flag holds neither 0 nor 1; at holds a fraction; data holds text that is not JSON; kind holds none of a, b",
    3: "title holds bytes that are not UTF-8 text",
    4: "data holds JSON with half of a surrogate pair",
    5: "title holds bytes that are not UTF-8 text; flag holds NULL and is not declared nullable; at holds text; data holds JSON with a number that is too large",
    6: "at holds microseconds beyond ±2^53 that a number cannot represent",
    7: "at holds NULL and is not declared nullable",
    undefined: "id holds a number beyond ±2^53; declare it bigint",
  });
  await using rows = await source.read(NOW);
  expect(await listed(rows)).toEqual({
    places: [1, 3, 4],
    entries: [
      "id holds a number beyond ±2^53; declare it bigint",
      "title holds NULL and is not declared nullable",
      "ok",
      "title holds bytes that are not UTF-8 text",
      "ok",
      "ok",
      "title holds bytes that are not UTF-8 text",
    ],
  });
});

test("SQLite: bad keys in a row do not stop a scan or a walk over places", async () => {
  await using database = await sqliteDatabase();
  await database.run(
    CREATE_LOOSE,
    `INSERT INTO loose WITH RECURSIVE n(n) AS (SELECT -9007199254741100 UNION ALL SELECT n + 1 FROM n WHERE n < -9007199254740900)
     SELECT n, 'good', 1, 1, 1, NULL, 'a' FROM n`,
  );
  await using source = await database.source();
  await using rows = await source.read(NOW);

  const ids: unknown[] = [];
  let bad = 0;
  for (let after: Key | undefined, calls = 0; calls < 50; calls += 1) {
    const batch = await rows.scan(loose, { see: [], after, limit: 7 });
    bad += batch.filter(({ error }) => error !== undefined).length;
    ids.push(...batch.flatMap(({ row }) => row?.["id"] ?? []));
    after = batch.at(-1)?.key;
    if (batch.length < 7) break;
  }

  expect(bad).toBe(109);
  expect(ids).toEqual(Array.from({ length: 92 }, (_, at) => Number.MIN_SAFE_INTEGER + at));
  expect((await rows.places(looseList, undefined, 5)).map(({ order }) => order[1])).toEqual(
    ids.slice(0, 5),
  );
});

test("SQLite: a file that is missing or no database says what to do", async () => {
  await using database = await sqliteDatabase();
  const missing = `${database.at}.missing`;
  const other = `${database.at}.other`;
  writeFileSync(other, "this is no database, only some text\n".repeat(100));

  await expect(openSqliteSource(missing)).rejects.toMatchObject({
    code: "source_rejected",
    message: "The database file does not exist or cannot be opened.",
    hint: expect.stringContaining("npm run bake"),
    at: { file: missing },
  });
  await using source = await openSqliteSource(other);
  await expect(source.read(NOW)).rejects.toMatchObject({
    code: "source_rejected",
    message: "The database file refuses: it is no SQLite database.",
  });
});

test("SQLite: a table with another collation is refused", async () => {
  await using database = await sqliteDatabase();
  await database.run("CREATE TABLE t (id INT PRIMARY KEY, name TEXT COLLATE NOCASE)");
  const declared = table("t", { key: "name", columns: { id: int(), name: text({ max: 9 }) } });
  await using source = await database.source();

  await expect(source.check([declared])).rejects.toMatchObject({
    problems: [
      { place: "t.name", message: expect.stringContaining("COLLATE NOCASE") },
      { place: "t", message: "The primary key must be (name); it is (id)." },
    ],
  });
});
