import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bigint, int, table, text } from "../../src/index.ts";
import { lastPosition, readChanges } from "../../src/source/changes.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const posts = table("posts", { key: "id", columns: { id: int(), title: text() } });
const tags = table("tags", { key: ["tag", "post"], columns: { tag: text(), post: bigint() } });

async function read(content: string | Buffer, name = "changes.ndjson") {
  const file = join(temporaryFolder("nightbake-changes-"), name);
  writeFileSync(file, content);
  const batches = await Array.fromAsync(readChanges(file, [posts, tags]));
  return batches.flat().map(({ table: { name: of }, key }) => [of, ...key]);
}

const GOOD = [
  '{"table":"posts","key":42}',
  '{"table":"posts","key":["43"],"before":{"title":"a"},"after":null,"position":"0-1-7"}',
  "",
  '{"table":"tags","key":{"post":"9007199254740993","tag":"x,y"}}',
].join("\n");

test("reads a key as a value, a list or an object by column", async () => {
  const rows = [
    ["posts", 42],
    ["posts", 43],
    ["tags", "x,y", 9007199254740993n],
  ];

  expect(await read(GOOD)).toEqual(rows);
  expect(await read(gzipSync(GOOD), "changes.ndjson.gz")).toEqual(rows);
});

test("hands on many records in batches", async () => {
  const lines = Array.from({ length: 1200 }, (_, at) => `{"table":"posts","key":${at}}\n`);
  const file = join(temporaryFolder("nightbake-changes-"), "changes.ndjson");
  writeFileSync(file, lines.join(""));

  const batches = await Array.fromAsync(readChanges(file, [posts]));

  expect(batches.map(({ length }) => length)).toEqual([500, 500, 200]);
});

test("names every bad line and its number", async () => {
  const bad = [
    "{",
    "[]",
    '{"table":"psts","key":1}',
    '{"table":"posts","key":"one"}',
    '{"table":"posts","key":1.5}',
    '{"table":"tags","key":"x"}',
    '{"table":"posts","keys":1}',
    '{"table":"posts","key":1}',
  ];

  await expect(read(bad.join("\n"))).rejects.toMatchObject({
    code: "input_invalid",
    problems: [1, 2, 3, 4, 5, 6, 7].map((line) => ({
      place: expect.stringMatching(new RegExp(`changes\\.ndjson:${line}$`)),
    })),
  });
});

test("a file that is not there is refused", async () => {
  await expect(
    Array.fromAsync(readChanges("/nowhere/changes.ndjson", [posts])),
  ).rejects.toMatchObject({ code: "input_invalid" });
});

test("finds the last position that records give with its flavour", async () => {
  const position = (content: string) => {
    const file = join(temporaryFolder("nightbake-changes-"), "changes.ndjson");
    writeFileSync(file, content);
    return lastPosition(file);
  };
  const record = (members: object) => `${JSON.stringify({ table: "posts", key: 1, ...members })}\n`;

  expect(await position(GOOD)).toBeUndefined();
  expect(
    await position(
      record({ position: "mariadb:0-1-7" }) +
        record({ position: "mariadb:0-1-8" }) +
        record({ after: { title: '"position":"mariadb:0-1-9"' } }),
    ),
  ).toBe("mariadb:0-1-8");
});
