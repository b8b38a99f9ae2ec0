import type { Adopted } from "../ledger/ledger.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import { isSitemapRoute } from "../plan/sitemap-pages.ts";
import { checkDeletes } from "../publish/guards.ts";
import { isHashed } from "../render/headers.ts";
import { routeOfKey, type SitemapKind } from "../site.ts";
import { ADOPTION, CLOSED, isAdopting } from "./adopted.ts";
import { countPages } from "./count-pages.ts";
import { retiring } from "./doubt.ts";
import type { Run } from "./run.ts";

const BATCH = 500;

/**
 * True for a run that considers every page: what is still adopted then is no page's. While pages
 * fail nobody knows which objects are their last good versions, so all stay.
 */
export function settlesAdopted(run: Run): boolean {
  const { only, plan, allowDeletes } = run.options;
  if (!isAdopting(run) || only !== undefined || plan !== undefined) return false;
  return run.rebuilt === undefined && (allowDeletes || run.tally.total("failed") === 0);
}

/**
 * Refuses a plan that leaves too many adopted objects without a page, before anything is put.
 * @throws PipelineError `deletes_refused`
 */
export async function checkLeftovers(run: Run): Promise<void> {
  const { wired, context, options } = run;
  if (!isAdopting(run) || options.only !== undefined || run.rebuilt !== undefined) return;
  const sitemaps = wired.site.kinds.filter((kind) => kind.is === "sitemap");
  let live = await countPages(wired.ledger);
  let deletes = 0;
  for await (const batch of adopted(run)) {
    const routes = batch
      .filter(isKnown)
      .map(({ object }) => routeOfKey(object))
      .filter((route) => isCounted(sitemaps, route));
    const [staged, owned] = await Promise.all([
      wired.ledger.stagedAt(context.run, routes),
      wired.ledger.liveAt(routes),
    ]);
    const free = routes.filter((route) => !owned.has(route));
    live += free.length;
    deletes += free.filter((route) => !staged.has(route)).length;
  }
  checkDeletes({ live, deletes, allowed: options.allowDeletes, maxShare: wired.deleteShare });
}

/** Objects that were adopted and that no page claimed by the end of a build go, as those of deleted pages do. */
export async function retireLeftovers(run: Run): Promise<void> {
  const { ledger } = run.wired;
  if (!isAdopting(run)) return;
  if (!settlesAdopted(run)) return await sayKept(run);
  for await (const batch of adopted(run)) {
    await run.goOn();
    const retired = batch.filter(isKnown).map(({ object, hash, etag }) => {
      const kind = isHashed(object) ? ASSET_KIND : "";
      return { ...retiring(run, { kind, route: routeOfKey(object) }), hash, etag };
    });
    await ledger.retireAdopted(run.context.run, retired);
  }
  // What is left are files of a folder, of which nobody knows whose they are.
  await ledger.disownAll();
  await ledger.setNote(ADOPTION, CLOSED);
}

async function sayKept(run: Run): Promise<void> {
  const isWaiting = (await run.wired.ledger.adopted(undefined, 1)).length > 0;
  if (!isWaiting || run.options.only !== undefined || run.rebuilt !== undefined) return;
  const message =
    "Adopted objects that no page has stay while pages fail, since they may be their last good versions; with --allow-deletes they go.";
  run.options.emit({ event: "note", message });
}

/** In batches, each begun after the last object of the one before. */
async function* adopted({ wired }: Run): AsyncGenerator<readonly Adopted[]> {
  let after: string | undefined;
  for (;;) {
    const batch = await wired.ledger.adopted(after, BATCH);
    yield batch;
    if (batch.length < BATCH) return;
    after = batch.at(-1)?.object;
  }
}

/** True for what we put: it carries our digest. */
function isKnown({ hash }: Adopted): boolean {
  return hash !== undefined;
}

/** Assets come and go with every edit, and sitemaps are planned later. */
function isCounted(sitemaps: readonly SitemapKind[], route: string): boolean {
  return !isHashed(route.slice(1)) && !sitemaps.some((kind) => isSitemapRoute(kind, route));
}
