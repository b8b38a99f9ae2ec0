import { join } from "node:path";
import { expect, test } from "vitest";
import { TERMS } from "../../src/invalidate/terms.ts";
import { planOnly } from "../../src/pipeline/plan-only.ts";
import type { Wired } from "../../src/pipeline.ts";
import { type Artifact, address } from "../../src/site.ts";
import { type CacheCdn, cacheCdn, pathsOf } from "./cache-cdn.ts";
import { later } from "./later.ts";
import { bake as bakeSmall, openSmall } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

/** No wider item than what changed asks for. */
const EXACT = { ...TERMS, maxShare: 0 };

/** A world behind a cache; `bake` gives the items that a run sent and the paths that it evicted. */
async function cachedWorld(posts: number, { hasTags }: { readonly hasTags: boolean }) {
  const world = await smallWorld(posts);
  const cdn = cacheCdn(world.objects, world.store, { hasTags });
  const bake = async (rewire: (wired: Wired) => Wired = (same) => same) => {
    const [accepted, held] = [cdn.accepted.size, new Map(cdn.held)];
    const summary = await world.bake({}, (wired) =>
      rewire({ ...wired, store: cdn.origin, cdn, terms: EXACT }),
    );
    const items = [...cdn.accepted.values()].slice(accepted).flat();
    return { ...summary, items, evicted: replaced(cdn, held) };
  };
  return { world, cdn, bake };
}

/** Paths whose copy is not the one that was held. */
function replaced(cdn: CacheCdn, held: ReadonlyMap<string, Artifact>): readonly string[] {
  return [...held].flatMap(([path, copy]) => (cdn.held.get(path) === copy ? [] : [path])).sort();
}

/** Paths of the objects that are others than before. */
function changedPaths(world: World, before: ReadonlyMap<string, Artifact>): readonly string[] {
  const now = [...before.keys()].filter((key) => world.objects.get(key) !== before.get(key));
  return now
    .filter((key) => !key.startsWith("assets/"))
    .flatMap(pathsOf)
    .sort();
}

test("a first build tells the CDN nothing", async () => {
  const { world, bake } = await cachedWorld(5, { hasTags: true });
  await using _ = world;

  expect(await bake()).toMatchObject({ items: [], covers: [], invalidated: 0 });
});

test("the rename of an author is few items, and evicts what changed and nothing else", async () => {
  const { world, cdn, bake } = await cachedWorld(40, { hasTags: true });
  await using _ = world;
  world.sql("INSERT INTO people VALUES ('ann', 'Ann')");
  for (const id of [1, 2, 3]) world.post(id, { author: "bob", topic: "y" });
  await bake();
  const before = new Map(world.objects);
  world.sql("UPDATE people SET name = 'Anna' WHERE handle = 'ann'");

  const { items, evicted, changed, covers } = await bake();

  expect(changed).toBeGreaterThan(37);
  expect(items.length).toBeLessThan(6);
  expect(items.some((item) => item.startsWith("#author-"))).toBe(true);
  expect(evicted).toEqual(changedPaths(world, before));
  expect(cdn.stale()).toEqual([]);
  expect(covers[0]).toMatchObject({ load: { items: items.length, evicted: 0 } });
});

const SLUGS = ["a+b", "a%2Bb", "a b", "Case", "case", "é", "e\u0301", "x", "x/y", "*", "#"];

test.each([{ hasTags: true }, { hasTags: false }])(
  "a page is evicted under both forms of its address whatever its slug, tags: $hasTags",
  async (options) => {
    const { world, cdn, bake } = await cachedWorld(0, options);
    await using _ = world;
    for (const [at, slug] of SLUGS.entries()) world.post(at + 1, { slug });
    await bake();
    for (const [at, slug] of SLUGS.entries()) {
      const before = new Map(world.objects);
      world.edit(at + 1, "title", `New ${slug}`);

      const { items, evicted } = await bake();

      expect(evicted).toEqual(changedPaths(world, before));
      expect(evicted).toEqual(
        expect.arrayContaining([...address(`/posts/${slug}/`).invalidations]),
      );
      expect(items.some((item) => item.startsWith("#"))).toBe(options.hasTags);
      expect(cdn.stale()).toEqual([]);
    }
  },
);

