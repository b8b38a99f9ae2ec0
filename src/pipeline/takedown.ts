import { PipelineError } from "../error.ts";
import type { Bar } from "../ledger/ledger.ts";
import { rest } from "./in-turn.ts";
import { pagesAt, unknown } from "./pages-at.ts";
import { type RemovalOptions, removeBarred, type Shelf } from "./removal.ts";

export interface TakedownOptions extends RemovalOptions {
  /** In the operator's words; may be empty. */
  readonly reason: string;
  /** No version of the pages stays anywhere, and no rollback brings them back. */
  readonly isErased: boolean;
  /** µs */
  readonly now: number;
}

/** What a takedown did so far. */
export interface TakenDown {
  readonly bars: readonly Bar[];
  /** A run was killed while it put one of the pages, so that the next run has to remove it once more. */
  readonly isAwaited: boolean;
}

/** How long puts that had begun are left alone before they are asked about again. */
const PUT_MS = 200;

/**
 * Takes the pages at these routes down: bars them, durably, then removes their objects, then what
 * the CDN holds of them, whatever else goes on. It reads no rows. What links to them is left to
 * `rebuildAround`. Safe to repeat; any run goes on where this one was killed.
 * @throws PipelineError `input_invalid` with every route that is no page's, before anything is done
 */
export async function takeDown(
  shelf: Shelf,
  routes: readonly string[],
  { reason, isErased, now, ...options }: TakedownOptions,
): Promise<TakenDown> {
  const bars = await barsAt(shelf, routes, { reason, isErased, since: now });
  await shelf.ledger.bar(bars, { isAgain: true });
  return { bars, isAwaited: await removeAll(shelf, options) };
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

/** What the pages at these routes are barred with. */
async function barsAt(
  shelf: Pick<Shelf, "site" | "ledger">,
  routes: readonly string[],
  what: Pick<Bar, "reason" | "isErased" | "since">,
): Promise<readonly Bar[]> {
  const pages = await pagesAt(shelf, routes);
  return pages.map(({ kind, key, route, isBelow }) => ({ kind, key, route, isBelow, ...what }));
}

/** Ends the takedowns at these routes; the pages are made by `rebuildAround`, or any other run. */
export async function lift(
  { ledger }: Pick<Shelf, "ledger">,
  routes: readonly string[],
): Promise<readonly Bar[]> {
  const bars = await liftable({ ledger }, routes);
  await ledger.lift(bars);
  return bars;
}

/** The bars at these routes. @throws PipelineError `input_invalid` with every route that has none */
async function liftable(
  { ledger }: Pick<Shelf, "ledger">,
  routes: readonly string[],
): Promise<readonly Bar[]> {
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
