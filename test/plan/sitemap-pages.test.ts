import { describe, expect, test } from "vitest";
import { BATCH } from "../../src/plan/context.ts";
import { planFeeds } from "../../src/plan/feeds.ts";
import {
  beforeKey,
  coveredKinds,
  findSitemaps,
  isSeam,
  sitemapOf,
  startOf,
} from "../../src/plan/sitemap-pages.ts";
import { decodeKey, digest, encodeKey } from "../../src/site.ts";
import { idOf, kindOf, NOW, openPosts, post, SITE, telling } from "./plan-site.ts";
import { type PlanWorld, planWorld, stepsIn } from "./plan-world.ts";

const KIND = kindOf("sitemap", "sitemap");
const made = { hash: Buffer.of(1), etag: undefined, bytes: 1, release: 1, trace: Buffer.alloc(2) };

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}

/** Makes people's pages live with these handles. */
async function livePeople(world: PlanWorld, handles: readonly string[]): Promise<void> {
  const where = { start: undefined, lastmod: undefined };
  const pages = handles.map((handle) => ({ ...idOf("person", handle), route: `/${handle}/` }));
  await world.ledger.confirm(
    "people",
    pages.map((page) => ({ ...page, ...where, ...made })),
  );
}

test.each<[string, Uint8Array | undefined, Uint8Array | undefined]>([
  ["the first", undefined, undefined],
  ["a short key", Buffer.of(5), Buffer.of(4, 255, 255, 255, 255)],
  ["a long key", Buffer.of(1, 2, 3), Buffer.of(1, 2, 2, 255, 255, 255, 255)],
  ["a key that ends with zero", Buffer.of(2, 97, 98, 0), Buffer.of(2, 97, 98)],
])("a range from %s begins just before it", (_, key, before) => {
  const found = beforeKey(key);

  expect(found && Buffer.from(found)).toEqual(before);
});

test("a key is a seam by its digest alone, half of them where a sitemap holds four", () => {
  const keys = Array.from({ length: 1000 }, (_, n) => encodeKey([n]));
  const seams = keys.filter((key) => isSeam(KIND, key));

  expect(seams).toEqual(keys.filter((key) => digest(key).readUInt32BE(0) % 2 === 0));
  expect(seams.length).toBeGreaterThan(400);
  expect(seams.length).toBeLessThan(600);
  const rare = keys.filter((key) => isSeam({ ...KIND, max: 21 }, key));
  expect(rare).toEqual(keys.filter((key) => digest(key).readUInt32BE(0) % 11 === 0));
});

describe("a sitemap's key says where it begins", () => {
  test("the first of a kind at its beginning", () => {
    const { key, route } = sitemapOf(KIND, "person", undefined);

    expect([decodeKey(key), route]).toEqual([["person"], "/sitemaps/person.xml"]);
    expect(startOf(key)).toBeUndefined();
  });

  test("others at a key, and their routes with its digest", () => {
    const start = encodeKey(["ann"]);
    const { key, route } = sitemapOf({ ...KIND, route: "/a/b/map.xml" }, "person", start);

    expect(decodeKey(key)).toEqual(["person", hex(start)]);
    expect(route).toBe(`/a/b/sitemaps/person-${digest(start).toString("hex").slice(0, 16)}.xml`);
    expect(startOf(key)).toEqual(start);
  });
});

test("the kinds that sitemaps list come by the bytes of their names", async () => {
  await using world = await planWorld(SITE, NOW);
  const kinds = SITE.kinds.map((kind) => (kind.name === "topic" ? { ...kind, name: "Z" } : kind));

  const names = await world.plan("names", async (context) =>
    coveredKinds({ ...context, site: { ...SITE, kinds } }),
  );

  expect(names).toEqual(["Z", "home", "person", "post", "stream", "text"]);
});

