import { type AnyList, type Kind, type PageId, readsOf } from "../site.ts";
import type { PlanContext } from "./context.ts";
import { placeBounds, placeName } from "./read-names.ts";
import type { TouchedPart } from "./touched.ts";

/** Pages whose place is so near a touched one that it is among their neighbours. */
export async function neighbours(
  { list, part, places }: TouchedPart,
  { ledger, site, rows }: PlanContext,
): Promise<readonly PageId[]> {
  const reach = reachOf(list, site.kinds);
  if (reach === undefined) return [];
  const windows = places.flatMap((order) => [
    { part, to: { order, isInclusive: false }, first: "newest", limit: reach.after } as const,
    { part, from: { order, isInclusive: false }, first: "oldest", limit: reach.before } as const,
  ]);
  const found = await rows.placesIn(list, windows);
  const bounds = placeBounds(list.name, part);
  const near = await Promise.all(
    places.map(async (order, at) => {
      const [older = [], newer = []] = [found[2 * at], found[2 * at + 1]];
      const [first, last] = [older[reach.after - 1], newer[reach.before - 1]];
      const own = placeName(list.name, part, order);
      const from = first === undefined ? bounds.from : placeName(list.name, part, first.order);
      const to = last === undefined ? bounds.to : placeName(list.name, part, last.order);
      const lower = reach.after === 0 ? own : from;
      const upper = reach.before === 0 ? own : to;
      return await ledger.readersBetween(lower, upper);
    }),
  );
  return near.flat();
}

/** How many entries before and after its place the widest reader of a list's neighbours sees. */
function reachOf(
  list: AnyList,
  kinds: readonly Kind[],
): { readonly before: number; readonly after: number } | undefined {
  const reads = kinds
    .flatMap(readsOf)
    .filter((read) => read.read === "around")
    .filter((read) => read.list === list);
  if (reads.length === 0) return undefined;
  return {
    before: Math.max(...reads.map(({ before }) => before)),
    after: Math.max(...reads.map(({ after }) => after)),
  };
}
