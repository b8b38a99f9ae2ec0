import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import type { Wired } from "../../src/pipeline.ts";
import { cacheCdn } from "./cache-cdn.ts";
import { withHeaders } from "./declared.ts";
import { differences, scratch, served, shown } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

const SECOND = 1_000_000;
const HOUR = 3600 * SECOND;
const OLD = "posts/p2/index.html";

/** Browsers may show a note for 90 seconds without asking. */
const cached = (wired: Wired) =>
  withHeaders(wired, "note", { cache: { maxAge: 60, staleWhileRevalidate: 30 } });

/** What is served beside the objects that wait, compared with a build from scratch that says the same. */
async function isExact(world: World, rewire = cached): Promise<void> {
  const waiting = await world.ledger((ledger) => ledger.retired(1000));
  const names = new Set(waiting.map(({ object }) => object));
  const now = [...served(world.objects)].filter(([key]) => !names.has(key));
  const wanted = await scratch(world.site, world.now, { rewire });
  expect(differences(shown(new Map(now)), shown(wanted))).toEqual([]);
}

test("a deleted page stays until no browser shows what linked to it; then a run does that alone", async () => {
  await using world = await smallWorld(2);
  const cdn = cacheCdn(world.objects, world.store);
  const bake = () => world.bake({}, (wired) => ({ ...cached(wired), store: cdn.origin, cdn }));
  await bake();
  world.edit(2, "status", "draft");

  const gone = await bake();

  // The post and its note.
  expect(gone).toMatchObject({ deleted: 2, waiting: 2 });
  expect(world.objects.has(OLD)).toBe(true);
  await isExact(world);
  world.now += 89 * SECOND;
  expect(await bake()).toMatchObject({ release: undefined, waiting: 2 });
  expect(world.objects.has(OLD)).toBe(true);

  world.now += 60 * SECOND;
  const done = await bake();

  expect(done).toMatchObject({ candidates: 0, rendered: 0, changed: 0, waiting: 0 });
  expect(world.objects.has(OLD)).toBe(false);
  expect(cdn.stale()).toEqual([]);
  await isExact(world);
  expect((await bake()).release).toBeUndefined();
});

test("it counts from when the CDN has evicted what linked there, however late that is", async () => {
  await using world = await smallWorld(2);
  const cdn = cacheCdn(world.objects, world.store);
  const through = (wired: Wired) => ({ ...cached(wired), store: cdn.origin, cdn });
  await world.bake({}, through);
  world.edit(2, "status", "draft");
  const failing = world.bake({}, (wired) => {
    const isCompleted = async () => {
      throw new PipelineError("cdn_rejected", "No permission.");
    };
    return { ...through(wired), cdn: { ...cdn, isCompleted } };
  });
  await expect(failing).rejects.toMatchObject({ code: "cdn_rejected" });

  world.now += HOUR;
  expect(await world.bake({}, through)).toMatchObject({ waiting: 2 });
  expect(world.objects.has(OLD)).toBe(true);

  world.now += 2 * 60 * SECOND;
  expect(await world.bake({}, through)).toMatchObject({ waiting: 0 });
  expect(world.objects.has(OLD)).toBe(false);
});

test("what a page left stays as long, and so does a page that comes back meanwhile", async () => {
  await using world = await smallWorld(2);
  await world.bake({}, cached);
  world.edit(1, "author", "bob");
  world.edit(2, "status", "draft");
  await world.bake({}, cached);
  world.edit(2, "status", "published");

  expect(await world.bake({}, cached)).toMatchObject({ waiting: 0 });

  await isExact(world);
  world.now += HOUR;
  expect(await world.bake({}, cached)).toMatchObject({ release: undefined });
  await isExact(world);
});

test("a replaced asset stays a day longer than what names it may be shown", async () => {
  await using world = await smallWorld(2);
  await world.bake({}, cached);
  await writeFile(join(world.site.dir, "assets", "mark.svg"), "<svg><g/></svg>");
  await world.bake({}, cached);

  world.now += 24 * HOUR + 60 * SECOND;
  expect(await world.bake({}, cached)).toMatchObject({ release: undefined, waiting: 1 });

  world.now += 60 * SECOND;
  expect(await world.bake({}, cached)).toMatchObject({ waiting: 0 });
});

/** Notes that browsers may show for less. */
const shorter = (wired: Wired) => withHeaders(wired, "note", { cache: { maxAge: 10 } });

/** What waits stays for a minute and is gone after the next. */
async function leavesAfterTwoMinutes(world: World): Promise<void> {
  world.now += 60 * SECOND;
  expect(await world.bake({}, shorter)).toMatchObject({ waiting: 2 });
  world.now += 60 * SECOND;
  expect(await world.bake({}, shorter)).toMatchObject({ waiting: 0 });
}

test("copies that were put to be shown for longer are waited for when a kind says less", async () => {
  await using world = await smallWorld(2);
  await world.bake({}, cached);
  await world.bake({}, shorter);
  world.edit(2, "status", "draft");
  await world.bake({}, shorter);

  await leavesAfterTwoMinutes(world);
  world.edit(2, "status", "published");
  await world.bake({}, shorter);
  world.edit(2, "status", "draft");
  await world.bake({}, shorter);
  world.now += 15 * SECOND;
  expect(await world.bake({}, shorter)).toMatchObject({ waiting: 0 });
  await isExact(world, shorter);
});

test.each([
  ["a page failed", "throw", undefined],
  ["one kind was built", "New", "post"],
])("when %s some of these are shown still, so they are waited for on", async (_, title, only) => {
  await using world = await smallWorld(2);
  await world.bake({}, cached);
  world.edit(1, "title", title);
  await world.bake({ only }, shorter);
  world.now += HOUR;
  world.edit(2, "status", "draft");
  await world.bake({}, shorter);

  await leavesAfterTwoMinutes(world);
});

test("one kind's build dates nothing, since pages of other kinds may still link there", async () => {
  await using world = await smallWorld(2);
  await world.bake({}, cached);
  await world.bake({}, cached);
  world.edit(2, "slug", "moved");
  const plain = (wired: Wired) => ({ ...cached(wired), redirects: [] });
  await world.bake({ only: "post" }, plain);

  const [left] = await world.ledger((ledger) => ledger.retired(9));
  expect(left).toMatchObject({ object: OLD, dueAt: undefined });
  await world.bake({}, cached);

  await isExact(world);
});
