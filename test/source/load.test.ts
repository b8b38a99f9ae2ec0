import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { appendOnly, int, list, path, type Refs, table, text } from "../../src/site.ts";
import { load } from "../../src/source/load.ts";
import { lines } from "../../src/source/ndjson.ts";
import { describeWith } from "../services/requires.ts";
import { fill, mysqlDatabase, sqliteDatabase } from "./database.ts";
import { describeLoad } from "./load-contract.ts";

describeLoad("SQLite", sqliteDatabase);

describeWith("shared-mariadb", "On a real server", () => {
  describeLoad("MariaDB", mysqlDatabase);

  test("a column that entries are found by is as long as an index can be, whatever its table says", async () => {
    const posts = table("posts", { key: "id", columns: { id: int(), slug: text(), body: text() } });
    const links = (row: Refs<{ slug: string }>) => ({ post: path`/posts/${row.slug}/` });
    const byId = list(posts, { order: ["id"], see: ["body"], links, cut: appendOnly() });
    await using database = await mysqlDatabase();
    await fill(database, posts, [{ id: 1, slug: "a", body: "b" }], [byId]);
    await fill(database, posts, [{ id: 2, slug: "b", body: "b" }], [byId]);

    const columns = await database.run("SHOW COLUMNS FROM posts");
    const indexes = await database.run("SHOW INDEX FROM posts");

    const types = columns.map(({ Type }) => String(Type).replace("bigint(20)", "bigint"));
    expect(types).toEqual(["bigint", "varchar(255)", "longtext"]);
    expect(indexes.map(({ Column_name, Sub_part }) => [Column_name, Sub_part])).toEqual([
      ["id", null],
      ["slug", null],
    ]);
  });
});

const t = table("t", { key: "id", columns: { id: int() } });

async function inFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
  work: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "nightbake-load-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

test("lines end at \\n only, also across chunks, and keep their numbers", async () => {
  const long = "é".repeat(700_000);
  const content = `a\u2028b\r\n\n${long}\n${long}x`;
  const read = async (dir: string, file: string) =>
    (await Array.fromAsync(lines(dir, file))).map(({ number, bytes }) => [
      number,
      bytes.toString(),
    ]);
  const all = [
    [1, "a\u2028b\r"],
    [3, long],
    [4, `${long}x`],
  ];

  await inFolder({ "a.ndjson": content, "a.ndjson.gz": gzipSync(content) }, async (dir) => {
    expect(await read(dir, "a.ndjson")).toEqual(all);
    expect(await read(dir, "a.ndjson.gz")).toEqual(all);
  });
});

test.each([
  [
    "cut off",
    { "t.ndjson.gz": gzipSync('{"id":1}\n'.repeat(9999)).subarray(0, 60) },
    "cannot be read",
  ],
  ["not gzip", { "t.ndjson.gz": "{}" }, "cannot be read"],
  ["there twice", { "t.ndjson.gz": gzipSync(""), "t.ndjson": "" }, "two input files"],
  ["named after no table", { "other.ndjson": "" }, "no file of a declared table"],
  [
    "not UTF-8",
    { "t.ndjson": Buffer.from('{"id":1,"x":"\xff"}', "latin1") },
    "t.ndjson:1: The line is not JSON in UTF-8.",
  ],
])("a file that is %s is refused", async (_, files, reason) => {
  await using database = await sqliteDatabase();
  await using target = await database.target();

  await inFolder(files as Readonly<Record<string, string>>, async (dir) => {
    await expect(load({ dir, tables: [t], lists: [], target })).rejects.toMatchObject({
      code: "input_invalid",
      message: expect.stringContaining(reason),
    });
  });
});

test("an empty file empties the table", async () => {
  await using database = await sqliteDatabase();
  await using target = await database.target();
  await inFolder({ "t.ndjson": '{"id":1}' }, async (dir) => {
    await load({ dir, tables: [t], lists: [], target });
    writeFileSync(join(dir, "t.ndjson"), "");

    const [counts] = await load({ dir, tables: [t], lists: [], target });

    expect(counts).toMatchObject({ inserted: 0, deleted: 1 });
  });
});