test("sitemaps come in batches, a kind's rest in one of its own", async () => {
  await using world = await planWorld(SITE, NOW);
  await livePeople(
    world,
    Array.from({ length: 1800 }, (_, n) => `p${String(n).padStart(4, "0")}`),
  );

  const batches = await world.plan("find", async (context) =>
    Array.fromAsync(findSitemaps(KIND, context)),
  );

  const sizes = batches.map(({ length }) => length);
  expect(sizes).toEqual([1, 0, BATCH, sizes[3], 0, 0, 0, 0]);
  expect(sizes[3]).toBeGreaterThan(100);
  const keys = batches.flat().map(({ key }) => hex(key ?? Buffer.of()));
  expect(new Set(keys).size).toBe(keys.length);
});

describe("the sitemaps planned", () => {
  /** Makes the sitemaps live that are planned from all pages. */
  async function settle(world: PlanWorld): Promise<void> {
    await world.plan("settle", async (plain) => {
      const { context } = telling(plain);
      await planFeeds(context, "all");
      const steps = await context.ledger.staged("settle", { limit: 10_000 });
      const puts = steps.filter(({ action }) => action !== "delete");
      await context.ledger.confirm(
        "settle",
        puts.map((step) => ({ ...step, ...made, lastmod: undefined })),
      );
    });
  }

  /** Plans the sitemaps around these people; gives the steps in short. */
  async function around(world: PlanWorld, handles: readonly string[]) {
    return await world.plan("around", async (plain) => {
      const { context } = telling(plain);
      const keys = handles.map((handle) => encodeKey([handle]));
      await planFeeds(context, "touched", new Map([["person", keys]]));
      return (await stepsIn(context)).map((each) => each.split(", at")[0]);
    });
  }

  const names = Array.from({ length: 12 }, (_, n) => `p${String(n).padStart(2, "0")}`);

  test("are none when nobody changed", async () => {
    await using world = await planWorld(SITE, NOW);
    await livePeople(world, names);
    await settle(world);

    expect(await around(world, [])).toEqual([]);
  });

  test("are not looked at when they are left out, nor deleted when they are kept", async () => {
    await using world = await openPosts([post(1)]);
    await world.ledger.retire("gone", [idOf("person", "ann")], {});
    const plan = async (feeds: "none" | "kept" | "all") =>
      await world.plan(feeds, async (plain) => {
        const { context } = telling(plain);
        await planFeeds(context, feeds);
        return (await stepsIn(context)).map((each) => each.split(", at")[0]);
      });

    expect(await plan("none")).toEqual([]);
    expect(await plan("kept")).toEqual([
      "update sitemap/person in feeds: list:pages/sitemaps/person.xml",
    ]);
    expect(await plan("all")).toEqual([
      "update sitemap/ in feeds: list:sitemap",
      "delete sitemap/person in deletes: gone",
    ]);
  });

  test("are all when there are none yet", async () => {
    await using world = await planWorld(SITE, NOW);
    await livePeople(world, ["ann"]);

    expect(await around(world, [])).toEqual([
      "create sitemap/ in feeds: absent",
      "create sitemap/person in feeds: absent",
    ]);
  });

  test("go with the last page of their kind", async () => {
    await using world = await planWorld(SITE, NOW);
    await livePeople(world, ["ann"]);
    await settle(world);

    const steps = await world.plan("around", async (plain) => {
      const { context } = telling(plain);
      const [ann] = await context.ledger.pages([idOf("person", "ann")]);
      if (ann === undefined) throw new Error("Ann's page is live.");
      await context.ledger.stage("around", [
        { ...ann, phase: "deletes", action: "delete", reason: "gone", from: undefined },
      ]);
      await planFeeds(context, "touched", new Map());
      return (await stepsIn(context)).map((each) => each.split(", at")[0]);
    });

    expect(steps).toEqual([
      "delete person/ann in deletes: gone",
      "update sitemap/ in feeds: template:sitemap",
      "delete sitemap/person in deletes: gone",
    ]);
  });
});
