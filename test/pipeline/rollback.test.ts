import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  diffReleases,
  type PageDiff,
  type RolledBack,
  releasesOf,
  resume,
  rollback,
  sweep,
} from "../../src/pipeline.ts";
import { encodeKey } from "../../src/site.ts";
import { memoryCache } from "../cache/memory-cache.ts";
import { brokenLinks } from "./links.ts";
import { siteOf } from "./releases.ts";
import { DAY } from "./rows.ts";
import { differences } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

const signal = new AbortController().signal;

function back(world: World, release: number, isDryRun = false): Promise<RolledBack> {
  const options = { isDryRun, signal, emit: () => {}, now: () => world.now };
  return world.with((wired) => rollback(wired, release, options));
}

/** A site after four releases that changed it in every way, and what it was after each, from 1 on. */
async function livedIn(world: World): Promise<readonly Readonly<Record<string, string>>[]> {
  const sites = [{}];
  const release = async () => {
    await world.bake();
    sites.push(siteOf(world.objects));
  };
  await release();
  world.edit(1, "title", "Changed");
  world.post(5, { topic: "z", body: "[two](/posts/p2/)" });
  await release();
  world.edit(1, "slug", "moved");
  world.edit(2, "status", "draft");
  world.edit(3, "slug", "p4");
  world.edit(4, "slug", "p3");
  await writeFile(join(world.site.dir, "assets", "mark.svg"), "<svg><g/></svg>");
  await release();
  world.post(6, { slug: "p2", topic: "z" });
  world.edit(5, "topic", "x");
  await release();
  return sites;
}

const STORES = {
  "that keeps versions": () => smallWorld(4, { isVersioned: true }),
  "without versions, of whose pages copies are kept": () => smallWorld(4, { kept: memoryCache() }),
};

describe.for(Object.entries(STORES))("in a store %s", ([, open]) => {
  test("a rollback makes the site what it was after each release, and undoes itself", async () => {
    await using world = await open();
    const sites = await livedIn(world);

    for (const release of [3, 1, 4, 2, 1, 3]) {
      expect(await back(world, release)).toMatchObject({ rollback: release, failed: 0 });

      expect(
        differences(siteOf(world.objects), sites[release] ?? {}),
        `release ${release}`,
      ).toEqual([]);
      expect(brokenLinks(world.objects)).toEqual([]);
    }
  });

  test("a build is refused until publishing is resumed, and then ends exact", async () => {
    await using world = await open();
    await livedIn(world);
    await back(world, 2);
    world.edit(4, "title", "Edited meanwhile");
    const before = world.shown();

    await expect(world.bake()).rejects.toMatchObject({
      code: "publishing_held",
      hint: expect.stringContaining("nightbake resume"),
    });
    await expect(world.bake({ targets: ["post:4"] })).rejects.toMatchObject({
      code: "publishing_held",
    });
    await world.bake({ isDryRun: true });
    expect(world.shown()).toEqual(before);

    expect(await world.with(resume)).toMatchObject({ release: 2 });
    expect(await world.with(resume)).toBeUndefined();
    await world.bake();
    await isExact(world);
    expect(await world.bake()).toMatchObject({ release: undefined, changed: 0 });
  });

  test("a rebuild after a rollback ends exact, too", async () => {
    await using world = await open();
    await livedIn(world);
    await back(world, 1);
    await world.with(resume);
    world.edit(4, "title", "Edited meanwhile");

    await world.bake({ targets: ["post:4"] });

    await isExact(world);
  });

  test("a page that failed when it was rolled back fails with what is live then", async () => {
    await using world = await open();
    await livedIn(world);
    world.edit(1, "title", "throw");
    await world.bake();
    await back(world, 1);
    await world.with(resume);

    expect(await world.bake()).toMatchObject({ failed: 1 });
    expect(world.shown()["posts/p1/index.html"]).toContain("Title 1");
    world.edit(1, "title", "Good again");
    await world.bake();
    await isExact(world);
  });

  test("a dry run says what would be done and changes nothing", async () => {
    await using world = await open();
    await livedIn(world);
    const before = world.shown();

    const dry = await back(world, 2, true);

    expect(world.shown()).toEqual(before);
    expect(await world.bake()).toMatchObject({ release: undefined });
    const { creates, updates, deletes } = await back(world, 2);
    expect(dry).toMatchObject({ creates, updates, deletes, release: undefined });
    expect(deletes).toBeGreaterThan(0);
  });

  test("lists what releases did, and tells two of them apart", async () => {
    await using world = await open();
    await livedIn(world);
    await back(world, 2);

    const releases = await world.with((wired) => releasesOf(wired, 3));
    expect(releases).toMatchObject([
      { release: 5, run: "rollback", rollback: 2, isRestorable: true, isHeld: false },
      { release: 4, run: "build", isRestorable: true },
      { release: 3, run: "build", deleted: expect.any(Number), isRestorable: true },
    ]);
    const diffs = await world.with((wired) => Array.fromAsync(diffReleases(wired, [1, 2])));
    expect(diffs.filter(isPost("1", "5"))).toMatchObject([
      { key: "1", did: "change", route: "/posts/p1/", reason: "row:posts/1" },
      { key: "5", did: "create", route: "/posts/p5/", bytesBefore: undefined },
    ]);
    const other = await world.with((wired) => Array.fromAsync(diffReleases(wired, [2, 1])));
    expect(other.map(({ did }) => did).sort()).toEqual(
      diffs.map(({ did }) => (did === "create" ? "delete" : did)).sort(),
    );
    expect(await world.with((wired) => Array.fromAsync(diffReleases(wired, [2, 5])))).toEqual([]);
  });

  test("a page that moved is told with both its routes", async () => {
    await using world = await open();
    await livedIn(world);

    const diffs = await world.with((wired) => Array.fromAsync(diffReleases(wired, [2, 3])));

    expect(diffs.filter(isPost("1", "2", "3", "4"))).toMatchObject([
      { key: "1", did: "change", from: "/posts/p1/", route: "/posts/moved/", reason: "route" },
      { key: "2", did: "delete", route: "/posts/p2/", bytesAfter: undefined },
      { key: "3", did: "change", from: "/posts/p3/", route: "/posts/p4/" },
      { key: "4", did: "change", from: "/posts/p4/", route: "/posts/p3/" },
    ]);
  });

  test("a page that is taken down stays away, and what comes back with links to it is told", async () => {
    await using world = await open();
    world.post(5, { body: "[two](/posts/p2/)" });
    await world.bake();
    world.edit(2, "status", "draft");
    await world.bake();
    const bar = { kind: "post", key: encodeKey([2]), route: "/posts/p2/", since: world.now };
    const more = { isBelow: false, reason: "", isErased: false };
    await world.ledger((ledger) => ledger.bar([{ ...bar, ...more }]));

    const done = await back(world, 1);

    expect(done.barred).toEqual(["/posts/p2/"]);
    expect(done.dangling).toContain("/notes/5/");
    expect(done.dangling).not.toContain("/notes/3/");
    expect(Object.keys(world.shown())).not.toContain("posts/p2/index.html");
    expect(world.shown()["notes/5/index.html"]).toContain("/posts/p2/");
  });

  test("a release that is not there is refused", async () => {
    await using world = await open();
    await livedIn(world);

    for (const release of [0, 5]) {
      await expect(back(world, release)).rejects.toMatchObject({
        code: "config_invalid",
        hint: "There are 1 to 4.",
      });
    }
  });
});

