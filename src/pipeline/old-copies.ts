import { PipelineError } from "../error.ts";
import { address, type Step } from "../site.ts";
import { invalidatePhase } from "./invalidate.ts";
import { arrivals } from "./new-pages.ts";
import type { Run } from "./run.ts";

/** Steps looked at together. */
const BATCH = 200;

/**
 * True when the CDN may hold copies of what was at routes that nothing links to now, and that this run
 * makes linked to again: pages that come back while their objects wait to be deleted, and whatever
 * a run that was cut off left in the outbox. Asked before anything is put.
 */
export async function mayHoldOldCopies(run: Run): Promise<boolean> {
  const { ledger, cdn } = run.wired;
  if (!cdn.isCaching) return false;
  return (await ledger.hasOutbox()) || (await isReturning(run));
}

/**
 * Evicts them before the pages are put that link there: what the old copies link to may be gone. What
 * the CDN refuses is told again at the end of the run, which fails then.
 */
export async function evictOldCopies(run: Run): Promise<void> {
  await invalidatePhase(run).catch((error: unknown) => {
    if (!(error instanceof PipelineError) || error.code !== "cdn_rejected") throw error;
  });
}

async function isReturning(run: Run): Promise<boolean> {
  const { ledger } = run.wired;
  if ((await ledger.countRetired()) === 0) return false;
  const isArrival = (step: Step) => arrivals(run).some((isNow) => isNow(step));
  let after: Step | undefined;
  for (;;) {
    const query = { phase: "changed", ...(after && { after }), limit: BATCH } as const;
    const steps = await ledger.staged(run.context.run, query);
    const objects = steps.filter(isArrival).map(({ route }) => address(route).key);
    if ((await ledger.retiredAmong(objects)).size > 0) return true;
    if (steps.length < BATCH) return false;
    after = steps.at(-1);
  }
}
