import { rmSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { exportHistory, importHistory } from "../../src/pipeline/route-history.ts";
import type { BuildOptions, Wired } from "../../src/pipeline.ts";
import { folderStore } from "../../src/publish/folder-store.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";
import { type Adoption, type AdoptOptions, adopt } from "../../src/verify/adopt.ts";
import { cacheCdn } from "../pipeline/cache-cdn.ts";
import { atEffects, faultAt } from "../pipeline/faults.ts";
import { later } from "../pipeline/later.ts";
import { bake, differences, openSmall, scratch, shown } from "../pipeline/small-site.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { verifying } from "./verifying.ts";

const FOREIGN = "favicon.ico";

/** A world's store whose calls are counted, and in which one object carries no digest of ours. */
function watched(world: World) {
  const calls = { puts: [] as string[], deletes: [] as string[], heads: 0, most: 0, underWay: 0 };
  const { store } = world;
  const watching: ObjectStore = {
    ...store,
    async put(artifact, write) {
      if (!artifact.key.startsWith(".")) calls.puts.push(artifact.key);
      return await store.put(artifact, write);
    },
    async delete(keys, ...rest) {
      calls.deletes.push(...keys);
      return await store.delete(keys, ...rest);
    },
    async head(key, version) {
      calls.heads += 1;
      calls.underWay += 1;
      calls.most = Math.max(calls.most, calls.underWay);
      const head = await store.head(key, version);
      calls.underWay -= 1;
      return key === FOREIGN && head !== undefined ? { ...head, hash: undefined } : head;
    },
  };
  return { calls, world: { ...world, store: watching } };
}

async function lose(world: World): Promise<void> {
  await world.rest();
  for (const end of ["", "-wal", "-shm"])
    rmSync(`${world.site.dir}/ledger.db${end}`, { force: true });
}

async function adopting(
  world: World,
  options: Partial<AdoptOptions> = {},
  rewire: (wired: Wired) => Wired = (same) => same,
): Promise<Adoption | undefined> {
  const { cdn } = world;
  const parts = { ledger: "ledger.db", store: world.store, ...(cdn && { cdn }) };
  await using wired = await openSmall(world.site, parts);
  return await adopt(rewire(wired), {
    signal: new AbortController().signal,
    emit: () => {},
    onPrice: () => {},
    now: () => world.now,
    ...options,
  });
}

/** Builds with the world's store as it is given here, and with the guards of a site in use. */
async function baking(world: World, options: Partial<BuildOptions> = {}) {
  const { cdn } = world;
  const parts = { ledger: "ledger.db", store: world.store, ...(cdn && { cdn }) };
  await using wired = await openSmall(world.site, parts);
  const asked = { now: () => world.now, allowDeletes: false, ...options };
  return await bake({ ...wired, deleteShare: 0.2 }, asked);
}

/** Exact but for what is foreign, and at rest. */
async function isExact(world: World): Promise<void> {
  const { [FOREIGN]: _, ...own } = world.shown();
  expect(differences(own, await world.scratch())).toEqual([]);
  expect((await baking(world)).release).toBeUndefined();
}

test("a build after the ledger was lost and the store adopted puts and deletes nothing", async () => {
  await using site = await smallWorld(8);
  await site.bake();
  const { world, calls } = watched(site);
  world.objects.set(FOREIGN, world.objects.get("index.html") as Artifact);
  await lose(world);

  const adoption = await adopting(world);
  const { changed, rendered, deleted } = await baking(world);

  const pages = world.objects.size - 2;
  expect(adoption).toEqual({ objects: pages + 1, adopted: pages, foreign: 1 });
  expect([calls.puts, calls.deletes, changed, deleted]).toEqual([[], [], 0, 0]);
  expect(rendered).toBe(pages);
  expect(world.objects.has(FOREIGN)).toBe(true);
  await isExact(world);
  const { told } = await verifying(world);
  expect(told).toEqual([`foreign ${FOREIGN}`]);
});

test("what changed meanwhile is put over what was adopted, and evicted; what is no page's any more goes", async () => {
  const objects = new Map<string, Artifact>();
  const cdn = cacheCdn(objects, memoryStore(objects));
  await using site = await smallWorld(8, { cdn, wrap: () => cdn.origin });
  await site.bake();
  const { world, calls } = watched({ ...site, objects });
  await lose(world);
  world.edit(1, "title", "New");
  world.edit(8, "status", "draft");
  const before = new Map(objects);

  await adopting({ ...world, cdn });
  const { events } = await baking({ ...world, cdn });

  const now = await scratch(world.site, world.now);
  const isOther = (key: string) =>
    before.get(key)?.hash.equals(now.get(key)?.hash ?? Buffer.of()) !== true;
  expect(calls.puts.sort()).toEqual([...now.keys()].filter(isOther).sort());
  expect(calls.deletes.sort()).toEqual(
    [...before.keys()].filter((key) => !now.has(key) && !key.startsWith(".")).sort(),
  );
  expect(calls.deletes).toContain("posts/p8/index.html");
  expect(events.filter(({ event }) => event === "note")).toEqual([]);
  expect(cdn.stale()).toEqual([]);
  const served = new Map([...objects].filter(([key]) => !key.startsWith(".")));
  expect(differences(shown(served), shown(now))).toEqual([]);
});

test("everything is evicted once, since nobody knows what the CDN was yet to be told", async () => {
  const objects = new Map<string, Artifact>();
  const cdn = cacheCdn(objects, memoryStore(objects));
  await using site = await smallWorld(4, { cdn, wrap: () => cdn.origin });
  const world = { ...site, objects, cdn };
  await world.bake();
  world.edit(1, "title", "New");
  const { origin } = cdn;
  const cut = { ...cdn, send: () => Promise.reject(new Error("cut off")) };
  await expect(world.bake({}, (wired) => ({ ...wired, cdn: cut }))).rejects.toThrow("cut off");
  expect(cdn.stale()).not.toEqual([]);
  await lose(world);

  await adopting({ ...world, store: origin });
  const { changed } = await baking({ ...world, store: origin });

  expect([changed, cdn.stale()]).toEqual([0, []]);
  expect([...cdn.accepted.values()].flat()).toEqual(["/*"]);
});

test("what differs is replaced as it was adopted, without a look at it", async () => {
  await using site = await smallWorld(4);
  await site.bake();
  const { world, calls } = watched(site);
  await lose(world);
  world.edit(1, "title", "New");
  await adopting(world);
  calls.heads = 0;

  const { events, changed } = await baking(world);

  expect(changed).toBeGreaterThan(1);
  expect(events.filter(({ event }) => event === "note")).toEqual([]);
  expect(calls.heads).toBe(0);
});

test("redirects stay when the route history is imported before the build, and go otherwise", async () => {
  await using world = await smallWorld(8);
  await world.bake();
  world.edit(1, "slug", "moved");
  await world.bake();
  const history = await world.ledger((ledger) => Array.fromAsync(exportHistory(ledger)));
  const old = "posts/p1/index.html";
  expect(world.objects.has(old)).toBe(true);

  await lose(world);
  await adopting(world);
  {
    await using wired = await openSmall(world.site, { ledger: "ledger.db", store: world.store });
    await importHistory(wired, history, "history");
  }
  const kept = watched(world);
  await baking(kept.world);
  expect([kept.calls.puts, kept.calls.deletes]).toEqual([[], []]);
  await isExact(world);

  await lose(world);
  await adopting(world);
  await baking(world);
  expect(world.objects.has(old)).toBe(false);
  await isExact(world);
});

test("while a page fails nothing adopted goes, so that its last good version stays", async () => {
  await using world = await smallWorld(8);
  await world.bake();
  await lose(world);
  world.edit(2, "title", "throw");
  world.edit(8, "status", "draft");

  await adopting(world);
  const failing = await baking(world);
  const again = await baking(world);

  expect([failing.failed, again.release]).toEqual([1, undefined]);
  expect(failing.events).toContainEqual(
    expect.objectContaining({
      event: "note",
      message: expect.stringContaining("while pages fail"),
    }),
  );
  const there = ["posts/p2/index.html", "posts/p8/index.html"];
  expect(there.map((key) => world.objects.has(key))).toEqual([true, true]);
  expect((await verifying(world)).told).toEqual([]);

  world.edit(2, "title", "good");
  await baking(world);
  expect(there.map((key) => world.objects.has(key))).toEqual([true, false]);
  await isExact(world);
});

test("a source that is half there is refused before anything is put", async () => {
  await using site = await smallWorld(30);
  await site.bake();
  const { world, calls } = watched(site);
  await lose(world);
  world.sql("DELETE FROM posts WHERE id > 15");
  world.sql("DELETE FROM topics WHERE post_id > 15");

  await adopting(world);

  await expect(baking(world)).rejects.toMatchObject({
    code: "deletes_refused",
  });
  expect([calls.puts, calls.deletes]).toEqual([[], []]);
  await baking(world, { allowDeletes: true });
  await isExact(world);
});

test("the price is told before anything changes, and whoever does not want it can stop", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  await lose(world);
  const before = new Map(world.objects);
  const objects = before.size - 1;
  const stop = new Error("too much");
  let told: unknown;

  const onPrice: AdoptOptions["onPrice"] = (price) => {
    told = price;
    throw stop;
  };
  await expect(adopting(world, { onPrice })).rejects.toBe(stop);

  expect(told).toEqual({ objects, lists: 2, heads: objects, usd: expect.any(Number) });
  expect(new Map(world.objects)).toEqual(before);
});