test("with tags a page is one item, its own tag", async () => {
  const { world, bake } = await cachedWorld(9, { hasTags: true });
  await using _ = world;
  await bake();
  world.edit(5, "body", "Nobody else shows this.");

  expect((await bake()).items).toEqual([expect.stringMatching(/^#note-[0-9a-f]{16}$/)]);
});

test("copies from before tags were used, or of another distribution, are evicted by path", async () => {
  const { world, cdn, bake } = await cachedWorld(9, { hasTags: true });
  await using _ = world;
  const by = (name: string, hasTags: boolean) => (wired: Wired) => {
    return { ...wired, cdn: { ...cdn, name, hasTags } };
  };
  const edit = async (body: string, ...cdnIs: Parameters<typeof by>) => {
    world.edit(5, "body", body);
    return (await bake(by(...cdnIs))).items;
  };
  const paths = address("/notes/5/").invalidations;
  const tag = [expect.stringMatching(/^#note-/)];
  await bake(by("E1", false));

  expect(await edit("1", "E1", false)).toEqual(paths);
  expect(await edit("2", "E1", true)).toEqual(paths);
  expect(await edit("3", "E1", true)).toEqual(tag);
  expect(await edit("4", "E2", true)).toEqual(paths);
  expect(await edit("5", "E2", true)).toEqual(tag);
  expect(await edit("6", "E2", false)).toEqual(paths);
  expect(await edit("7", "E2", true)).toEqual(paths);
});

test("a page that was made twice before its invalidation is evicted in both versions", async () => {
  const { world, cdn, bake } = await cachedWorld(6, { hasTags: true });
  await using _ = world;
  await bake();
  const killed = (wired: Wired): Wired => ({
    ...wired,
    ledger: { ...wired.ledger, freeze: () => Promise.reject(new Error("killed")) },
  });
  world.edit(3, "author", "bob");
  await expect(bake(killed)).rejects.toThrow("killed");
  // Another edge, that nobody asked before.
  const other = cacheCdn(world.objects, world.store, { hasTags: true });
  world.edit(3, "author", "cy");

  await bake((wired) => ({
    ...later(wired),
    cdn: {
      ...cdn,
      send: async (batch) => (await other.send(batch)) && (await cdn.send(batch)),
      isCompleted: async (id) => (await other.isCompleted(id)) && (await cdn.isCompleted(id)),
    },
  }));

  expect([cdn.stale(), other.stale()]).toEqual([[], []]);
});

test("what was spent this month and the budget make the choice wider", async () => {
  const { world, bake } = await cachedWorld(30, { hasTags: false });
  await using _ = world;
  await bake();
  const change = async (terms: Partial<Wired["terms"]>) => {
    for (const id of [1, 7, 13, 19]) world.edit(id, "body", `${id} ${JSON.stringify(terms)}`);
    const { items, covers } = await bake((wired) => ({
      ...wired,
      terms: { ...TERMS, maxShare: 0.9, ...terms },
    }));
    return { items, over: covers[0]?.overBudgetUsd ?? 0 };
  };
  const spent = () => world.ledger((ledger) => ledger.spentItems(world.now));
  const before = await spent();

  const free = await change({});
  expect(free.items).toHaveLength(8);
  expect(await spent()).toBe(before + 8);
  // Eight items are left of those that cost nothing; then of a budget of nothing there is none.
  const budgetUsd = 0;
  expect(await change({ budgetUsd, freeItems: before + 16 })).toEqual({ ...free, over: 0 });
  const tight = await change({ budgetUsd, freeItems: before + 17 });
  expect(tight).toEqual({ items: ["/notes/*"], over: 0 });
  expect((await change({ budgetUsd, freeItems: 0 })).over).toBeGreaterThan(0);
});

test("a dry run and a plan say what the CDN would be told as the run does it", async () => {
  const { world, cdn, bake } = await cachedWorld(9, { hasTags: true });
  await using _ = world;
  await bake();
  world.edit(5, "body", "New");
  world.edit(2, "slug", "moved");
  world.sql("DELETE FROM posts WHERE id = 9");
  world.sql("DELETE FROM topics WHERE post_id = 9");
  await using wired = await openSmall(world.site, {
    ledger: "ledger.db",
    store: cdn.origin,
    cdn,
  });
  const priced = { ...wired, terms: EXACT };
  const now = () => world.now;
  const options = { allowDeletes: true, signal: AbortSignal.any([]), emit: () => {}, now };

  const foreseen = await bakeSmall(priced, { now, isDryRun: true });
  const planned = await planOnly(priced, options, join(world.site.dir, "plan.ndjson"));
  const { covers } = await bake();

  const told = covers.reduce((sum, { objects }) => sum + objects, 0);
  // Which sitemaps go is found when the other pages are settled.
  const sitemaps = 4;
  expect(planned.cover?.objects).toBeLessThanOrEqual(told);
  expect(planned.cover?.objects).toBeGreaterThanOrEqual(told - sitemaps);
  expect(planned.price.items).toBe(planned.cover?.load.items);
  expect(foreseen.covers[0]?.objects).toBeGreaterThanOrEqual(told - sitemaps);
});

test("a run with a probe is done when readers get what changed; what they do not is evicted again", async () => {
  const { world, cdn, bake } = await cachedWorld(9, { hasTags: true });
  await using _ = world;
  await bake();
  let stuck = new Map(cdn.held);
  const get = async (path: string) => (stuck.get(path) ?? cdn.held.get(path))?.body;
  const probed = (wired: Wired): Wired => ({
    ...wired,
    probing: { viewer: { name: "https://edge", get }, pages: 3 },
  });
  world.edit(5, "body", "New");

  await expect(bake(probed)).rejects.toMatchObject({
    code: "cdn_stale",
    message: expect.stringContaining("1 changed pages are still old at https://edge"),
    problems: [{ place: "/notes/5/" }],
  });
  stuck = new Map();
  const next = await bake(probed);

  expect(next.items).toEqual(address("/notes/5/").invalidations);
  expect(next.release).toBe(2);
  expect((await bake(probed)).release).toBeUndefined();
});

test("what readers do not get after that, either, is told and not paid for again", async () => {
  const { world, cdn, bake } = await cachedWorld(9, { hasTags: true });
  await using _ = world;
  await bake();
  const stuck = new Map(cdn.held);
  const get = async (path: string) => stuck.get(path)?.body;
  const probed = (wired: Wired): Wired => ({
    ...wired,
    probing: { viewer: { name: "https://elsewhere", get }, pages: 3 },
  });
  world.edit(5, "body", "New");

  await expect(bake(probed)).rejects.toMatchObject({ code: "cdn_stale" });
  await expect(bake(probed)).rejects.toMatchObject({
    code: "cdn_stale",
    hint: expect.stringContaining("it is not done again"),
  });
  const third = await bake(probed);

  expect(third).toMatchObject({ items: [], release: 2 });
  expect((await bake(probed)).release).toBeUndefined();
});
