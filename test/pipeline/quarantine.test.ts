import { expect, test } from "vitest";
import { importQuarantine } from "../../src/pipeline/import-quarantine.ts";
import { exportQuarantine, quarantineOf } from "../../src/pipeline/quarantine.ts";
import type { Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { type Artifact, encodeKey } from "../../src/site.ts";
import { DAY, START } from "./rows.ts";
import { bake, openSmall, served, shown } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

/** Four posts, the second of which has failed since it was live. */
async function failingWorld(): Promise<World> {
  const world = await smallWorld(4);
  await world.bake();
  world.edit(2, "title", "throw");
  world.now += DAY;
  await world.bake();
  return world;
}

async function exported(world: World): Promise<readonly string[]> {
  await using wired = await openSmall(world.site, { ledger: "ledger.db", store: world.store });
  return await Array.fromAsync(exportQuarantine(wired));
}

/** A ledger and a store of their own for the same rows. */
async function elsewhere<T>(
  world: World,
  work: (wired: Wired, objects: ReadonlyMap<string, Artifact>) => Promise<T>,
): Promise<T> {
  const objects = new Map<string, Artifact>();
  await using wired = await openSmall(world.site, {
    ledger: "elsewhere.db",
    store: memoryStore(objects),
  });
  return await work(wired, objects);
}

function importing(world: World) {
  const signal = new AbortController().signal;
  return { file: "held.ndjson", signal, emit: () => {}, now: () => world.now };
}

test("a page that fails is listed with its error, since when, and what readers see", async () => {
  await using world = await failingWorld();
  world.post(9, { title: "throw" });
  world.now += DAY;
  await world.bake();

  const held = await world.ledger((ledger) => quarantineOf({ ledger }));

  const error = { code: "template_failed", at: { table: "posts" } };
  expect(held).toMatchObject([
    { kind: "post", key: "2", ...error, live: { route: "/posts/p2/", release: 1 } },
    { kind: "post", key: "9", ...error, live: undefined },
  ]);
  expect(held.map(({ since }) => since)).toEqual([START + DAY, START + 2 * DAY]);
});

test("a build from scratch that imported the quarantine publishes the same, headers included", async () => {
  await using world = await failingWorld();
  const lines = await exported(world);

  const objects = await elsewhere(world, async (wired, there) => {
    expect(await importQuarantine(wired, lines, importing(world))).toBe(1);
    await bake(wired, { now: () => world.now });
    return shown(served(there));
  });

  expect(lines).toHaveLength(1);
  expect(objects).toEqual(world.shown());
});

test("what was imported is replaced when it no longer fails and goes with its row", async () => {
  await using world = await failingWorld();
  const lines = await exported(world);
  world.edit(2, "title", "Mended");

  await elsewhere(world, async (wired, objects) => {
    await importQuarantine(wired, lines, importing(world));
    await bake(wired, { now: () => world.now });
    expect(shown(served(objects))).toEqual(await world.scratch());
    expect(await quarantineOf(wired)).toEqual([]);
  });

  world.sql("DELETE FROM posts WHERE id = 2");
  world.sql("DELETE FROM topics WHERE post_id = 2");
  await elsewhere(world, async (wired, objects) => {
    await bake(wired, { now: () => world.now });
    expect(objects.has("posts/p2/index.html")).toBe(false);
  });
});

test("who was first at a route that another page wants is an input, too", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  world.post(1, { slug: "p2" });
  await world.bake();
  const lines = await exported(world);

  const objects = await elsewhere(world, async (wired, there) => {
    await importQuarantine(wired, lines, importing(world));
    await bake(wired, { now: () => world.now });
    return shown(served(there));
  });

  const pages = lines.map((line) => JSON.parse(line));
  expect(pages.map(({ kind, key, code }) => [kind, key, code])).toEqual([
    ["post", [1], "route_taken"],
    ["post", [2], undefined],
  ]);
  expect(objects).toEqual(world.shown());
});

test("bad lines are told with their numbers, and nothing is imported", async () => {
  await using world = await failingWorld();
  const [good = ""] = await exported(world);
  const bad = (members: object) => JSON.stringify({ ...JSON.parse(good), ...members });
  const lines = [
    good,
    "",
    "{",
    good,
    bad({ key: [3], route: "/../up/" }),
    bad({ key: [{}], route: "/a/" }),
    bad({ kind: "gone" }),
    bad({ key: [4], route: "/posts/p2/" }),
    bad({ key: [5], route: "/b/", body: "?" }),
    bad({ key: [6], route: "/c/", headers: { server: "x" } }),
  ];

  await elsewhere(world, async (wired, objects) => {
    const refused = importQuarantine(wired, lines, importing(world));

    await expect(refused).rejects.toMatchObject({
      code: "input_invalid",
      problems: [3, 4, 5, 6, 7, 8, 9, 10].map((n) => ({ place: `held.ndjson:${n}` })),
    });
    expect(objects.size).toBe(0);
    expect(await wired.ledger.countLive()).toBe(0);
  });
});

test("an import never replaces what a build has put, and may be repeated", async () => {
  await using world = await failingWorld();
  const lines = await exported(world);

  await elsewhere(world, async (wired) => {
    await importQuarantine(wired, lines, importing(world));
    expect(await importQuarantine(wired, lines, importing(world))).toBe(1);
    world.edit(2, "title", "Mended");
    await bake(wired, { now: () => world.now });

    const again = importQuarantine(wired, lines, importing(world));

    await expect(again).rejects.toMatchObject({
      problems: [{ place: "held.ndjson:1", message: expect.stringContaining("live already") }],
    });
  });
});

test("keys and starts come back as they were, also numbers that JSON would round", async () => {
  await using world = await failingWorld();
  const [line = ""] = await exported(world);
  const start = [{ bigint: "9007199254740993" }, "ü"];
  const lines = [JSON.stringify({ ...JSON.parse(line), kind: "all", key: ["2024", 2], start })];

  const page = await elsewhere(world, async (wired) => {
    await importQuarantine(wired, lines, importing(world));
    return (await wired.ledger.live("all", undefined, 9))[0];
  });

  expect(page).toMatchObject({
    key: encodeKey(["2024", 2]),
    start: encodeKey([9007199254740993n, "ü"]),
  });
});
