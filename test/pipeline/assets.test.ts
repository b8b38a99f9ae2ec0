import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheCdn } from "./cache-cdn.ts";
import { brokenLinks } from "./links.ts";
import { smallWorld, type World } from "./world.ts";

const HOUR = 3_600_000_000;
/** A day counts from the end of a run, not from its beginning. */
const MINUTE = HOUR / 60;

function assets({ objects }: World): readonly string[] {
  return [...objects.keys()].filter((key) => key.startsWith("assets/"));
}

async function draw({ site }: World, svg: string): Promise<void> {
  await writeFile(join(site.dir, "assets", "mark.svg"), svg);
}

test("a replaced asset stays for 24 hours, then it goes by itself", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  const [old = ""] = assets(world);
  await draw(world, "<svg><g/></svg>");
  await world.bake();
  expect(assets(world)).toHaveLength(2);

  world.now += 23 * HOUR;
  expect((await world.bake()).release).toBeUndefined();
  expect(assets(world)).toContain(old);

  world.now += HOUR + MINUTE;
  await world.bake();

  expect(assets(world)).toHaveLength(1);
  expect(assets(world)).not.toContain(old);
  expect(world.shown()).toEqual(await world.scratch());
  expect((await world.bake()).release).toBeUndefined();
});

test("an asset that comes back within its grace stays", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  const [first = ""] = assets(world);
  await draw(world, "<svg><g/></svg>");
  await world.bake();
  await draw(world, "<svg/>");
  world.now += HOUR;
  await world.bake();

  world.now += 48 * HOUR;
  await world.bake();

  expect(assets(world)).toEqual([first]);
  expect(world.shown()).toEqual(await world.scratch());
});

test("an asset that nobody names any more goes after its grace, too", async () => {
  await using world = await smallWorld(2);
  await writeFile(join(world.site.dir, "assets", "other.svg"), "<svg/>");
  await world.bake();
  await world.bake({}, (wired) => ({
    ...wired,
    assets: wired.assets.filter(({ name }) => name !== "other.svg"),
  }));
  expect(assets(world)).toHaveLength(2);

  world.now += 24 * HOUR + MINUTE;
  await world.bake({}, (wired) => ({
    ...wired,
    assets: wired.assets.filter(({ name }) => name !== "other.svg"),
  }));

  expect(assets(world)).toHaveLength(1);
});

test("no cache keeps what a page left when it moved, nor when it comes back", async () => {
  await using world = await smallWorld(3);
  const cdn = cacheCdn(world.objects, world.store);
  const cached = () => world.bake({}, (wired) => ({ ...wired, store: cdn.origin, cdn }));
  await cached();
  expect(cdn.held.has("/posts/p2/")).toBe(true);

  world.edit(2, "slug", "moved");
  await cached();

  // A redirect stands where the page was.
  expect(cdn.held.has("/posts/p2/")).toBe(true);
  expect(cdn.held.has("/posts/moved/")).toBe(true);
  expect(cdn.stale()).toEqual([]);

  world.post(2, { title: "Back" });
  await cached();

  expect(cdn.stale()).toEqual([]);
  expect(brokenLinks(world.objects)).toEqual([]);
  expect(world.shown()).toEqual(await world.scratch());
});

test("a build that changes nothing invalidates nothing", async () => {
  await using world = await smallWorld(3);
  const cdn = cacheCdn(world.objects, world.store);
  const cached = () => world.bake({}, (wired) => ({ ...wired, store: cdn.origin, cdn }));
  const first = await cached();
  const second = await cached();

  expect([first.invalidated, second.invalidated]).toEqual([0, 0]);
  expect(cdn.accepted.size).toBe(0);
});

test("an asset that comes back within its grace is what caches hold, so it is not invalidated", async () => {
  await using world = await smallWorld(2);
  const cdn = cacheCdn(world.objects, world.store);
  const cached = () => world.bake({}, (wired) => ({ ...wired, store: cdn.origin, cdn }));
  await cached();
  await draw(world, "<svg><g/></svg>");
  await cached();
  await draw(world, "<svg/>");

  await cached();

  const items = [...cdn.accepted.values()].flat();
  expect(items.filter((item) => item.startsWith("/assets/"))).toEqual([]);
  expect(cdn.stale()).toEqual([]);
});
