import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { type ErrorCode, PipelineError } from "../../src/error.ts";
import { putAll } from "../../src/publish/put-all.ts";
import { openSlots } from "../../src/publish/slots.ts";
import type { Artifact } from "../../src/site.ts";
import { artifact } from "./artifact.ts";

/** Room for so many puts; rests take no time. */
const room = (concurrency: number) => {
  const { editors: take, rest } = openSlots({ concurrency, sleep: async () => {} });
  return { take, rest };
};

const artifacts = Array.from({ length: 10 }, (_, at) => artifact({ key: `${at}.html` }));

/** A store whose put of some keys fails; it counts the puts that began and those under way. */
function faultyStore(fail: (key: string) => Error | undefined) {
  const seen = { begun: 0, underWay: 0, most: 0 };
  const put = async ({ key }: Artifact) => {
    seen.begun += 1;
    seen.underWay += 1;
    seen.most = Math.max(seen.most, seen.underWay);
    // Later ones end earlier, so order is not kept by chance.
    for (let turns = 10 - Number.parseInt(key, 10); turns > 0; turns -= 1) await setImmediate();
    seen.underWay -= 1;
    const error = fail(key);
    if (error) throw error;
    return `"${key}"`;
  };
  return { put, seen };
}

const failed = (code: ErrorCode, key?: string) =>
  new PipelineError(code, "It failed.", { at: key === undefined ? {} : { key } });

test("puts all, so many at once, and gives entity tags in order", async () => {
  const store = faultyStore(() => undefined);
  const done: string[] = [];
  const results = await putAll(store, artifacts, {
    ...room(3),
    onPut: ({ key }) => done.push(key),
  });

  expect(results).toEqual(artifacts.map(({ key }) => ({ etag: `"${key}"` })));
  expect(done.toSorted()).toEqual(artifacts.map(({ key }) => key));
  expect(store.seen.most).toBe(3);
});

test.each([
  ["an object the store refuses", failed("store_rejected", "4.html")],
  ["an object the store never answered for", failed("store_unavailable")],
])("%s is a result, and the others are put", async (_, error) => {
  const store = faultyStore((key) => (key === "4.html" ? error : undefined));
  const results = await putAll(store, artifacts, room(4));

  expect(results[4]).toEqual({ error });
  expect(results.filter((result) => "etag" in result)).toHaveLength(9);
});

test.each([
  ["a refusal that all would meet", failed("store_rejected")],
  ["a bug", new TypeError("oops")],
])("%s is thrown once the puts under way have ended", async (_, error) => {
  const store = faultyStore((key) => (key === "1.html" ? error : undefined));

  await expect(putAll(store, artifacts, room(2))).rejects.toBe(error);
  expect(store.seen).toMatchObject({ underWay: 0 });
  expect(store.seen.begun).toBeLessThan(10);
});

test("a store that answers for no object at all is thrown", async () => {
  const error = failed("store_unavailable");

  await expect(
    putAll(
      faultyStore(() => error),
      artifacts,
      room(4),
    ),
  ).rejects.toBe(error);
});

test("an abort lets the puts under way end and begins no other", async () => {
  const store = faultyStore(() => undefined);
  const stop = new AbortController();
  const options = { ...room(2), signal: stop.signal, onPut: () => stop.abort() };

  await expect(putAll(store, artifacts, options)).rejects.toMatchObject({ code: "interrupted" });
  expect(store.seen).toEqual({ begun: 2, underWay: 0, most: 2 });
});

test("an abort after the last put changes nothing, and an empty batch is done", async () => {
  const stop = new AbortController();
  const options = { ...room(1), signal: stop.signal, onPut: () => stop.abort() };

  expect(
    await putAll(
      faultyStore(() => undefined),
      artifacts.slice(0, 1),
      options,
    ),
  ).toHaveLength(1);
  expect(
    await putAll(
      faultyStore(() => undefined),
      [],
      options,
    ),
  ).toEqual([]);
});