test("a ledger that knows pages adopts nothing", async () => {
  await using world = await smallWorld(2);
  await world.bake();

  await expect(adopting(world)).rejects.toMatchObject({ code: "adopt_refused" });
});

test("after another ledger has published to the store what was adopted is not relied on", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  await lose(world);
  await adopting(world);
  world.edit(1, "title", "Other");
  {
    await using other = await openSmall(world.site, { ledger: "other.db", store: world.store });
    await bake(other, { now: () => world.now });
  }
  world.edit(1, "title", "Title 1");

  await expect(baking(world)).rejects.toMatchObject({ code: "adopt_unfinished" });

  await adopting(world);
  await baking(world);
  await isExact(world);
});

test("objects are looked at a thousand at a time, and so many at once as there are slots", async () => {
  await using site = await smallWorld(2);
  await site.bake();
  const { world, calls } = watched(site);
  await lose(world);
  const adopted: number[] = [];
  const object = world.objects.get("index.html") as Artifact;
  for (let n = 0; n < 2300; n += 1) world.objects.set(`old/${n}.html`, object);

  await adopting(world, {}, (wired) => ({
    ...wired,
    ledger: {
      ...wired.ledger,
      adopt(objects) {
        adopted.push(objects.length);
        return wired.ledger.adopt(objects);
      },
    },
  }));

  const all = world.objects.size - 1;
  expect(adopted).toEqual([1000, 1000, all - 2000]);
  expect(calls.heads).toBe(all);
  expect(calls.most).toBeLessThanOrEqual(4);
});

