import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { noCdn } from "../../src/invalidate/none.ts";
import { drainOutbox, type OutboxOptions } from "../../src/invalidate/outbox.ts";
import { TERMS } from "../../src/invalidate/terms.ts";
import { memoryCdn, throttled } from "./memory-cdn.ts";
import { memoryOutbox, PRICED } from "./memory-outbox.ts";

const paths = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => `/articles/${from + at}/`);

/** An outbox with items, a CDN that completes everything while we sleep, and the sleeps. */
function scene(items: readonly string[], batchItems = 1000) {
  const outbox = memoryOutbox();
  outbox.add(...items);
  const cdn = memoryCdn(batchItems);
  const slept: number[] = [];
  const sleep = async (ms: number) => {
    slept.push(ms);
    cdn.complete();
  };
  const drain = (parts: Partial<OutboxOptions> = {}) =>
    drainOutbox({ ...PRICED, ledger: outbox.ledger, cdn, sleep, ...parts });
  return { outbox, cdn, slept, drain };
}

/** A ledger whose method fails once, before or after it did its work: a crash at that point. */
function crashing(
  ledger: OutboxOptions["ledger"],
  { method, when }: { readonly method: "sent" | "completed"; readonly when: "before" | "after" },
): OutboxOptions["ledger"] {
  const crash = async (...args: [string, string, number]) => {
    if (when === "after") await ledger[method](...args);
    throw new Error("The process was killed.");
  };
  return { ...ledger, [method]: crash };
}

test("sends the outbox in batches, waits, and leaves it empty", async () => {
  const { outbox, cdn, slept, drain } = scene(paths(2_500));
  const progress: unknown[] = [];

  const done = await drain({ onProgress: (count) => progress.push(count) });

  expect(done).toEqual({ batches: 3, items: 2_500 });
  expect([...cdn.accepted.values()].flat()).toEqual(paths(2_500));
  expect(outbox.batches()).toEqual([]);
  expect(progress.at(-1)).toEqual(done);
  expect(slept).toEqual([5_000, 5_000]);
});

test("an empty outbox makes no call and waits for nothing", async () => {
  const { cdn, slept, drain } = scene([]);

  expect(await drain()).toEqual({ batches: 0, items: 0 });
  expect([cdn.calls.send, slept]).toEqual([0, []]);
});

test("waits again for a batch that has not completed", async () => {
  const { cdn, drain } = scene(paths(10));
  let sleeps = 0;
  const sleep = async () => {
    sleeps += 1;
    if (sleeps === 4) cdn.complete();
  };

  expect(await drain({ sleep })).toEqual({ batches: 1, items: 10 });
  expect([sleeps, cdn.calls.send]).toEqual([4, 1]);
});

test.each([
  { method: "sent", when: "before" },
  { method: "sent", when: "after" },
  { method: "completed", when: "before" },
  { method: "completed", when: "after" },
] as const)(
  "a crash $when the ledger learns $method costs no second invalidation",
  async (point) => {
    const { outbox, cdn, drain } = scene(paths(1_500));
    await expect(drain({ ledger: crashing(outbox.ledger, point) })).rejects.toThrow("killed");
    outbox.add("/later/");

    await drain();

    expect([...cdn.accepted.values()].flat()).toEqual([...paths(1_500), "/later/"]);
    expect(outbox.batches()).toEqual([]);
  },
);

test("equal items of two runs are two invalidations", async () => {
  const { outbox, cdn, drain } = scene(["/a/"]);
  await drain();
  outbox.add("/a/");
  await drain();

  expect([...cdn.accepted.values()]).toEqual([["/a/"], ["/a/"]]);
});

test("a batch that went to another distribution is sent to this one", async () => {
  const { outbox, cdn, drain } = scene(paths(3));
  const batch = await outbox.freeze();
  await outbox.ledger.sent(batch.id, "I-of-another", 0);

  await drain();

  expect([...cdn.accepted.keys()]).toEqual([batch.id]);
});

test("never has more items in progress than allowed", async () => {
  const { cdn, drain } = scene(paths(9_000));

  await drain();
  expect(cdn.most.items).toBe(2_000);
  const smaller = scene(paths(2_000), 400);
  await smaller.drain({ terms: { ...TERMS, reservedItems: 2_100 } });
  expect(smaller.cdn.most.items).toBe(800);
});

test("leaves wildcards in progress to others", async () => {
  const { cdn, slept, drain } = scene(
    paths(20).map((path) => `${path}*`),
    10,
  );

  expect(await drain()).toEqual({ batches: 2, items: 20 });
  expect(cdn.calls.send).toBe(2);
  expect(slept).toHaveLength(2);
});

