import type { Summary } from "./events.ts";
import { buildAgain } from "./pipeline/closing.ts";
import { confine } from "./pipeline/confine.ts";
import { deletePhase } from "./pipeline/deletes.ts";
import { tie } from "./pipeline/expectations.ts";
import { inTurn } from "./pipeline/in-turn.ts";
import { invalidatePhase } from "./pipeline/invalidate.ts";
import { retireLeftovers } from "./pipeline/leftovers.ts";
import { keepShown } from "./pipeline/log.ts";
import { tellMissed } from "./pipeline/missed.ts";
import { publishArrivals, publishNew, publishReturning } from "./pipeline/new-pages.ts";
import { evictOldCopies, mayHoldOldCopies, mayHoldOldFeeds } from "./pipeline/old-copies.ts";
import { publishPhase } from "./pipeline/publish.ts";
import { finishTakedowns } from "./pipeline/removal.ts";
import { dryRunReport, finish, idleReport } from "./pipeline/report.ts";
import type { BuildOptions, Run, Wired } from "./pipeline/run.ts";
import { isIdle } from "./pipeline/settle.ts";
import { publishShared } from "./pipeline/share.ts";
import { sweepSome } from "./pipeline/sweep.ts";
import { tryTakeovers } from "./pipeline/takeovers.ts";
import { hastenUnlinked } from "./pipeline/unlinked.ts";
import { withPlan } from "./pipeline/with-plan.ts";
import { planFeeds } from "./plan/feeds.ts";
import type { Planned } from "./plan/plan.ts";

export { checkNames, type Names } from "./pipeline/check-names.ts";
export { CREW, type CrewTerms } from "./pipeline/crew.ts";
export { helpOut } from "./pipeline/help-out.ts";
export { resume } from "./pipeline/hold.ts";
export { importQuarantine } from "./pipeline/import-quarantine.ts";
export {
  type Invalidations,
  invalidationsOf,
  type KeptCover,
  retryInvalidations,
} from "./pipeline/invalidations.ts";
export { exportQuarantine, type Held, quarantineOf } from "./pipeline/quarantine.ts";
export { diffReleases, type PageDiff } from "./pipeline/release-diff.ts";
export { type ReleaseLine, releasesOf } from "./pipeline/releases.ts";
export type { Shelf } from "./pipeline/removal.ts";
export { type RolledBack, rollback } from "./pipeline/rollback.ts";
export { exportHistory, importHistory, liveRedirects } from "./pipeline/route-history.ts";
export type { BuildOptions, Wired } from "./pipeline/run.ts";
export { sweep } from "./pipeline/sweep.ts";
export {
  barPages,
  type ListedBar,
  lift,
  liftable,
  pagesToBar,
  removePages,
  takeDown,
  takedownsOf,
} from "./pipeline/takedown.ts";
export { exportTakedowns, importTakedowns } from "./pipeline/takedown-lines.ts";

/**
 * Makes the store equal to what the rows, templates and content say: reads, plans, renders,
 * publishes in phases, invalidates, records. A second call in a row finds nothing to do and
 * writes nothing. Pages that fail keep their last good version and are counted in the summary.
 * @throws PipelineError when nothing could be published, or (`interrupted`, an outage) half-way;
 *   the next run then goes on from there
 */
export async function build(wired: Wired, options: BuildOptions): Promise<Summary> {
  const first = await buildOnce(wired, options);
  return await buildAgain(wired, options, { first, build: (again) => buildOnce(wired, again) });
}

async function buildOnce(wired: Wired, options: BuildOptions): Promise<Summary> {
  if (!options.isDryRun) await finishTakedowns(wired, options);
  return await withPlan(wired, options, async (run, begun, planned) => {
    if (options.isDryRun) return await dryRunReport(run, planned);
    const isPartial = options.plan !== undefined && (await confine(run, options.plan));
    const mayIdle = isPartial || !planned.isNew;
    if (mayIdle && (await isIdle(run, begun))) {
      await keepShown(run);
      return await idleReport(run, planned);
    }
    if (planned.isScanned) await tellMissed(run);
    await publish(run, planned);
    if (run.rebuilt === undefined) await sweepSome(run);
    return await finish(run, begun, { ...planned, isPartial });
  });
}

/**
 * Rebuilds what links to pages that were taken down, and those that were lifted; waits while another
 * run publishes.
 * @throws PipelineError as `build` does: then it is left to the next build
 */
export async function rebuildAround(
  wired: Wired,
  options: Pick<BuildOptions, "signal" | "emit" | "now">,
): Promise<Summary> {
  const as = { isTakedown: true, isDryRun: false, allowDeletes: false };
  const asked = { ...options, ...as, targets: [] };
  return await inTurn(wired, options, () => build(wired, asked));
}

/** The global phases; each ends before the next begins, so no reader meets a missing page. */
async function publish(run: Run, planned: Planned): Promise<void> {
  const { options, context } = run;
  await run.claim();
  await tryTakeovers(run);
  await hastenUnlinked(run);
  if (!context.isStoreTrusted) await tie(run);
  const hasOldCopies = await mayHoldOldCopies(run);
  await publishPhase(run, "assets");
  await publishNew(run);
  await publishReturning(run, hasOldCopies);
  await publishArrivals(run);
  await publishShared(run, "changed");
  await publishShared(run, "lists");
  // Who overtakes the run now leaves it more to do.
  do {
    await run.overtakes?.beginRound();
    await publishFeeds(run, planned);
    await invalidatePhase(run);
    // Pages of other kinds may link to what is gone until they are built, too.
    if (options.only !== undefined) return;
    await retireLeftovers(run);
    await deletePhase(run);
    await invalidatePhase(run);
  } while (run.overtakes?.hasNews());
  if (run.overtakes !== undefined) run.overtakes.isOver = true;
}

/** The sitemap index has the empty key; it comes after the sitemaps that it names. */
async function publishFeeds(run: Run, { feeds }: Planned): Promise<void> {
  // A run that planned nothing may have been overtaken all the same.
  const which = feeds === "none" && run.overtakes !== undefined ? "touched" : feeds;
  await planFeeds(run.context, which, run.tally.feedKeys());
  const hasOldFeeds = await mayHoldOldFeeds(run);
  await publishPhase(run, "feeds", ({ key }) => key.length > 0);
  if (hasOldFeeds) await evictOldCopies(run);
  await publishPhase(run, "feeds");
}
