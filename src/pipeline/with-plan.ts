import { planFeeds } from "../plan/feeds.ts";
import { type Planned, planBuild } from "../plan/plan.ts";
import { checkDeletes } from "../publish/guards.ts";
import { again } from "./again.ts";
import { type Begun, begin, interrupted } from "./begin.ts";
import { checkHeld } from "./hold.ts";
import { settleLate } from "./late-writes.ts";
import { checkLeftovers } from "./leftovers.ts";
import { isUnchanged, logPosition } from "./log.ts";
import { openRun } from "./open-run.ts";
import { overtake } from "./overtake.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { countDeletes, hasSteps, settle } from "./settle.ts";

/**
 * Plans a run and gives it to `work`; the plan is forgotten afterwards. Should the server whose rows
 * it reads fail meanwhile, all begins anew with another snapshot.
 */
export async function withPlan<T>(
  wired: Wired,
  options: BuildOptions,
  work: (run: Run, begun: Begun, planned: Planned) => Promise<T>,
): Promise<T> {
  const { at = [], targets, allowDeletes, isDryRun } = options;
  const isPatient = targets === undefined;
  return await again(wired, options, async (hasBegun) => {
    const now = (options.now ?? (() => Date.now() * 1000))();
    const shown = await logPosition(wired, options);
    const fence = { at: shown === undefined ? at : [...at, shown], isPatient };
    await using begun = await begin(wired, { now, allowDeletes, ...fence });
    hasBegun(begun.rows);
    if (!isDryRun) checkHeld(begun.notes);
    await using run = openRun(wired, options, { ...begun, shown }, { overtake });
    if (run.overtakes !== undefined) await run.reserve();
    await settle(run, begun);
    await settleLate(run);
    return await work(run, begun, await plan(run));
  });
}

async function plan(run: Run): Promise<Planned> {
  const { wired, options, context } = run;
  const { only, targets, changes, looksAgain, isVerify = false } = options;
  const onPages = async (phase: "scan" | "check", pages: number) => {
    if (options.signal.aborted) throw interrupted();
    run.progress.addTo(phase, pages);
    await run.pause();
  };
  const { foldsCase } = wired.store;
  const planned = await planBuild(context, {
    only,
    targets,
    changes,
    looksAgain,
    isVerify,
    foldsCase,
    isUnchanged: () => isUnchanged(run),
    onPages,
  });
  const { deleteShare: maxShare } = wired;
  checkDeletes({ ...(await countDeletes(run)), allowed: options.allowDeletes, maxShare });
  await checkLeftovers(run);
  // A run without other steps may yet have these, or else nothing to do.
  const isLast = !options.isDryRun && planned.feeds !== "touched" && !(await hasSteps(run));
  if (isLast) await planFeeds(context, planned.feeds);
  return planned;
}
