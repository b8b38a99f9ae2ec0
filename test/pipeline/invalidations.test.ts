import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { invalidationsOf, retryInvalidations, type Wired } from "../../src/pipeline.ts";
import { cacheCdn } from "./cache-cdn.ts";
import { openSmall } from "./small-site.ts";
import { smallWorld } from "./world.ts";

/** A world whose CDN refuses every batch while `isClosed`. */
async function refusingWorld() {
  const world = await smallWorld(6);
  const cache = cacheCdn(world.objects, world.store, { hasTags: true });
  const state = { isClosed: false };
  const send: Wired["cdn"]["send"] = async (batch) => {
    if (!state.isClosed) return await cache.send(batch);
    const at = { batch: batch.id };
    throw new PipelineError("cdn_rejected", "Your request is invalid.", { at });
  };
  const cdn = { ...cache, send };
  const bake = () => world.bake({}, (wired) => ({ ...wired, store: cache.origin, cdn }));
  await bake();
  world.edit(3, "body", "New");
  state.isClosed = true;
  await expect(bake()).rejects.toThrow("Your request is invalid.");
  return { world, cache, cdn, state, bake };
}

async function withWired<T>(
  { world, cdn }: Pick<Awaited<ReturnType<typeof refusingWorld>>, "world" | "cdn">,
  ask: (wired: Wired) => Promise<T>,
): Promise<T> {
  await using wired = await openSmall(world.site, { ledger: "ledger.db", store: world.store, cdn });
  return await ask(wired);
}

const signal = new AbortController().signal;

test("a refused batch is listed with its age, items, price and the CDN's words", async () => {
  const scene = await refusingWorld();
  await using world = scene.world;

  const { batches, waiting, covers, month } = await withWired(scene, (wired) =>
    invalidationsOf(wired, world.now),
  );

  expect(batches).toMatchObject([
    {
      state: "refused",
      items: 1,
      usd: 0.005,
      since: expect.any(Number),
      refusal: "Your request is invalid.",
    },
  ]);
  expect([waiting, month]).toEqual([0, { items: 0, usd: 0 }]);
  expect(covers).toMatchObject([{ items: 1, doneAt: undefined, cover: { objects: 1 } }]);
});

test("a retry sends what was refused under a new id, and nobody pays twice", async () => {
  const scene = await refusingWorld();
  await using world = scene.world;
  scene.state.isClosed = false;

  const done = await withWired(scene, (wired) =>
    retryInvalidations(wired, { signal, now: () => world.now }),
  );

  expect(done).toEqual({ batches: 1, items: 1 });
  expect(scene.cache.stale()).toEqual([]);
  const after = await withWired(scene, (wired) => invalidationsOf(wired, world.now));
  expect(after).toMatchObject({ batches: [], month: { items: 1 } });
  expect(after.covers[0]?.doneAt).toBe(world.now);
  expect((await scene.bake()).invalidated).toBe(0);
});

test("a retry plans what waits, and leaves a run that publishes alone", async () => {
  const scene = await refusingWorld();
  await using world = scene.world;
  scene.state.isClosed = false;
  await world.ledger((ledger) => ledger.recall(["/notes/1/"]));
  const claim = { release: 1, nowMs: Date.now(), leaseMs: 30_000 };
  await world.ledger((ledger) => ledger.claim("other", claim));
  const retry = () => withWired(scene, (wired) => retryInvalidations(wired, { signal }));

  await expect(retry()).rejects.toMatchObject({ code: "run_conflict" });
  await world.ledger((ledger) => ledger.yieldClaim("other"));

  expect(await retry()).toEqual({ batches: 2, items: 3 });
  expect(await retry()).toEqual({ batches: 0, items: 0 });
});

test("without a CDN there is nothing to retry", async () => {
  await using world = await smallWorld(1);
  await using wired = await openSmall(world.site, { ledger: "ledger.db", store: world.store });

  await expect(retryInvalidations(wired, { signal })).rejects.toMatchObject({
    code: "config_invalid",
  });
});