test("a throttled CDN is asked again after growing waits", async () => {
  const { cdn, drain } = scene(paths(5));
  const waits: number[] = [];
  const sleep = async (ms: number) => {
    const nth = cdn.calls.send - 1;
    waits[nth] = (waits[nth] ?? 0) + ms;
    cdn.complete();
  };
  cdn.fail(8, throttled);

  expect(await drain({ sleep })).toEqual({ batches: 1, items: 5 });
  expect(waits).toHaveLength(9);
  for (const [at, ms] of waits.slice(0, 8).entries()) {
    const full = Math.min(2_000 * 2 ** at, 60_000);
    expect(ms).toBeGreaterThanOrEqual(full / 2);
    expect(ms).toBeLessThanOrEqual(full);
  }
});

test("who waits for a throttled CDN stops soon when told to", async () => {
  const { cdn, drain } = scene(paths(5));
  cdn.fail(1_000, throttled);
  const stop = new AbortController();
  const slept: number[] = [];
  const sleep = async (ms: number) => {
    slept.push(ms);
    if (slept.reduce((sum, each) => sum + each) > 120_000) stop.abort();
  };

  await expect(drain({ sleep, signal: stop.signal })).rejects.toMatchObject({
    code: "interrupted",
  });
  expect(Math.max(...slept)).toBeLessThanOrEqual(5_000);
});

test("gives up in time with an error, and the next run goes on with the same batches", async () => {
  const { outbox, cdn, slept, drain } = scene(paths(5));
  cdn.fail(1_000, throttled);

  await expect(drain({ giveUpAfterMs: 600_000 })).rejects.toMatchObject({
    code: "cdn_throttled",
    message: expect.stringContaining("1 invalidation batches after"),
    cause: throttled,
  });
  expect(slept.reduce((sum, ms) => sum + ms)).toBeLessThanOrEqual(600_000);
  const [kept] = outbox.batches();
  const next = memoryCdn();
  await drain({ cdn: next, sleep: async () => next.complete() });
  expect([...next.accepted.keys()]).toEqual([kept?.id]);
});

test("gives up on an invalidation that never completes", async () => {
  const { outbox, drain } = scene(paths(5));

  await expect(drain({ sleep: async () => {} })).rejects.toMatchObject({ code: "cdn_throttled" });
  expect(outbox.batches()).toHaveLength(1);
});

test("a CDN that does not answer is asked again; a refusal of us ends the run", async () => {
  const { outbox, cdn, drain } = scene(paths(5));
  cdn.fail(1, new PipelineError("cdn_unavailable", "No answer."));
  cdn.fail(1, new PipelineError("cdn_rejected", "No permission."));

  await expect(drain()).rejects.toMatchObject({ code: "cdn_rejected" });
  expect([cdn.calls.send, outbox.batches().length]).toEqual([2, 1]);
});

test("a batch that is refused for its own sake stays, and the others are completed", async () => {
  const { outbox, cdn, drain } = scene([], 10);
  outbox.add(...paths(10));
  const batch = await outbox.freeze();
  outbox.add(...paths(20, 10));
  cdn.fail(1, new PipelineError("cdn_rejected", "Bad path.", { at: { batch: batch.id } }));

  await expect(drain()).rejects.toMatchObject({ message: "Bad path." });
  expect(outbox.batches()).toEqual([{ ...batch, refusal: "Bad path." }]);
  expect([...cdn.accepted.values()].flat()).toEqual(paths(20, 10));
});

test("a ledger that does not answer ends the run at once", async () => {
  const { outbox, slept, drain } = scene(paths(5));
  const error = new PipelineError("ledger_unavailable", "Gone.");
  const ledger = { ...outbox.ledger, sent: () => Promise.reject(error) };

  await expect(drain({ ledger })).rejects.toBe(error);
  expect(slept).toEqual([]);
});

test("an abort, also one that cuts the waiting short, leaves the rest in the outbox", async () => {
  const { outbox, drain } = scene(paths(5));
  const stop = new AbortController();
  const sleep = async () => {
    stop.abort();
    throw new DOMException("The sleep was aborted.", "AbortError");
  };

  await expect(drain({ sleep, signal: stop.signal })).rejects.toMatchObject({
    code: "interrupted",
  });
  expect(outbox.batches()).toHaveLength(1);
});

test("without a CDN nothing is sent or dropped", async () => {
  const { outbox, drain } = scene(paths(5));

  expect(await drain({ cdn: noCdn })).toEqual({ batches: 0, items: 0 });
  expect((await outbox.freeze()).items).toEqual(paths(5));
  await expect(noCdn.send({ id: "a", items: [] })).rejects.toThrow(TypeError);
});
