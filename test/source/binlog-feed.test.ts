import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { int, table, text } from "../../src/site.ts";
import type { Transaction } from "../../src/source/feed.ts";
import { BRAND } from "../services/brand.ts";
import { type MariaDb, startMariaDb } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";
import { mysqlDatabase, type TestDatabase } from "./database.ts";
import { feedOf, named, toldSince } from "./following.ts";

const posts = table("posts", {
  key: "id",
  columns: { id: int(), tag: text({ max: 20 }).nullable() },
});
const tags = table("tags", { key: "name", columns: { name: text({ max: 20 }) } });

/** Statements of neighbours may mean any table of a server, so that it has none. */
let server: MariaDb;

async function siteDatabase(): Promise<TestDatabase> {
  const database = await mysqlDatabase(server);
  await database.run(
    "CREATE TABLE posts (id INT PRIMARY KEY, tag VARCHAR(20) NOT NULL, body TEXT)",
    "CREATE TABLE tags (name VARCHAR(20) PRIMARY KEY)",
    "CREATE TABLE other (id INT PRIMARY KEY)",
  );
  return database;
}

/** What a feed of posts and tags tells of these statements of one session. */
async function toldOf(...sql: readonly string[]): Promise<readonly string[]> {
  await using database = await siteDatabase();
  await database.run("INSERT INTO posts VALUES (1, 'a', 'x'), (2, 'b', 'y')");
  await using feed = feedOf(database.at, [posts, tags]);
  const start = await feed.position();
  await database.run(...sql);
  return named(await toldSince(feed, start));
}

