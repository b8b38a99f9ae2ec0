import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { resume, rollback, type Wired } from "../../src/pipeline.ts";
import { type MemoryVersions, memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { type MemoryCache, memoryCache } from "../cache/memory-cache.ts";
import { type CacheCdn, cacheCdn } from "./cache-cdn.ts";
import { atEffects, type FaultOptions, faultAt } from "./faults.ts";
import { later } from "./later.ts";
import { brokenLinks } from "./links.ts";
import { siteOf } from "./releases.ts";
import { bake, differences, openSmall } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

vi.setConfig({ testTimeout: 600_000 });

const signal = new AbortController().signal;

/** A site of three releases that changed it in every way; the first is rolled back to. */
let world: World;
let parts: Wired;
let first: Readonly<Record<string, string>>;
let last: Readonly<Record<string, string>>;
/** What there is before each rollback. */
let held: ReadonlyMap<string, Artifact>;
let kept: MemoryCache;
const versions: MemoryVersions = new Map();

beforeAll(async () => {
  kept = memoryCache();
  world = await smallWorld(4);
  world.post(5, { topic: "z", body: "[two](/posts/p2/)" });
  const cdn = cacheCdn(world.objects, memoryStore(world.objects, versions), { hasTags: true });
  const rewire = (wired: Wired) => ({ ...wired, store: untold(cdn.origin), cdn, kept });
  await world.bake({}, rewire);
  first = siteOf(world.objects);
  world.edit(1, "slug", "moved");
  world.edit(2, "status", "draft");
  await world.bake({}, rewire);
  world.edit(3, "slug", "p4");
  world.edit(4, "slug", "p3");
  world.post(6, { slug: "p2", body: "New" });
  await writeFile(join(world.site.dir, "assets", "mark.svg"), "<svg><g/></svg>");
  await world.bake({}, rewire);
  last = siteOf(world.objects);
  held = cdn.held;
  await world.rest();
  await copyFile(join(world.site.dir, "ledger.db"), join(world.site.dir, "base.db"));
  parts = await openSmall(world.site, { ledger: "unused.db", store: world.store });
});

afterAll(async () => {
  await parts[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** A store that says it keeps no versions, so that copies are kept; it has them all the same. */
function untold(store: Wired["store"]): Wired["store"] {
  return { ...store, keepsVersions: async () => false };
}

type Next = (wired: Wired) => Promise<unknown>;

/** A rollback with a fault, and what comes next; what there is then. */
async function run(options: FaultOptions, isVersioned: boolean, next: Next) {
  const file = join(world.site.dir, `${options.nth}.db`);
  await copyFile(join(world.site.dir, "base.db"), file);
  const objects = new Map(world.objects);
  const store = memoryStore(objects, isVersioned ? new Map(versions) : undefined);
  const cdn = cacheCdn(objects, store, { held: new Map(held), hasTags: true });
  const copies = memoryCache();
  for (const [key, value] of isVersioned ? [] : kept.values) copies.values.set(key, value);
  const fault = faultAt(options);
  const wired = { ...parts, store: cdn.origin, cdn, kept: copies };
  const struck = await attempt(file, (ledger) => back(atEffects(fault, { ...wired, ledger })));
  const after = await attempt(file, (ledger) => next(later({ ...wired, ledger })));
  await using ledger = await openSqliteLedger(file);
  const left = { intents: await ledger.intents(), outbox: await ledger.outbox() };
  await rm(file);
  return { objects, cdn, struck, after, left, hasStruck: fault.hasStruck() };
}

function back(wired: Wired) {
  const options = { isDryRun: false, signal, emit: () => {}, now: () => world.now };
  return rollback(wired, 1, options);
}

async function attempt(file: string, work: (ledger: Ledger) => Promise<unknown>) {
  await using ledger = await openSqliteLedger(file);
  try {
    return await work(ledger);
  } catch (error) {
    return error;
  }
}

/** Rolls back with a fault at the first effect, the second …, until one passes without meeting it. */
async function everyEffect(
  when: FaultOptions["when"],
  isVersioned: boolean,
  next: Next,
  check: (cdn: CacheCdn, objects: ReadonlyMap<string, Artifact>, at: string) => void,
): Promise<number> {
  for (let nth = 1; ; nth += 1) {
    const error = () => new Error("killed");
    const options = { nth, when, isFatal: true, error };
    const { objects, cdn, after, left, hasStruck } = await run(options, isVersioned, next);
    const at = `${when} effect ${nth}`;

    expect(after, at).not.toBeInstanceOf(Error);
    check(cdn, objects, at);
    expect(brokenLinks(objects), at).toEqual([]);
    expect(left, at).toEqual({ intents: [], outbox: [] });
    expect(cdn.stale(), at).toEqual([]);
    if (!hasStruck) return nth;
  }
}

test.for([
  ["before", true],
  ["before", false],
  ["after", true],
] as const)(
  "killed %s any effect, versions %s, the next rollback ends what it began",
  async ([when, isVersioned]) => {
    const effects = await everyEffect(when, isVersioned, back, (_, objects, at) => {
      expect(differences(siteOf(objects), first), at).toEqual([]);
    });

    expect(effects).toBeGreaterThan(40);
  },
);

test("killed before any effect, a build after resuming ends exact", async () => {
  const go = async (wired: Wired) => {
    await resume(wired);
    return await bake(wired, { now: () => world.now });
  };

  await everyEffect("before", true, go, (_, objects, at) => {
    expect(differences(siteOf(objects), last), at).toEqual([]);
  });
});

test("once anything is put, a build is refused", async () => {
  let isRefused = 0;
  const go = async (wired: Wired) => {
    const isTouched = differences(siteOf(await objectsOf(wired)), last).length > 0;
    const built = await bake(wired, { now: () => world.now }).catch((error: unknown) => error);
    if (!isTouched) return built;
    isRefused += 1;
    expect(built).toMatchObject({ code: "publishing_held" });
    return await back(wired);
  };

  for (let nth = 1; ; nth += 1) {
    const options = {
      nth,
      when: "after",
      isFatal: true,
      error: () => new Error("killed"),
    } as const;
    const { hasStruck } = await run(options, true, go);
    if (!hasStruck) break;
  }

  expect(isRefused).toBeGreaterThan(30);
});

async function objectsOf({ store }: Wired): Promise<ReadonlyMap<string, Artifact>> {
  const objects = new Map<string, Artifact>();
  for await (const { key } of store.list("")) {
    objects.set(key, (await store.get(key)) as Artifact);
  }
  return objects;
}
