import { PipelineError } from "../error.ts";
import { address, type Phase, type Step } from "../site.ts";
import { UNSEEN } from "./doubt.ts";
import { invalidatePhase } from "./invalidate.ts";
import type { Run } from "./run.ts";
import { isUpdateInPlace } from "./unlinked.ts";

/** Steps looked at together. */
const BATCH = 200;

/**
 * True when the CDN may hold copies of what was at routes that nothing links to now, and that this run
 * makes linked to again: pages that return while their objects wait to be deleted, and what a run that
 * was cut off changed where pages appear now, or had not seen evicted. Asked before anything is put.
 */
export async function mayHoldOldCopies(run: Run): Promise<boolean> {
  const { ledger, cdn } = run.wired;
  if (!cdn.isCaching) return false;
  if ((await ledger.outbox()).length > 0) return true;
  return (await isReturning(run, "returning")) || (await appearsWhereChanged(run));
}

/** The same of a run that overtakes another: whose changes wait, too, and are not looked through. */
export async function holdsOldCopies(run: Run): Promise<boolean> {
  const { wired, context } = run;
  if (!wired.cdn.isCaching) return false;
  if (await isReturning(run, "returning")) return true;
  for (const phase of ["new", "returning"] as const) {
    const steps = await wired.ledger.staged(context.run, { phase, limit: BATCH });
    const old = await wired.ledger.changedAt(steps.map(({ route }) => route));
    if (old.size > 0 || steps.length === BATCH) return true;
  }
  return false;
}

/** Likewise of the feeds that this run puts, once they are planned: their index leads to the others. */
export async function mayHoldOldFeeds(run: Run): Promise<boolean> {
  return run.wired.cdn.isCaching && (await isReturning(run, "feeds"));
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

async function isReturning({ wired, context }: Run, phase: Phase): Promise<boolean> {
  if ((await wired.ledger.countRetired()) === 0) return false;
  let after: Step | undefined;
  for (;;) {
    const query = { phase, ...(after && { after }), limit: BATCH };
    const steps = await wired.ledger.staged(context.run, query);
    const objects = steps.map(({ route }) => address(route).key);
    const waiting = await wired.ledger.retiredAmong(objects);
    if ([...waiting.values()].some(({ dueAt }) => dueAt !== UNSEEN)) return true;
    if (steps.length < BATCH) return false;
    after = steps.at(-1);
  }
}

/** True when a page comes to where none is live, and a change there still waits to be told to the CDN. */
async function appearsWhereChanged({ wired, context }: Run): Promise<boolean> {
  let after = 0;
  for (;;) {
    const changes = await wired.ledger.changes(after, BATCH);
    const routes = changes.map(({ route }) => route);
    const steps = [...(await wired.ledger.stagedAt(context.run, routes)).values()].flat();
    const isNew = ({ phase }: Step) => phase === "new" || phase === "returning";
    if (steps.some((step) => isNew(step) && !isUpdateInPlace(step))) return true;
    if (changes.length < BATCH) return false;
    after = changes.at(-1)?.seq ?? 0;
  }
}
