import type { LivePage } from "../ledger/ledger.ts";
import type { Kind } from "../site.ts";
import { planClashes } from "./clashes.ts";
import type { PlanContext } from "./context.ts";
import { planExistence, planGoneKind } from "./exist.ts";
import { ASSET_KIND } from "./kinds.ts";
import { planStale } from "./stale.ts";

/** Limits a plan, and says what its store can tell apart. */
export interface PlanOptions {
  /** The kind to consider, with the assets its pages name; undefined means all, those that are gone included. */
  readonly only: string | undefined;
  readonly foldsCase: boolean;
  /** Called for each batch that was looked at, with its number of pages; may throw to end the plan. */
  readonly onPages: (phase: "scan" | "check", pages: number) => void;
}

/**
 * Plans a build: first which pages appear, go and move, then which of the others are stale. The
 * plan is the run's steps in the ledger. Sitemaps read the other pages, see {@link planFeeds}.
 */
export async function planBuild(context: PlanContext, options: PlanOptions): Promise<void> {
  const { only, foldsCase, onPages } = options;
  const kinds = wanted(context, only).filter((kind) => kind.is !== "sitemap");
  const keepsGone = only !== undefined;
  await planExistence(undefined, context, { keepsGone });
  if (!keepsGone) await planGoneKinds(context);
  const onBatch = (pages: number) => onPages("scan", pages);
  for (const kind of kinds) await planExistence(kind, context, { keepsGone, onBatch });
  await planClashes(context, { foldsCase });
  for (const kind of kinds) {
    await planStale(kind, context, { onBatch: (pages) => onPages("check", pages) });
  }
}

/** Plans the sitemaps from the pages as they will be; run it when those are settled. */
export async function planFeeds(context: PlanContext, only: string | undefined): Promise<void> {
  for (const kind of wanted(context, only).filter(({ is }) => is === "sitemap")) {
    await planExistence(kind, context, { keepsGone: only !== undefined });
    await planStale(kind, context);
  }
}

/** Plans anew the pages that a release has put (or all), because pages they counted on failed since. */
export async function planAgain(context: PlanContext, release?: number): Promise<void> {
  const isOurs = (page: LivePage) => release === undefined || page.release === release;
  for (const kind of context.site.kinds) {
    if (kind.is !== "sitemap") await planStale(kind, context, { isWanted: isOurs });
  }
}

async function planGoneKinds(context: PlanContext): Promise<void> {
  const known = new Set([ASSET_KIND, ...context.site.kinds.map(({ name }) => name)]);
  for (const name of await context.ledger.liveKinds()) {
    if (!known.has(name)) await planGoneKind(name, context);
  }
}

function wanted({ site }: PlanContext, only: string | undefined): readonly Kind[] {
  return site.kinds.filter(({ name }) => only === undefined || name === only);
}
