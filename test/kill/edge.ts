import { address, routeOfKey } from "../../src/site.ts";
import type { S3Object } from "../services/memory-objects.ts";

/**
 * A cache before a bucket, as bad as it may be: readers have fetched every URL before, and fetch each again at
 * the very moment at which it leaves the cache. Nothing leaves it but by an invalidation.
 */
export interface Edge {
  /** What it holds, by path. */
  readonly copies: ReadonlyMap<string, S3Object>;
  /** The bucket has this object now, or has it no longer. */
  wrote(key: string): void;
  /** Items as CloudFront's: `/path`, `/prefix*`, `#tag`. */
  evict(items: readonly string[]): Promise<void>;
  /** Paths at which readers get something else than the bucket has. */
  stale(): readonly string[];
}

type Objects = ReadonlyMap<string, S3Object>;

/** Hashed assets are never invalidated: nobody asks for one that no page names. */
const isAsset = (path: string) => path.startsWith("/assets/");

/** A cache that holds `held` already, before the bucket `objects` as it is and becomes. */
export function openEdge(objects: Objects, held: Edge["copies"] = new Map()): Edge {
  const copies = new Map(held);
  const fetch = (key: string) => {
    const object = objects.get(key);
    if (object === undefined || object.headers["cache-control"] === "no-store") return;
    for (const path of pathsOf(key)) if (!copies.has(path)) copies.set(path, object);
  };
  for (const key of objects.keys()) fetch(key);
  return {
    copies,
    wrote: fetch,
    async evict(items) {
      const named = [...copies].filter(([path, copy]) =>
        items.some((item) => isNamed(item, path, copy)),
      );
      for (const [path] of named) copies.delete(path);
      for (const key of objects.keys()) fetch(key);
    },
    stale() {
      const fresh = new Map(
        [...objects].flatMap(([key, object]) =>
          pathsOf(key).map((path) => [path, object] as const),
        ),
      );
      return [...copies]
        .filter(([path, copy]) => !isAsset(path) && !isSame(copy, fresh.get(path)))
        .map(([path]) => path);
    },
  };
}

function isNamed(item: string, path: string, { headers }: S3Object): boolean {
  if (item.startsWith("#")) {
    const tags = (headers["x-amz-meta-cache-tag"] ?? "").toLowerCase().split(",");
    return tags.includes(item.slice(1).toLowerCase());
  }
  return item.endsWith("*") ? path.startsWith(item.slice(0, -1)) : path === item;
}

/** Tags count: a copy with old ones would not go when the new ones are named. */
function isSame(a: S3Object, b: S3Object | undefined): boolean {
  return (
    a === b || (b !== undefined && a.body.equals(b.body) && shownHeaders(a) === shownHeaders(b))
  );
}

/** An object's headers as text, but for who wrote it and when. */
export function shownHeaders({ headers }: Pick<S3Object, "headers">): string {
  const own = Object.entries(headers).filter(([name]) => !PRIVATE.test(name));
  return JSON.stringify(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const PRIVATE = /^(?:etag|last-modified|x-amz-meta-nightbake-.*)$/;

const PATHS = new Map<string, readonly string[]>();

/** The paths under which readers ask for an object. */
function pathsOf(key: string): readonly string[] {
  const paths = PATHS.get(key) ?? address(routeOfKey(key)).invalidations;
  PATHS.set(key, paths);
  return paths;
}
