import { PipelineError } from "../error.ts";
import { purge } from "../invalidate/purge.ts";
import type { Intent, KnownBar } from "../ledger/ledger.ts";
import { liveUnder } from "../plan/bars.ts";
import { redirectTarget } from "../plan/redirect-pages.ts";
import { address, foldRoute, isUnder, type PageId, pageName, redirectKind } from "../site.ts";
import { deleteConditions } from "./delete-conditions.ts";
import { keptName } from "./kept.ts";
import type { BuildOptions, Wired } from "./run.ts";

/** What a takedown needs: no rows, no templates. */
export type Shelf = Pick<
  Wired,
  "site" | "ledger" | "store" | "cdn" | "terms" | "bodies" | "kept" | "sleep"
>;

export type RemovalOptions = Pick<BuildOptions, "signal"> & {
  /** Longest time spent waiting for the CDN, see `Pace`. */
  readonly giveUpAfterMs?: number;
};

/** Objects looked at together. */
const HEADS = 50;

/** How long a build waits for the CDN before it begins; what is left is sent at its end. */
const BUILD_WAITS_MS = 60_000;

/**
 * Removes what is taken down from the store, then from the CDN, and returns when that has completed.
 * It needs no claim: nobody can put these pages any more. Safe to repeat, whoever was killed on the way.
 * @returns true when puts that had begun before are not settled yet; they may bring a page back
 */
export async function removeBarred(shelf: Shelf, options: RemovalOptions): Promise<boolean> {
  const { ledger, cdn, terms, sleep } = shelf;
  const bars = (await ledger.bars()).filter(
    ({ state }) => state === "pending" || state === "awaited",
  );
  const seen = await seenAt(
    shelf,
    bars.flatMap((bar) => bar.routes),
  );
  // First the puts under way, then who is live: what was under way is seen in one of the two.
  const intents = bars.length === 0 ? [] : await ledger.intents();
  const isSettled = (bar: KnownBar) => !intents.some((each) => isInTheWay(each, bar));
  const going = bars.filter((bar) => bar.state === "pending" || isSettled(bar));
  if (going.length > 0) {
    const free = await freeRoutes(shelf, going, intents);
    // Something came there since it was looked at, perhaps another page's: all is asked anew.
    if (!(await deleteSeen(shelf, free, seen))) return await removeBarred(shelf, options);
    const [settled, unsettled] = [going.filter(isSettled), going.filter((bar) => !isSettled(bar))];
    const done = (bar: KnownBar) => ({ ...bar, items: cdn.isCaching ? itemsOf(bar) : [] });
    await ledger.removed(
      { settled: settled.map(done), unsettled: unsettled.map(done) },
      cdn.batchItems,
    );
  }
  await purge({ ledger, cdn, terms, sleep, now: () => Date.now() * 1000, ...options });
  return bars.some((bar) => !isSettled(bar));
}

/** Entity tags of the objects that are at these routes, by key. */
async function seenAt(
  { store }: Shelf,
  routes: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const seen = new Map<string, string>();
  if (!store.keepsHeaders) return seen;
  const keys = [...new Set(routes.map((route) => address(route).key))];
  for (let at = 0; at < keys.length; at += HEADS) {
    const some = keys.slice(at, at + HEADS);
    const heads = await Promise.all(some.map((key) => store.head(key)));
    for (const [n, key] of some.entries()) {
      const etag = heads[n]?.etag;
      if (etag !== undefined) seen.set(key, etag);
    }
  }
  return seen;
}

/**
 * Deletes what was seen at these routes, and nothing that came since: whoever is suspended here must
 * not take away the page that got such a route meanwhile. False when something else is there.
 */
async function deleteSeen(
  shelf: Shelf,
  routes: readonly string[],
  seen: ReadonlyMap<string, string>,
): Promise<boolean> {
  const { store } = shelf;
  const keys = new Set(routes.map((route) => address(route).key));
  const conditions = store.keepsHeaders ? await deleteConditions(shelf) : "ignored";
  if (conditions === "ignored") {
    await store.delete([...keys]);
    return true;
  }
  const unseen = routes.filter((route) => !seen.has(address(route).key));
  if ((await seenAt(shelf, unseen)).size > 0) return false;
  const expected = new Map([...seen].filter(([key]) => keys.has(key)));
  const others = await store.delete([...expected.keys()], {
    expected,
    isSingle: conditions === "singly",
  });
  return others.length === 0;
}

