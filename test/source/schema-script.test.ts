import { expect, test } from "vitest";
import demo from "../../site.config.ts";
import {
  appendOnly,
  instant,
  int,
  json,
  list,
  listsOf,
  type Site,
  table,
  tablesOf,
  text,
} from "../../src/site.ts";
import { mysqlPool } from "../../src/source/mysql-connection.ts";
import { emptyMysql, scriptedMysql } from "../../src/source/mysql-script.ts";
import { type Scripted, type ScriptStep, schemaScript } from "../../src/source/schema-script.ts";
import { sqliteConnection } from "../../src/source/sqlite-connection.ts";
import { scriptedSqlite } from "../../src/source/sqlite-script.ts";
import { BRAND } from "../services/brand.ts";
import { describeWith } from "../services/requires.ts";
import { fill, mysqlDatabase, sqliteDatabase, type TestDatabase } from "./database.ts";

const posts = table("posts", {
  key: "id",
  columns: { id: int(), title: text(), tags: json<readonly string[]>(), at: instant() },
});

const tagged = table("post_tags", {
  key: ["tag", "post_id"],
  columns: { tag: text({ max: 10 }), post_id: int(), title: text(), at: instant() },
  fill: { of: posts, each: "tags", as: "tag", copy: { post_id: "id", title: "title", at: "at" } },
});

const byTag = list(tagged, { by: "tag", order: ["at", "post_id"], cut: appendOnly() });

const tags = ["a", "A", "a ", "ä", "a", "日本", "x".repeat(10)];
const rows = [
  { id: 1, title: "One", tags, at: 1_700_000_000_123_456 },
  { id: 2, title: "Two", tags: [], at: 1_700_000_000_000_000 },
  { id: 3, title: "Three", tags: ["a"], at: 1_700_000_000_000_000 },
];

/** What `load` makes of the rows. */
const filled = rows.flatMap(({ id: post_id, title, at, tags: own }) =>
  [...new Set(own)].map((tag) => ({ tag, post_id, title, at })),
);

const sqlOf = (steps: readonly ScriptStep[]) => steps.flatMap(({ sql }) => sql ?? []);
const script = (scripted: Scripted) => schemaScript(scripted, [posts, tagged], [byTag]);

async function withMysql<T>(at: string, work: (scripted: Scripted) => Promise<T>): Promise<T> {
  await using pool = mysqlPool(at);
  const connection = await pool.connect();
  try {
    return await work(await scriptedMysql(connection));
  } finally {
    await connection.release();
  }
}

/** Rows of the listing table through the source, so that what is compared is what builds see. */
async function listed(database: TestDatabase): Promise<readonly unknown[]> {
  await using source = await database.source();
  await source.check([posts, tagged], [byTag]);
  await using read = await source.read(0);
  const see = Object.keys(tagged.columns);
  const found = await read.scan(tagged, { see, after: undefined, limit: 100 });
  return found.map(({ row }) => row);
}

const sorted = (some: readonly unknown[]) => some.map((each) => JSON.stringify(each)).sort();
const whole = (some: readonly unknown[]) =>
  sorted(
    (some as typeof filled).map(({ tag, post_id, title, at }) => ({ tag, post_id, title, at })),
  );

test("SQLite runs the script of an empty file, and then lacks nothing", async () => {
  await using database = await sqliteDatabase();
  await fill(database, posts, rows);
  const diff = async () => {
    const connection = sqliteConnection(database.at, { readOnly: true });
    return await script(scriptedSqlite(connection)).finally(() => connection.close());
  };
  await database.run(...sqlOf(await diff()));

  expect(whole(await listed(database))).toEqual(whole(filled));
  expect(await diff()).toEqual([]);
});

describeWith("shared-mariadb", "scripts for MariaDB", () => {
  const diffOf = (database: TestDatabase) => withMysql(database.at, script);

  test("an empty database becomes what the demo site declares", async () => {
    await using database = await mysqlDatabase();
    const { kinds }: Site = demo;
    const [tables, lists] = [tablesOf(kinds), listsOf(kinds)];

    await database.run(
      ...sqlOf(await schemaScript(emptyMysql(BRAND.byteCollation), tables, lists)),
    );

    expect(
      await withMysql(database.at, (found) => schemaScript(found, tables, lists)),
    ).toMatchObject([{ place: "article_tags", why: expect.stringContaining("An empty") }]);
  });

  test("a new listing table holds what load would have put there", async () => {
    await using database = await mysqlDatabase();
    await fill(database, posts, rows);

    await database.run(...sqlOf(await diffOf(database)));

    expect(whole(await listed(database))).toEqual(whole(filled));
    expect(await diffOf(database)).toEqual([]);
  });

  test("instants are copied whatever form they have in either table", async () => {
    await using database = await mysqlDatabase();
    await database.run(
      "CREATE TABLE posts (id INT PRIMARY KEY, title TEXT, tags JSON, at BIGINT)",
      `INSERT INTO posts VALUES (1, 'One', '["a"]', 1700000000123456)`,
    );

    await database.run(...sqlOf(await diffOf(database)));

    expect(await listed(database)).toMatchObject([{ tag: "a", at: 1_700_000_000_123_456 }]);
  });

  test("an element that does not fit ends the backfill", async () => {
    await using database = await mysqlDatabase();
    await fill(database, posts, [{ ...rows[0], tags: ["x".repeat(11)] } as never]);
    const steps = sqlOf(await diffOf(database));

    await expect(database.run("SET sql_mode = 'STRICT_ALL_TABLES'", ...steps)).rejects.toThrow();
  });

  test("what is other is told with the statement, and as a risk where values may be lost", async () => {
    await using database = await mysqlDatabase();
    await database.run(
      `CREATE TABLE posts (id INT, title INT, tags JSON, extra INT)`,
      `CREATE TABLE post_tags (tag VARCHAR(10) COLLATE utf8mb4_general_ci NOT NULL DEFAULT 'x', post_id INT,
        title TEXT, at DATETIME(6) NOT NULL, PRIMARY KEY (tag, post_id))`,
      "INSERT INTO post_tags VALUES ('a', 1, 'One', NOW())",
    );

    const steps = await diffOf(database);

    expect(steps.map(({ place, isRisky, sql }) => [place, isRisky, sql])).toEqual([
      ["posts.title", true, expect.stringMatching(/^ALTER TABLE `posts` MODIFY `title` LONGTEXT/)],
      ["posts.at", true, "ALTER TABLE `posts` ADD COLUMN `at` DATETIME(6) NOT NULL"],
      ["posts", true, "ALTER TABLE `posts` DROP PRIMARY KEY, ADD PRIMARY KEY (`id`)"],
      [
        "post_tags",
        false,
        `ALTER TABLE \`post_tags\` MODIFY \`tag\` varchar(10) CHARACTER SET utf8mb4 COLLATE ${BRAND.byteCollation} NOT NULL DEFAULT 'x'`,
      ],
      ["post_tags", false, expect.stringMatching(/^CREATE INDEX `post_tags_tag_at_post_id`/)],
    ]);
  });
});
