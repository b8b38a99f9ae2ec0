import type { Cdn } from "../../src/invalidate/cdn.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, address, routeOfKey } from "../../src/site.ts";

/** A cache before a store in memory, as bad as it may be: readers fetch everything at every moment. */
export interface CacheCdn extends Cdn {
  /** Items of each accepted batch, by its id. */
  readonly accepted: ReadonlyMap<string, readonly string[]>;
  /** What the edge holds, by path; nothing leaves it but by an invalidation. */
  readonly held: Map<string, Artifact>;
  /** The store behind it; what is put is fetched at once unless an older copy is held. */
  readonly origin: ObjectStore;
  /** Paths whose copy is not what the store has. */
  stale(): readonly string[];
}

/** Hashed assets are never invalidated: nobody asks for one that no page names. */
const isAsset = (path: string) => path.startsWith("/assets/");

/** CloudFront looks at the first fifty of an object. */
const MAX_TAGS = 50;

/** Puts a cache before a store whose objects are in `objects`. `held` is what it has already. */
export function cacheCdn(
  objects: ReadonlyMap<string, Artifact>,
  store: ObjectStore,
  { held = new Map(), hasTags = false }: { held?: Map<string, Artifact>; hasTags?: boolean } = {},
): CacheCdn {
  const accepted = new Map<string, readonly string[]>();
  const fetch = (key: string) => {
    const object = objects.get(key);
    if (object === undefined || object.cacheControl === "no-store") return;
    for (const path of pathsOf(key)) if (!held.has(path)) held.set(path, object);
  };
  for (const key of objects.keys()) fetch(key);
  return {
    name: "cache",
    isCaching: true,
    hasTags,
    batchItems: 5,
    accepted,
    held,
    async send({ id, items }) {
      const before = accepted.get(id);
      if (before !== undefined && before.join() !== items.join()) throw new Error(`${id} differs`);
      accepted.set(id, items);
      return id;
    },
    async isCompleted(id) {
      for (const item of accepted.get(id) ?? []) {
        if (item.startsWith("#") && !hasTags) throw new Error(`${item} evicts nothing.`);
        for (const path of evictedBy(item, held)) held.delete(path);
      }
      for (const key of objects.keys()) fetch(key);
      return true;
    },
    origin: {
      ...store,
      async put(artifact, write) {
        const etag = await store.put(artifact, write);
        fetch(artifact.key);
        return etag;
      },
    },
    stale() {
      const fresh = new Map(
        [...objects].flatMap(([key, object]) =>
          pathsOf(key).map((path) => [path, object] as const),
        ),
      );
      const isFresh = (path: string, copy: Artifact) =>
        fresh.get(path)?.hash.equals(copy.hash) === true;
      return [...held]
        .filter(([path, copy]) => !isAsset(path) && !isFresh(path, copy))
        .map(([path]) => path);
    },
  };
}

/** The paths whose copy an item evicts: a path, a wildcard, or a tag that the copy carries, in any case. */
export function evictedBy(
  item: string,
  held: ReadonlyMap<string, Pick<Artifact, "metadata">>,
): readonly string[] {
  if (item.endsWith("*")) {
    const start = item.slice(0, -1);
    return [...held.keys()].filter((path) => path.startsWith(start));
  }
  if (!item.startsWith("#")) return held.has(item) ? [item] : [];
  const tag = item.slice(1).toLowerCase();
  const carries = ({ metadata }: Pick<Artifact, "metadata">) =>
    (metadata["cache-tag"]?.toLowerCase().split(",") ?? []).slice(0, MAX_TAGS).includes(tag);
  return [...held].flatMap(([path, copy]) => (carries(copy) ? [path] : []));
}

const PATHS = new Map<string, readonly string[]>();

/** The paths under which readers ask for an object. */
export function pathsOf(key: string): readonly string[] {
  const paths = PATHS.get(key) ?? address(routeOfKey(key)).invalidations;
  PATHS.set(key, paths);
  return paths;
}
