import type { Summary } from "./events.ts";
import { begin, interrupted, markerArtifact } from "./pipeline/begin.ts";
import { invalidatePhase } from "./pipeline/invalidate.ts";
import { openRun } from "./pipeline/open-run.ts";
import { deletePhase, publishPhase } from "./pipeline/publish.ts";
import { dryRunReport, finish, summary } from "./pipeline/report.ts";
import type { BuildOptions, Run, Wired } from "./pipeline/run.ts";
import { countDeletes, hasSteps, isIdle, settle } from "./pipeline/settle.ts";
import { planAgain, planBuild, planFeeds } from "./plan/plan.ts";
import { checkDeletes } from "./publish/guards.ts";

export type { BuildOptions, Wired } from "./pipeline/run.ts";

/**
 * Makes the store equal to what the rows, templates and content say: reads, plans, renders,
 * publishes in phases, invalidates, records. A second call in a row finds nothing to do and
 * writes nothing. Pages that fail keep their last good version and are counted in the summary.
 * @throws PipelineError when nothing could be published, or (`interrupted`, an outage) half-way;
 *   the next run then goes on from there
 */
export async function build(wired: Wired, options: BuildOptions): Promise<Summary> {
  const now = (options.now ?? (() => Date.now() * 1000))();
  await using begun = await begin(wired, { now, allowDeletes: options.allowDeletes });
  const run = await openRun(wired, options, begun, now);
  try {
    if (!options.isDryRun) await settle(run, begun);
    await plan(run);
    if (options.isDryRun) return await dryRunReport(run);
    if (await isIdle(run)) return await summary(run, undefined);
    await publish(run);
    return await finish(run, begun);
  } finally {
    await run.close();
  }
}

async function plan(run: Run): Promise<void> {
  const { wired, options, context } = run;
  const onPages = (phase: "scan" | "check", pages: number) => {
    if (options.signal.aborted) throw interrupted();
    run.progress.addTo(phase, pages);
  };
  await planBuild(context, { only: options.only, foldsCase: wired.store.foldsCase, onPages });
  const deletes = await countDeletes(run);
  const live = await wired.ledger.countLive();
  const { deleteShare: maxShare } = wired;
  checkDeletes({ live, deletes, allowed: options.allowDeletes, maxShare });
  if (options.isDryRun || !(await hasSteps(run))) await planFeeds(context, options.only);
}

/** The global phases; each ends before the next begins, so no reader meets a missing page. */
async function publish(run: Run): Promise<void> {
  const { wired, options, context, tally } = run;
  await run.claim();
  if (!context.isStoreTrusted) await wired.store.put(markerArtifact(wired.ledger.id));
  await publishPhase(run, "assets");
  await publishPhase(run, "new");
  while (tally.newFailures > 0) {
    // Pages put a moment ago may link to those that failed after them; nothing links to them yet.
    tally.newFailures = 0;
    await planAgain(context, run.release);
    await publishPhase(run, "changed");
  }
  await publishPhase(run, "changed");
  await publishPhase(run, "lists");
  await planFeeds(context, options.only);
  await publishPhase(run, "feeds");
  await invalidatePhase(run);
  await deletePhase(run);
  await invalidatePhase(run);
}
