import type { Intent } from "../ledger/ledger.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import { address } from "../site.ts";
import { checkAdoption } from "./adopted.ts";
import type { Begun } from "./begin.ts";
import { countPages } from "./count-pages.ts";
import { doubt, putAgain } from "./doubt.ts";
import { settlesAdopted } from "./leftovers.ts";
import { finishTakedowns } from "./removal.ts";
import { retireLost } from "./retire-lost.ts";
import type { Run } from "./run.ts";

/** Brings the ledger in line with what is known of the store: puts that a crash cut off are in doubt. */
export async function settle(run: Run, begun: Begun): Promise<void> {
  const { isStoreTrusted } = begun;
  checkAdoption(begun);
  const { ledger, store } = run.wired;
  const intents = await ledger.intents();
  const isOther = !isStoreTrusted && (await ledger.countLive()) > 0;
  if (intents.length === 0 && !isOther) return;
  if (intents.length > 0) {
    note(run, `${intents.length} puts of a run that was cut off are done again.`);
  }
  if (isOther) {
    note(run, `The ${store.name} is not what the ledger describes; all pages are put again.`);
  }
  if (run.options.isDryRun) return await foresee(run, intents);
  await run.claim();
  await store.removeRemains(intents.map(({ route }) => address(route).key));
  await doubt(run, intents);
  // Those puts may have brought back what was taken down.
  await finishTakedowns(run.wired, run.options);
  if (!isOther) return;
  await retireLost(run);
  await ledger.doubtAll(run.context.run);
}

/** A dry run doubts nothing: the steps that the doubt would bring are planned at once. */
async function foresee(run: Run, intents: readonly Intent[]): Promise<void> {
  const live = (await run.wired.ledger.pages(intents)).filter((page) => page !== undefined);
  const { only } = run.options;
  const steps = live
    .filter(({ kind }) => only === undefined || kind === only)
    .map((page) => putAgain(run, page, "unfinished"));
  await run.wired.ledger.stage(run.context.run, steps);
}

/** True when the plan is empty and no earlier run left anything to do. */
export async function isIdle(run: Run, { tables }: Begun): Promise<boolean> {
  const { ledger, cdn } = run.wired;
  // A run that claimed and records nothing would look as if it had been cut off.
  if (run.hasClaimed()) return false;
  // That they may be empty is recorded with a release; else every run would ask again.
  if (tables.emptied.length > 0 || settlesAdopted(run) || (await hasSteps(run))) return false;
  const isDue = await ledger.isLeaving(run.startedAt);
  if (isDue && run.options.only === undefined) return false;
  return !cdn.isCaching || !(await ledger.hasOutbox());
}

/** True when the plan says to do anything at all. */
export async function hasSteps({ wired, context }: Run): Promise<boolean> {
  return (await wired.ledger.staged(context.run, { limit: 1 })).length > 0;
}

/** How many pages are live and how many the plan deletes, with those of `deletedBefore`; assets come and go with every edit, and what is taken down is meant to go: they do not count. */
export async function countDeletes({
  wired: { ledger },
  context,
  options: { deletedBefore = 0 },
}: Run): Promise<{ readonly live: number; readonly deletes: number }> {
  const steps = await ledger.stagedCounts(context.run);
  const deletes = steps.filter(
    ({ action, kind, reason }) => action === "delete" && kind !== ASSET_KIND && reason !== "barred",
  );
  // Counting visits every page, which a rebuild should not.
  if (deletes.length === 0) return { live: 0, deletes: 0 };
  const live = await countPages(ledger);
  const planned = deletes.reduce((sum, { count }) => sum + count, 0);
  return { live: live + deletedBefore, deletes: planned + deletedBefore };
}

function note({ options }: Run, message: string): void {
  options.emit({ event: "note", message });
}