describe("killed", () => {
  const dying = (nth: number) => {
    const error = () => new Error("killed");
    const fault = faultAt({ nth, when: "before", isFatal: true, error });
    return { fault, rewire: (wired: Wired) => atEffects(fault, wired) };
  };
  test("at any effect of the adoption, no build publishes before another has ended", async () => {
    await using site = await smallWorld(4);
    await site.bake();
    for (let nth = 1; ; nth += 1) {
      const { world, calls } = watched(site);
      await lose(world);
      const { fault, rewire } = dying(nth);
      await adopting(world, {}, rewire).catch(() => {});
      if (!fault.hasStruck()) break;

      await adopting(world, {}, later);
      await using wired = await openSmall(world.site, { ledger: "ledger.db", store: world.store });
      await bake(later(wired), { now: () => world.now });

      expect([nth, calls.puts, calls.deletes]).toEqual([nth, [], []]);
      await isExact(world);
    }
  });

  test("a cut-off adoption is told to the build", async () => {
    await using world = await smallWorld(4);
    await world.bake();
    await lose(world);
    const stop = new AbortController();
    const store = {
      ...world.store,
      async head(key: string) {
        stop.abort();
        return await world.store.head(key);
      },
    };
    const cut = adopting({ ...world, store }, { signal: stop.signal });
    await expect(cut).rejects.toMatchObject({ code: "interrupted" });

    await expect(baking(world)).rejects.toMatchObject({
      code: "adopt_unfinished",
      hint: expect.stringContaining("verify --adopt"),
    });
  });

  test("in the build after it, and the store wiped then, all is put again once it is adopted anew", async () => {
    await using world = await smallWorld(4);
    await world.bake();
    await lose(world);
    await adopting(world);
    const { rewire } = dying(12);
    await world.bake({}, rewire).catch(() => {});
    expect(await world.ledger((ledger) => ledger.countLive())).toBeGreaterThan(0);
    world.objects.clear();
    const refused = world.bake({}, later);
    await expect(refused).rejects.toMatchObject({ code: "adopt_unfinished" });

    await adopting(world, {}, later);
    await world.bake({}, later);

    expect(differences(world.shown(), await world.scratch())).toEqual([]);
  });

  test("at any effect of the build that claims what was adopted, the next ends exact", async () => {
    for (let nth = 1; ; nth += 1) {
      await using world = await smallWorld(4);
      await world.bake();
      await lose(world);
      world.edit(1, "title", "New");
      world.edit(3, "slug", "moved");
      world.edit(4, "status", "draft");
      await adopting(world);
      const { fault, rewire } = dying(nth);
      await world.bake({}, rewire).catch(() => {});
      // What was adopted is right again, but not what was put meanwhile.
      world.edit(1, "title", "Title 1");

      await world.bake({}, later);

      expect([nth, differences(world.shown(), await world.scratch())]).toEqual([nth, []]);
      expect((await world.bake()).release).toBeUndefined();
      if (!fault.hasStruck()) break;
    }
  }, 300_000);
});

test("a folder is adopted by the bytes of its files; those of no page stay", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nightbake-adopt-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await using site = await smallWorld(6);
  const stored = { ...site, store: folderStore(folder) };
  await baking(stored);
  const { world, calls } = watched(stored);
  await lose(world);
  world.edit(1, "title", "New");
  world.edit(6, "status", "draft");

  await adopting(world);
  const { changed, rendered } = await baking(world);

  expect(changed).toBeGreaterThan(0);
  expect(changed).toBeLessThan(rendered);
  expect(calls.puts).toHaveLength(changed);
  expect(calls.deletes).toEqual([]);
  expect(await readdir(join(folder, "posts"))).toContain("p6");
  const { told } = await verifying(world);
  expect(told).toContain("foreign posts/p6/index.html");
  expect(told.filter((each) => !each.startsWith("foreign"))).toEqual([]);
});
