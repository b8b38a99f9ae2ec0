import { PipelineError } from "../error.ts";
import type { Bar, KnownBar } from "../ledger/ledger.ts";
import { address, decodeKey, isSamePage, keyName } from "../site.ts";
import { rest } from "./in-turn.ts";
import { pagesAt, unknown } from "./pages-at.ts";
import {
  eraseBarred,
  freeRoutes,
  type RemovalOptions,
  removeBarred,
  type Shelf,
} from "./removal.ts";
import type { Wired } from "./run.ts";

/** What is kept of a takedown beside its pages. */
export type Why = Pick<Bar, "reason" | "isErased" | "since">;

/** How long puts that had begun are left alone before they are asked about again. */
const PUT_MS = 200;

/** A page that is taken down, as `nightbake takedown` lists it. */
export interface ListedBar extends Why, Pick<KnownBar, "route" | "state" | "isErasing"> {
  readonly kind: string;
  /** As people read it: `42`. */
  readonly key: string;
}

/**
 * Takes the pages at these routes down: bars them, durably, then removes their objects, then what
 * the CDN holds of them, whatever else goes on. It reads no rows. What links to them is left to
 * `rebuildAround`. Safe to repeat; any run goes on where this one was killed.
 * @returns true when a run was killed while it put one of them, so that the next run has to look again
 * @throws PipelineError `input_invalid` with every route that is no page's, before anything is done
 */
export async function takeDown(
  shelf: Shelf,
  routes: readonly string[],
  { reason, isErased, since, ...options }: RemovalOptions & Why,
): Promise<boolean> {
  await barPages(shelf, await pagesToBar(shelf, routes, { reason, isErased, since }));
  return await removePages(shelf, options);
}

/** What the pages at these routes would be barred with. @throws PipelineError `input_invalid` */
export async function pagesToBar(
  shelf: Pick<Shelf, "site" | "ledger">,
  routes: readonly string[],
  { reason, isErased, since }: Why,
): Promise<readonly Bar[]> {
  const pages = await pagesAt(shelf, routes);
  const why = { reason, isErased, since };
  return pages.map(({ kind, key, route, isBelow }) => ({ kind, key, route, isBelow, ...why }));
}

/**
 * From now on there are no such pages, whoever publishes. One that was taken down before is removed
 * again only if something is there: else its invalidation would be paid for twice.
 */
export async function barPages(shelf: Shelf, bars: readonly Bar[]): Promise<void> {
  const { ledger } = shelf;
  const known = await ledger.bars();
  const isAgain = await Promise.all(
    bars.map(async (bar) => {
      const old = known.find((each) => isSamePage(each, bar));
      return old?.state === "removed" && (await isThere(shelf, old));
    }),
  );
  await ledger.bar(bars.filter((_, at) => !isAgain[at]));
  await ledger.bar(
    bars.filter((_, at) => isAgain[at]),
    { isAgain: true },
  );
}

/** True when the store has an object where a page was and no other is. */
async function isThere(shelf: Shelf, bar: KnownBar): Promise<boolean> {
  const free = await freeRoutes(shelf, [bar], await shelf.ledger.intents());
  const found = await Promise.all(free.map((route) => shelf.store.head(address(route).key)));
  return found.some((head) => head !== undefined);
}

/** Removes all that is taken down, wherever it is kept; the second half of {@link takeDown}. */
export async function removePages(shelf: Shelf, options: RemovalOptions): Promise<boolean> {
  const isAwaited = await removeAll(shelf, options);
  await eraseBarred(shelf);
  return isAwaited;
}

/**
 * Removes all that is taken down from store and CDN, also what puts bring back that had begun before.
 * @returns true when a run was killed while it put, so that nobody knows yet
 */
export async function removeAll(shelf: Shelf, options: RemovalOptions): Promise<boolean> {
  const { ledger, sleep } = shelf;
  for (;;) {
    // Asked before: a run that ends in between has settled its puts.
    const isClaimed = await ledger.isClaimed(Date.now());
    const isAwaited = await removeBarred(shelf, options);
    if (!isAwaited || !isClaimed) return isAwaited;
    await rest({ sleep, signal: options.signal }, PUT_MS);
  }
}

/** The pages that are taken down, in page order. */
export async function takedownsOf({
  ledger,
}: Pick<Wired, "ledger">): Promise<readonly ListedBar[]> {
  const bars = (await ledger.bars()).filter(({ state }) => state !== "lifted");
  return bars.map(({ kind, key, route, since, reason, isErased, state, isErasing }) => {
    const name = keyName(decodeKey(key));
    return { kind, key: name, route, since, reason, isErased, state, isErasing };
  });
}

/** Ends the takedowns at these routes; the pages are made by `rebuildAround`, or any other run. */
export async function lift(
  shelf: Pick<Shelf, "ledger">,
  routes: readonly string[],
): Promise<readonly Bar[]> {
  const bars = await liftable(shelf, routes);
  await shelf.ledger.lift(bars);
  return bars;
}

/** The bars at these routes. @throws PipelineError `input_invalid` with every route that has none */
export async function liftable(
  { ledger }: Pick<Shelf, "ledger">,
  routes: readonly string[],
): Promise<readonly KnownBar[]> {
  const all = (await ledger.bars()).filter(({ state }) => state !== "lifted");
  const there = new Set(all.map(({ route }) => route));
  const problems = routes
    .filter((route) => !there.has(route))
    .map((route) => unknown(route, "No page there is taken down.", there));
  if (problems.length === 0) return all.filter(({ route }) => routes.includes(route));
  throw new PipelineError("input_invalid", "Some routes are not those of pages taken down.", {
    hint: "`nightbake takedown list` shows what is taken down.",
    problems,
  });
}
