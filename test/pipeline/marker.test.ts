import { describe, expect, test } from "vitest";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";
import { cacheCdn } from "./cache-cdn.ts";
import { brokenLinks } from "./links.ts";
import { bake, openSmall, served, shown } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

const MARKER = ".nightbake.json";

/** Builds with the world's ledger into another store. */
async function bakeInto(world: World, store: ObjectStore, options = {}) {
  await using wired = await openSmall(world.site, { ledger: "ledger.db", store });
  return await bake(wired, { now: () => world.now, ...options });
}

/** A store that ends the run at its nth put. */
function ending(store: ObjectStore, nth: number): ObjectStore {
  let puts = 0;
  return {
    ...store,
    async put(artifact, write) {
      puts += 1;
      if (puts === nth) throw new Error("cut off");
      return await store.put(artifact, write);
    },
  };
}

test("a wiped store gets every page again", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  world.objects.clear();

  const { events, changed } = await world.bake();

  expect(world.shown()).toEqual(await world.scratch());
  expect(changed).toBe(Object.keys(world.shown()).length);
  expect(events).toContainEqual({
    event: "note",
    message: "The memory is not what the ledger describes; all pages are put again.",
  });
  expect((await world.bake()).release).toBeUndefined();
});

test.each([
  { is: "its row", column: "body", value: null },
  { is: "what lists show of it", column: "title", value: null },
  { is: "its template", column: "title", value: "throw" },
])(
  "pages that failed for $is before the store was wiped are linked by none until they can be made",
  async ({ column, value }) => {
    const objects = new Map<string, Artifact>();
    const cdn = cacheCdn(objects, memoryStore(objects));
    await using world = await smallWorld(4, { cdn, objects, wrap: () => cdn.origin });
    await world.bake();
    world.loosen();
    world.edit(2, column, value);
    await world.bake();
    expect(objects.has("posts/p2/index.html")).toBe(true);
    objects.clear();

    const wiped = await world.bake();

    expect(wiped.failed).toBeGreaterThan(0);
    expect(brokenLinks(objects)).toEqual([]);
    expect(cdn.stale()).toEqual([]);
    expect(world.shown()).toEqual(await world.scratch());
    expect((await world.bake()).release).toBeUndefined();
    world.edit(2, column, "mended");
    await world.bake();
    expect(world.shown()).toEqual(await world.scratch());
  },
);

test("a store that another ledger filled gets every page; objects it does not know stay", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  world.objects.set("foreign/index.html", world.objects.get("index.html") as Artifact);
  await using wired = await openSmall(world.site, { ledger: "other.db", store: world.store });

  const { changed } = await bake(wired, { now: () => world.now });

  const { "foreign/index.html": foreign, ...own } = world.shown();
  expect(own).toEqual(await world.scratch());
  expect(changed).toBe(Object.keys(own).length);
  expect(foreign).toBeDefined();
});

test("a store is not trusted again after its ledger was used with another in between", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  const preview = new Map<string, Artifact>();
  world.edit(2, "title", "New");
  await bakeInto(world, { ...memoryStore(preview), name: "preview" });
  expect(shown(served(preview))).toEqual(await world.scratch());

  await world.bake();

  expect(world.shown()).toEqual(await world.scratch());
});

test("a copy of a store is not taken for it", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  const copy = new Map(world.objects);
  world.edit(2, "title", "New");
  await bakeInto(world, { ...memoryStore(copy), name: "copy" });

  await world.bake();

  expect(world.shown()).toEqual(await world.scratch());
});

describe("when the build of a wiped store is cut off", () => {
  test.for([1, 2, 3, 8, 15, 20])("at put %i, nothing is trusted that was not put", async (nth) => {
    await using world = await smallWorld(4);
    await world.bake();
    world.objects.clear();

    const cut = world.bake({}, (wired) => ({ ...wired, store: ending(wired.store, nth) }));
    await expect(cut).rejects.toThrow("cut off");
    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
    expect((await world.bake()).release).toBeUndefined();
  });
});

test("with one kind only, the others are put by the next whole build", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  world.objects.clear();

  await world.bake({ only: "note" });

  const kinds = new Set(Object.keys(world.shown()).map((key) => key.replace(/\/.*/, "")));
  expect([...kinds]).toEqual(["assets", "notes"]);

  await world.bake();

  expect(world.shown()).toEqual(await world.scratch());
});

test("the marker tells nothing but random names", async () => {
  await using world = await smallWorld(1);
  await world.bake();

  const marker = Buffer.from(world.objects.get(MARKER)?.body ?? []).toString();

  expect(marker).toMatch(/^\{"ledger":"[0-9a-f-]{36}","tie":"[0-9a-f-]{36}"\}\n$/);
});