/**
 * Removes what is left of erased pages: the versions of their objects, copies that releases keep, and
 * every rendered body that is kept, since nothing says which are theirs. Safe to repeat.
 * @throws PipelineError `store_rejected` when something stays
 */
export async function eraseBarred(shelf: Shelf): Promise<void> {
  const { ledger, store, bodies } = shelf;
  const bars = (await ledger.bars()).filter((bar) => bar.isErasing && bar.state === "removed");
  if (bars.length === 0) return;
  const free = await freeRoutes(shelf, bars, await ledger.intents());
  const others = bars.flatMap((bar) => bar.routes).filter((route) => !free.includes(route));
  await store.erase(free.map((route) => address(route).key));
  // Nobody can tell which of the old versions there are the other page's.
  await store.erase(
    [...new Set(others)].map((route) => address(route).key),
    { keepsCurrent: true },
  );
  const pasts = await ledger.pastsOf(await pagesUnder(shelf, bars), 0);
  await shelf.kept?.drop(pasts.map((past) => keptName(past.until, past)));
  if (!(await bodies.clear())) throw stillKept();
  await ledger.erased(bars);
}

/** Goes on with what a takedown that was killed has left, before a run does anything else. */
export async function finishTakedowns(
  shelf: Shelf,
  { signal, emit }: Pick<BuildOptions, "signal" | "emit">,
): Promise<void> {
  const tell = (what: string) => (error: unknown) => {
    if (!(error instanceof PipelineError)) throw error;
    emit({ event: "note", message: `${what}: ${error.message}` });
  };
  await removeBarred(shelf, { signal, giveUpAfterMs: BUILD_WAITS_MS }).catch((error: unknown) => {
    if (!(error instanceof PipelineError) || !error.code.startsWith("cdn_")) throw error;
    tell("What was taken down is not purged yet, it goes with this run's invalidations")(error);
  });
  await eraseBarred(shelf).catch(tell("Versions of what was taken down are not erased yet"));
}

function stillKept(): PipelineError {
  const message = "The rendered bodies that are kept could not be forgotten.";
  return new PipelineError("store_rejected", message, {
    hint: "Stop what uses bodies.db in NIGHTBAKE_HOME, delete the file, and take the page down again.",
  });
}

/** Pages that bars stand for, as far as they are live or a bar names them. */
async function pagesUnder(shelf: Shelf, bars: readonly KnownBar[]): Promise<readonly PageId[]> {
  const pages: readonly PageId[] = [...bars, ...(await liveUnder(shelf, bars))];
  return [...new Map(pages.map((page) => [pageName(page), page])).values()];
}

function itemsOf({ routes }: KnownBar): readonly string[] {
  return routes.flatMap((route) => address(route).invalidations);
}

/** A put that had begun before its page, or the one whose route it takes, was taken down. */
function isInTheWay(intent: Intent, bar: KnownBar): boolean {
  return isUnder(intent, bar) || bar.routes.includes(intent.route);
}

/** Where no other page is, nor is being put; redirects to the pages give way. */
export async function freeRoutes(
  { ledger, site, store }: Shelf,
  bars: readonly KnownBar[],
  intents: readonly Intent[],
): Promise<readonly string[]> {
  const routes = [...new Set(bars.flatMap((bar) => bar.routes))];
  const redirects = redirectKind(site.kinds)?.name;
  const isOther = (page: Intent) =>
    !bars.some((bar) => isUnder(page, bar)) &&
    !(page.kind === redirects && routes.includes(redirectTarget(page)));
  const others = [...(await ledger.liveFolded(routes)), ...intents].filter(isOther);
  const nameOf = store.foldsCase ? foldRoute : (route: string) => route;
  const taken = new Set(others.map(({ route }) => nameOf(route)));
  return routes.filter((route) => !taken.has(nameOf(route)));
}
