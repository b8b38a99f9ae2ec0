import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openSqliteCache } from "../../src/cache/sqlite-cache.ts";
import { digest } from "../../src/site.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const MB = 2 ** 20;
const [ANN, BEN] = [digest("ann"), digest("ben")];
const value = (text: string) => Buffer.from(text);
const newFile = () => join(temporaryFolder("nightbake-cache-"), "folder", "bodies.db");

test("gives back what it was given, in the order asked for, after it was opened again", async () => {
  const file = newFile();
  const entries = [
    { key: ANN, value: value("a") },
    { key: BEN, value: value("") },
  ];
  {
    await using cache = openSqliteCache(file, MB);
    await cache.set(entries);
  }
  await using cache = openSqliteCache(file, MB);

  expect(await cache.get([BEN, digest("no"), ANN])).toEqual([value(""), undefined, value("a")]);
});

test("says what is there, and forgets what it is told to", async () => {
  await using cache = openSqliteCache(newFile(), MB);
  await cache.set([
    { key: ANN, value: value("a") },
    { key: BEN, value: value("b") },
  ]);
  await cache.drop([ANN, digest("no")]);

  expect(await cache.has([ANN, BEN, digest("no")])).toEqual([false, true, false]);
  expect(await cache.get([ANN, BEN])).toEqual([undefined, value("b")]);
});

test("drops the oldest entries when it is full", async () => {
  const file = newFile();
  await using cache = openSqliteCache(file, MB);
  const keys = Array.from({ length: 3000 }, (_, at) => digest(String(at)));
  for (const key of keys) await cache.set([{ key, value: Buffer.alloc(1000, key) }]);

  const [first, last] = await cache.get([keys[0], keys.at(-1)] as Buffer[]);

  expect(first).toBeUndefined();
  expect(last).toHaveLength(1000);
  expect(statSync(file).size).toBeLessThan(1.5 * MB);
});

test("forgets everything, and no byte of it stays in the file", async () => {
  const file = newFile();
  const text = "a body that somebody wants to be gone";
  {
    await using first = openSqliteCache(file, MB);
    await first.set([{ key: ANN, value: value(text.repeat(500)) }]);
  }
  expect(readFileSync(file).includes(text)).toBe(true);
  await using cache = openSqliteCache(file, MB);

  expect(await cache.clear()).toBe(true);

  expect(readFileSync(file).includes(text)).toBe(false);
  expect(await cache.get([ANN])).toEqual([undefined]);
  await cache.set([{ key: BEN, value: value("b") }]);
  expect(await cache.get([BEN])).toEqual([value("b")]);
});

test("says that it could not forget what another process keeps locked", async () => {
  const file = newFile();
  await using cache = openSqliteCache(file, MB);
  await cache.set([{ key: ANN, value: value("a") }]);
  using other = new DatabaseSync(file);
  other.exec("BEGIN EXCLUSIVE");

  expect(await cache.clear()).toBe(false);
});

test("an entry whose bytes have changed is not there", async () => {
  const file = newFile();
  await using cache = openSqliteCache(file, MB);
  await cache.set([{ key: ANN, value: value("good") }]);
  const other = new DatabaseSync(file);
  other.exec("UPDATE kept SET value = CAST(replace(value, 'good', 'evil') AS BLOB)");
  other.close();

  expect(await cache.get([ANN])).toEqual([undefined]);
});

test("an entry under another's key is not there", async () => {
  const file = newFile();
  await using cache = openSqliteCache(file, MB);
  await cache.set([{ key: ANN, value: value("ann's") }]);
  const other = new DatabaseSync(file);
  other.prepare("UPDATE kept SET key = ?").run(BEN);
  other.close();

  expect(await cache.get([BEN])).toEqual([undefined]);
});

test("a file that is no cache is begun anew", async () => {
  const file = join(temporaryFolder("nightbake-cache-"), "bodies.db");
  writeFileSync(
    file,
    "This is no database, and long enough to be taken for none at all.".repeat(99),
  );
  {
    await using cache = openSqliteCache(file, MB);
    await cache.set([{ key: ANN, value: value("a") }]);
  }
  await using cache = openSqliteCache(file, MB);

  expect(await cache.get([ANN])).toEqual([value("a")]);
});

test("a damaged file gives what is left of it and takes what it can", async () => {
  const file = newFile();
  const keys = Array.from({ length: 200 }, (_, at) => digest(String(at)));
  {
    await using cache = openSqliteCache(file, MB);
    await cache.set(keys.map((key) => ({ key, value: Buffer.alloc(2000, key) })));
  }
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(7, 16_384, bytes.length - 16_384));
  await using cache = openSqliteCache(file, MB);

  const found = await cache.get(keys);
  await cache.set([{ key: ANN, value: value("a") }]);

  const kept = found.flatMap((each, at) => (each === undefined ? [] : [[each, keys[at]] as const]));
  for (const [each, key] of kept) expect(each).toEqual(Buffer.alloc(2000, key));
  expect(kept.length).toBeLessThan(keys.length);
});

test("a place that cannot be written keeps nothing", async () => {
  const file = newFile();
  writeFileSync(dirname(file), "a file where the folder should be");
  await using cache = openSqliteCache(file, MB);

  await cache.set([{ key: ANN, value: value("a") }]);

  expect(await cache.get([ANN])).toEqual([undefined]);
});

test("a file that nobody asks for is not made", async () => {
  const file = newFile();

  await openSqliteCache(file, MB)[Symbol.asyncDispose]();

  expect(existsSync(file)).toBe(false);
});
