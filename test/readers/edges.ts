import type { Batch, Cdn } from "../../src/invalidate/cdn.ts";
import type { Artifact } from "../../src/site.ts";
import { evictedBy, pathsOf } from "../pipeline/cache-cdn.ts";
import type { Dice } from "./dice.ts";

/**
 * Ways in which an edge evicts: when it is told, at any moment until all have, last of all. One keeps
 * nothing, as if nobody had asked there before, so that readers see each object as it is put.
 */
const EVICTS = ["at once", "some time", "last", "before all"] as const;

/** An edge may lose a copy that it has no room for: one in so many at each question. */
const LOST = 8;

/** Longest time until an invalidation has completed everywhere. */
const MAX_SECONDS = 60;

/** A CDN before a store in memory. Each edge keeps what its readers asked for until that is evicted. */
export interface Edges extends Cdn {
  /** How many edges there are. */
  readonly count: number;
  /** What a reader at an edge gets for an object; nothing is a 404, which is not kept. */
  ask(edge: number, key: string): Artifact | undefined;
  /** Copies that invalidations have evicted so far. */
  evicted(): number;
  /** Paths of which an edge holds another copy than the store does. */
  stale(): readonly string[];
}

interface Pending {
  readonly items: readonly string[];
  /** ms, by edge; undefined once it has evicted. */
  readonly at: (number | undefined)[];
}

/** Puts edges before the store whose objects are in `objects`. Time is `Date`'s. */
export function edges(
  objects: ReadonlyMap<string, Artifact>,
  { roll, isOne }: Dice,
  hasTags: boolean,
): Edges {
  const held = EVICTS.map(() => new Map<string, Artifact>());
  const sent = new Map<string, Batch>();
  const completesAt = new Map<string, number>();
  let pending: Pending[] = [];
  let evicted = 0;
  const catchUp = () => {
    const now = Date.now();
    for (const { items, at } of pending) {
      for (const [edge, moment] of at.entries()) {
        if (moment === undefined || moment > now) continue;
        at[edge] = undefined;
        evicted += evict(held[edge] as Map<string, Artifact>, items);
      }
    }
    pending = pending.filter(({ at }) => at.some((moment) => moment !== undefined));
  };
  return {
    name: "edges",
    isCaching: true,
    hasTags,
    batchItems: 5,
    count: EVICTS.length,
    async send(batch) {
      const before = sent.get(batch.id);
      if (before !== undefined && before.items.join() !== batch.items.join()) {
        throw new Error(`${batch.id} differs`);
      }
      // The same one again is the same invalidation, which evicts nothing more.
      if (before !== undefined) return batch.id;
      sent.set(batch.id, batch);
      const [now, most] = [Date.now(), (1 + roll(MAX_SECONDS)) * 1000];
      completesAt.set(batch.id, now + most);
      const at = EVICTS.map((when) => {
        if (when === "some time") return now + roll(most);
        return when === "last" ? now + most : now;
      });
      pending.push({ items: batch.items, at });
      return batch.id;
    },
    async isCompleted(invalidation) {
      catchUp();
      return Date.now() >= (completesAt.get(invalidation) ?? Number.POSITIVE_INFINITY);
    },
    ask(edge, key) {
      catchUp();
      const copies = held[edge] as Map<string, Artifact>;
      const path = pathAt(edge, key);
      const when = EVICTS[edge];
      if (when === "before all" || (when === "some time" && isOne(LOST))) copies.delete(path);
      const copy = copies.get(path) ?? objects.get(key);
      if (copy !== undefined && copy.cacheControl !== "no-store") copies.set(path, copy);
      return copy;
    },
    evicted: () => evicted,
    stale() {
      catchUp();
      return held.flatMap((copies, edge) => {
        if (EVICTS[edge] === "before all") return [];
        const now = new Map([...objects].map(([key, object]) => [pathAt(edge, key), object]));
        return [...copies]
          .filter(([path, { hash, key }]) => {
            return !key.startsWith("assets/") && now.get(path)?.hash.equals(hash) !== true;
          })
          .map(([path]) => path);
      });
    },
  };
}

/** Some know an object by what readers ask for, some by what their index function makes of that. */
function pathAt(edge: number, key: string): string {
  const paths = pathsOf(key);
  return paths[edge % paths.length] ?? key;
}

function evict(copies: Map<string, Artifact>, items: readonly string[]): number {
  const paths = new Set(items.flatMap((item) => evictedBy(item, copies)));
  for (const path of paths) copies.delete(path);
  return paths.size;
}
