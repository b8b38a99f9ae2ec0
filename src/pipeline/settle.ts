import { ASSET_KIND } from "../plan/kinds.ts";
import type { Begun } from "./begin.ts";
import type { Run } from "./run.ts";

/** Brings the ledger in line with what is known of the store: puts that a crash cut off are in doubt. */
export async function settle(run: Run, { isStoreTrusted }: Begun): Promise<void> {
  const { ledger } = run.wired;
  const intents = await ledger.intents();
  const isWiped = !isStoreTrusted && (await ledger.countLive()) > 0;
  if (intents.length === 0 && !isWiped) return;
  await run.claim();
  if (intents.length > 0) {
    note(run, `${intents.length} puts of a run that was cut off are done again.`);
    await ledger.doubt(intents, run.release);
  }
  if (isWiped) {
    note(
      run,
      `${run.wired.store.name} is not the store this ledger knows; all pages are put again.`,
    );
    await ledger.doubtAll();
  }
}

/** True when the plan is empty and no earlier run left anything to do. */
export async function isIdle(run: Run): Promise<boolean> {
  const { ledger, cdn } = run.wired;
  if (await hasSteps(run)) return false;
  if ((await ledger.due(run.startedAt, undefined, 1)).length > 0) return false;
  return !cdn.isCaching || !(await ledger.hasOutbox());
}

/** True when the plan says to do anything at all. */
export async function hasSteps({ wired, context }: Run): Promise<boolean> {
  return (await wired.ledger.staged(context.run, { limit: 1 })).length > 0;
}

/** How many pages the plan deletes; assets come and go with every edit and do not count. */
export async function countDeletes({ wired, context }: Run): Promise<number> {
  const counts = await wired.ledger.stagedCounts(context.run);
  const deletes = counts.filter(({ action, kind }) => action === "delete" && kind !== ASSET_KIND);
  return deletes.reduce((sum, { count }) => sum + count, 0);
}

function note({ options }: Run, message: string): void {
  options.emit({ event: "note", message });
}