describeWith("mariadb", "A binlog as a feed", () => {
  beforeAll(async () => {
    server = await startMariaDb({ durable: true });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("tells rows with both images, in order; a key that changes makes two", async () => {
    const told = await toldOf(
      "INSERT INTO posts VALUES (3, 'c', 'z')",
      "UPDATE posts SET tag = 'd' WHERE id = 1",
      "UPDATE posts SET id = 9 WHERE id = 2",
      "INSERT INTO other VALUES (1)",
      "DELETE FROM posts WHERE id = 9",
    );

    expect(told).toEqual([
      'posts/3 >{"id":3,"tag":"c"}',
      'posts/1 {"id":1,"tag":"a"}>{"id":1,"tag":"d"}',
      'posts/2 {"id":2,"tag":"b"}>',
      'posts/9 >{"id":9,"tag":"b"}',
      'posts/9 {"id":9,"tag":"b"}>',
    ]);
  });

  const all = (why: string) => [`posts/* ${why}`, `tags/* ${why}`];
  const SECOND = "INSERT INTO tags VALUES ('t')";
  const second = 'tags/t >{"name":"t"}';

  test.each([
    ["TRUNCATE", ["TRUNCATE posts"], ["posts/* TRUNCATE posts"]],
    [
      "RENAME",
      ["RENAME TABLE posts TO p, other TO posts", "RENAME TABLE posts TO other, p TO posts"],
      ["posts/* RENAME TABLE posts", "posts/* RENAME TABLE posts"],
    ],
    [
      "CREATE ... SELECT",
      [
        "DROP TABLE tags",
        "CREATE TABLE tags (name VARCHAR(20) PRIMARY KEY) SELECT tag AS name FROM posts",
      ],
      ["tags/* DROP TABLE `tags`", "tags/* CREATE TABLE `tags`"],
    ],
    [
      "a statement session",
      ["SET binlog_format = STATEMENT", "DELETE FROM other"],
      all("DELETE FROM other"),
    ],
    [
      "a mixed session",
      ["SET binlog_format = MIXED", "UPDATE posts SET tag = 'z'"],
      all("UPDATE posts SET"),
    ],
    [
      "a minimal image",
      ["SET binlog_row_image = MINIMAL", "UPDATE posts SET tag = 'z' WHERE id = 1"],
      ["posts/* a row that is not logged whole, or has no key as declared"],
    ],
    [
      "a minimal image of a row that is deleted",
      ["SET binlog_row_image = MINIMAL", "DELETE FROM posts WHERE id = 1"],
      ["posts/* a row that is not logged whole, or has no key as declared"],
    ],
    [
      "an image without blobs",
      ["SET binlog_row_image = NOBLOB", "UPDATE posts SET tag = 'z' WHERE id = 1"],
      ['posts/1 {"id":1,"tag":"a"}>{"id":1,"tag":"z"}'],
    ],
    [
      "a distributed transaction",
      [
        "XA START 'x'",
        "INSERT INTO posts VALUES (7, 'x', '')",
        "XA END 'x'",
        "XA PREPARE 'x'",
        "XA COMMIT 'x'",
      ],
      ['posts/7 >{"id":7,"tag":"x"}', ...all("XA COMMIT X")],
    ],
    [
      "a transaction with a savepoint",
      [
        "BEGIN",
        "SAVEPOINT s",
        "INSERT INTO posts VALUES (8, 's', '')",
        "ROLLBACK TO s",
        "INSERT INTO posts VALUES (9, 's', '')",
        "COMMIT",
      ],
      ['posts/9 >{"id":9,"tag":"s"}'],
    ],
    [
      "a table without transactions",
      ["CREATE TABLE m (id INT) ENGINE=MyISAM", "INSERT INTO m VALUES (1)"],
      [],
    ],
  ])("%s is told, and what follows it", async (_, sql, expected) => {
    expect(
      await toldOf(
        ...sql,
        "SET SESSION binlog_format = ROW, SESSION binlog_row_image = FULL",
        SECOND,
      ),
    ).toEqual([...expected, second]);
  });

  test("what foreign keys do to a table is told as a rescan, also through a table between", async () => {
    await using database = await siteDatabase();
    await database.run(
      "CREATE TABLE people (id INT PRIMARY KEY, name TEXT)",
      "CREATE TABLE blogs (id INT PRIMARY KEY, person INT, FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE ON UPDATE CASCADE)",
      "ALTER TABLE posts ADD blog INT, ADD FOREIGN KEY (blog) REFERENCES blogs (id) ON DELETE SET NULL",
      "ALTER TABLE tags ADD post INT, ADD FOREIGN KEY (post) REFERENCES posts (id)",
      "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
      "INSERT INTO blogs VALUES (1, 1), (2, 2)",
      "INSERT INTO posts VALUES (1, 'a', '', 1)",
    );
    await using feed = feedOf(database.at, [posts, tags]);
    const start = await feed.position();
    await database.run(
      "UPDATE people SET name = 'z' WHERE id = 1",
      "UPDATE people SET id = 3 WHERE id = 2",
      "DELETE FROM people WHERE id = 1",
      "INSERT INTO people VALUES (4, 'd')",
    );

    expect(named(await toldSince(feed, start))).toEqual([
      "posts/* a foreign key to people",
      // MySQL 9.6 logs what the key did to the table between, too.
      `posts/* a foreign key to ${BRAND.flavour === "mysql" ? "blogs" : "people"}`,
    ]);
  });

  test("what ends by itself is told before anything follows", async () => {
    expect(await toldOf("TRUNCATE posts")).toEqual(["posts/* TRUNCATE posts"]);
  });

  test("a table that is altered while it is followed is told anew, and its new foreign keys count", async () => {
    await using database = await siteDatabase();
    await database.run("INSERT INTO tags VALUES ('t')");
    await using feed = feedOf(database.at, [posts, tags]);
    const sql = [
      "ALTER TABLE posts ADD parent VARCHAR(20) FIRST, ADD FOREIGN KEY (parent) REFERENCES tags (name) ON UPDATE CASCADE",
      "UPDATE tags SET name = 'u' WHERE name = 't'",
      "INSERT INTO posts VALUES ('u', 5, 'e', '')",
      "ALTER TABLE posts DROP tag",
      "UPDATE posts SET body = 'lost' WHERE id = 5",
    ];
    const told: Transaction[] = [];
    const start = await feed.position();
    await database.run("INSERT INTO tags VALUES ('first')");
    for await (const each of feed.follow(start, AbortSignal.timeout(20_000))) {
      if (each.changes.length === 0) continue;
      told.push(each);
      const next = sql.shift();
      if (next === undefined) break;
      await database.run(next);
    }

    expect(named(told)).toEqual([
      'tags/first >{"name":"first"}',
      "posts/* ALTER TABLE posts",
      // It is named there, too.
      "tags/* ALTER TABLE posts",
      "posts/* a foreign key to tags",
      'tags/t {"name":"t"}>',
      'tags/u >{"name":"u"}',
      'posts/5 >{"id":5,"tag":"e"}',
      "posts/* ALTER TABLE posts",
      "posts/* a row that is not logged whole, or has no key as declared",
    ]);
  });

  test("of very many rows of one transaction the range is told", async () => {
    await using database = await siteDatabase();
    await using feed = feedOf(database.at, [posts, tags], { maxRows: 3 });
    const start = await feed.position();
    const rows = [5, -7, 30, 4, 6].map((id) => `(${id}, 'x', '')`);
    await database.run(
      `INSERT INTO posts VALUES ${rows.join()}`,
      "INSERT INTO posts VALUES (1, 'x', '')",
    );

    expect(named(await toldSince(feed, start))).toEqual([
      "posts/-7..30 a transaction of very many rows",
      'posts/1 >{"id":1,"tag":"x"}',
    ]);
  });

  test("transactions that commit in another order than they began are told in the order of commits", async () => {
    await using database = await siteDatabase();
    await using feed = feedOf(database.at, [posts]);
    const start = await feed.position();
    const [one, two] = await Promise.all([
      createConnection(database.at),
      createConnection(database.at),
    ]);
    await one.query("BEGIN");
    await one.query("INSERT INTO posts VALUES (1, 'first', '')");
    await two.query("INSERT INTO posts VALUES (2, 'second', '')");
    await one.query("COMMIT");
    await Promise.all([one.end(), two.end()]);

    expect(
      (await toldSince(feed, start)).flatMap((each) =>
        each.changes.map((change) => change.is === "row" && change.key[0]),
      ),
    ).toEqual([2, 1]);
  });
});
