import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { putAll } from "../../src/publish/put-all.ts";
import { openSlots, type Take } from "../../src/publish/slots.ts";
import type { Artifact } from "../../src/site.ts";
import { artifact } from "./artifact.ts";

const slotsOf = (concurrency: number) =>
  openSlots({ concurrency, sleep: async () => setImmediate() });

/** A store that answers `most` requests at a time and asks all others to slow down. */
function narrowStore(most: number) {
  const store = { most, underWay: 0, refused: 0, stored: new Set<string>() };
  const put = async ({ key }: Artifact) => {
    if (store.underWay >= store.most) {
      store.refused += 1;
      throw new PipelineError("store_unavailable", "SlowDown.");
    }
    store.underWay += 1;
    for (let turns = 0; turns < 3; turns += 1) await setImmediate();
    store.underWay -= 1;
    store.stored.add(key);
    return undefined;
  };
  return Object.assign(store, { put });
}

const many = (from: number, length: number) =>
  Array.from({ length }, (_, at) => artifact({ key: `${from + at}.html` }));

test("with a store that takes six at a time, all are put and the pace settles about there", async () => {
  const store = narrowStore(6);
  const { builds: take, rest, pace } = slotsOf(64);
  for (let batch = 0; batch < 10; batch += 1) {
    const results = await putAll(store, many(batch * 200, 200), { take, rest });
    expect(results.every((result) => "etag" in result)).toBe(true);
  }

  expect(store.stored.size).toBe(2000);
  expect(pace().limit).toBeLessThan(13);
  expect(store.refused).toBeLessThan(200);
});

test("a store that recovers is used as much as is configured again", async () => {
  const store = narrowStore(2);
  const { editors: take, rest, pace } = slotsOf(16);
  await putAll(store, many(0, 100), { take, rest });
  const narrow = pace().limit;
  store.most = 1000;
  for (let batch = 1; pace().limit < 16; batch += 1) {
    await putAll(store, many(batch * 200, 200), { take, rest });
  }

  expect(narrow).toBeLessThan(8);
  expect(pace().limit).toBe(16);
});

/** Work that ends when it is told to. */
function held(take: Take, count: number) {
  const ends: (() => void)[] = [];
  const done = Array.from({ length: count }, () =>
    take(() => new Promise<void>((resolve) => ends.push(resolve))),
  );
  let isDone = false;
  void Promise.all(done).then(() => {
    isDone = true;
  });
  const settle = async () => {
    for (let turns = 0; turns < 5; turns += 1) await setImmediate();
  };
  return {
    settle,
    begun: () => ends.length,
    async end() {
      while (!isDone) {
        for (const each of ends) each();
        await settle();
      }
    },
  };
}

test("an editor's request begins although builds have more to do than there are slots", async () => {
  const slots = slotsOf(4);
  const build = held(slots.builds, 10);
  const editor = held(slots.editors, 1);
  await build.settle();

  expect([build.begun(), editor.begun()]).toEqual([3, 1]);
  await Promise.all([build.end(), editor.end()]);
});

test("editors may have all slots, and no more than there are", async () => {
  const slots = slotsOf(4);
  const editors = held(slots.editors, 10);
  await editors.settle();

  expect(editors.begun()).toBe(4);
  await editors.end();
});

test("a refusal that is no slow-down leaves the pace as it is", async () => {
  const slots = slotsOf(8);
  const refused = () => Promise.reject(new PipelineError("store_rejected", "No."));

  await expect(slots.builds(refused)).rejects.toMatchObject({ code: "store_rejected" });

  expect(slots.pace().limit).toBe(4);
});

test("rests grow longer with each repetition", async () => {
  const waited: number[] = [];
  const { rest } = openSlots({ concurrency: 1, sleep: async (ms) => void waited.push(ms) });
  await rest(1);
  await rest(4);

  expect(waited[0]).toBeLessThanOrEqual(375);
  expect(waited[1]).toBeGreaterThanOrEqual(1000);
});