test("a release of which anything is lost is refused before anything changes, and said so", async () => {
  await using world = await smallWorld(4);
  await livedIn(world);
  const before = world.shown();

  const releases = await world.with((wired) => releasesOf(wired, 9));
  expect(releases.map(({ isRestorable }) => isRestorable)).toEqual([true, false, false, false]);
  expect(releases[1]?.why).toBe("pages that release 4 replaced or deleted were not kept");
  await expect(back(world, 2)).rejects.toMatchObject({
    code: "release_lost",
    problems: expect.arrayContaining([expect.objectContaining({ place: "/posts/p1/" })]),
  });
  expect(world.shown()).toEqual(before);
  expect(await world.bake()).toMatchObject({ release: undefined });
});

test("what is older than releases are kept is forgotten by a build, with the copies", async () => {
  const kept = memoryCache();
  await using world = await smallWorld(4, { kept });
  const keep = { releases: 2, days: 30 };
  const build = () => world.bake({}, (wired) => ({ ...wired, keep }));
  for (const days of [0, 0, 20, 20, 20]) {
    world.now += days * DAY;
    world.edit(1, "title", `Edited at ${world.now} ${Math.random()}`);
    await build();
  }

  // Thirty days before the last release the site was that of the third.
  expect(await world.ledger((ledger) => ledger.note("kept_since"))).toBe("3");
  await expect(back(world, 2)).rejects.toMatchObject({
    code: "release_lost",
    hint: "There are 3 to 5.",
  });
  const copies = kept.values.size;
  world.now += 100 * DAY;
  expect(await world.bake({}, (wired) => ({ ...wired, keep }))).toMatchObject({
    release: undefined,
  });

  expect(kept.values.size).toBe(copies);
  const options = { now: world.now, signal };
  expect(await world.with((wired) => sweep({ ...wired, keep }, options))).toBeGreaterThan(0);
  expect(kept.values.size).toBeLessThan(copies);
  expect(await world.with((wired) => sweep({ ...wired, keep }, options))).toBe(0);
  expect((await world.ledger((ledger) => ledger.releases(9))).map(({ id }) => id)).toEqual([5, 4]);
  await back(world, 4);
});

test("a kept copy that is not what the ledger says is never put", async () => {
  const kept = memoryCache();
  await using world = await smallWorld(4, { kept });
  await livedIn(world);
  for (const [key, value] of kept.values) kept.values.set(key, Buffer.concat([value, value]));

  await expect(back(world, 2)).rejects.toMatchObject({ code: "release_lost" });
});

function isPost(...keys: readonly string[]) {
  return ({ kind, key }: PageDiff) => kind === "post" && keys.includes(key);
}

async function isExact(world: World): Promise<void> {
  const wanted = await world.scratch();
  const actual = Object.entries(world.shown());
  const kept = actual.filter(([key]) => !key.startsWith("assets/") || wanted[key] !== undefined);
  expect(differences(Object.fromEntries(kept), wanted)).toEqual([]);
}
