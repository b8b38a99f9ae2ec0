import {
  type BuildOptions,
  lift,
  rebuildAround,
  takeDown,
  type Wired,
} from "../../src/pipeline.ts";
import { type MemoryVersions, memoryStore } from "../../src/publish/memory-store.ts";
import { type Artifact, address } from "../../src/site.ts";
import { type CacheCdn, cacheCdn } from "./cache-cdn.ts";
import { openSmall } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

const signal = new AbortController().signal;

/** A world behind a cache that was built, with archives, links in bodies, and a page that moved once. */
export interface CachedWorld extends World {
  readonly cdn: CacheCdn;
  /** What every object was, by key. */
  readonly versions: MemoryVersions;
}

/** Makes one: post 3 is at `/posts/p3/` and was at `/posts/once/`. */
export async function cachedWorld(): Promise<CachedWorld> {
  const objects = new Map<string, Artifact>();
  const versions: MemoryVersions = new Map();
  const cdn = cacheCdn(objects, memoryStore(objects, versions));
  const world = await smallWorld(5, { cdn, objects, wrap: () => cdn.origin });
  world.post(6, { body: "[three](/posts/p3/) [once](/posts/once/)", topic: "y" });
  world.edit(3, "slug", "once");
  await world.bake();
  world.edit(3, "slug", "p3");
  await world.bake();
  return { ...world, cdn, versions };
}

/** Options of a takedown at the moment of a world. */
export function asked(
  { now: since }: Pick<World, "now">,
  more: { readonly reason?: string; readonly isErased?: boolean } = {},
) {
  return { signal, since, reason: "", isErased: false, ...more };
}

/** Options of a rebuild at the moment of a world. */
export function around(world: Pick<World, "now">): Pick<BuildOptions, "signal" | "emit" | "now"> {
  return { signal, emit: () => {}, now: () => world.now };
}

/** Opens a world's pipeline for `work`. */
export async function wiredOf<T>(world: World, work: (wired: Wired) => Promise<T>): Promise<T> {
  const { site, store, cdn } = world;
  const parts = { ledger: "ledger.db", store, ...(cdn === undefined ? {} : { cdn }) };
  await using wired = await openSmall(site, parts);
  return await work(wired);
}

/** Takes pages down, and rebuilds what links to them. */
export async function takeAway(world: World, ...routes: readonly string[]) {
  return await wiredOf(world, async (wired) => {
    await takeDown(wired, routes, asked(world));
    return await rebuildAround(wired, around(world));
  });
}

/** Ends takedowns, and makes the pages again. */
export async function bringBack(world: World, ...routes: readonly string[]) {
  return await wiredOf(world, async (wired) => {
    await lift(wired, routes);
    return await rebuildAround(wired, around(world));
  });
}

/** True while readers can get anything at a route. */
export function isThere({ objects, cdn }: CachedWorld, route: string): boolean {
  const { key, invalidations } = address(route);
  return objects.has(key) || invalidations.some((path) => cdn.held.has(path));
}
