import { PipelineError } from "../error.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Batch, Cdn } from "./cdn.ts";
import { type Pace, pauses } from "./pauses.ts";

/**
 * CloudFront's limit is 3,000 paths in progress per distribution (developer guide, invalidation
 * limits); a third is left to invalidations that others make.
 */
const MAX_ITEMS = 2000;
/** CloudFront's own, separate limit for items that end in "*". */
const MAX_WILDCARDS = 15;

/** How many batches and items have completed. */
export interface OutboxCount {
  readonly batches: number;
  readonly items: number;
}

export interface OutboxOptions extends Pace {
  readonly ledger: Pick<Ledger, "freeze" | "outbox" | "sent" | "completed">;
  readonly cdn: Cdn;
  /** Called after each batch that completed. */
  readonly onProgress?: (completed: OutboxCount) => void;
  /** Items in progress at once, 2,000 by default; a larger single batch goes alone. */
  readonly maxItemsInProgress?: number;
}

/** Everything of one drain that changes. */
interface Drain {
  readonly waiting: Batch[];
  inProgress: readonly SentBatch[];
  readonly refusals: PipelineError[];
  done: OutboxCount;
}

interface SentBatch extends Batch {
  readonly invalidation: string;
}

/**
 * Sends everything in the outbox and waits until the CDN has completed it, oldest first.
 *
 * Safe to repeat after a crash at any point: a batch keeps its id, so a batch that is sent again is the
 * same invalidation and free. Leftovers are always sent again, also when the ledger knows their
 * invalidation: the distribution may have been exchanged since. A batch that the CDN refuses for
 * what it holds stays in the outbox, the others are completed, then its error is thrown.
 * @throws PipelineError `cdn_throttled`, `cdn_unavailable`, `cdn_rejected`, `interrupted`; what has
 *   not completed stays in the outbox
 */
export async function drainOutbox(options: OutboxOptions): Promise<OutboxCount> {
  const { ledger, cdn } = options;
  if (!cdn.isCaching) return { batches: 0, items: 0 };
  await ledger.freeze(cdn.batchItems);
  const waiting = [...(await ledger.outbox())];
  const drain: Drain = { waiting, inProgress: [], refusals: [], done: { batches: 0, items: 0 } };
  const pause = pauses(options);
  for (;;) {
    const trouble =
      (await passing(() => settle(drain, options))) ?? (await passing(() => send(drain, options)));
    const left = drain.waiting.length + drain.inProgress.length;
    if (left === 0) break;
    await pause(left, trouble);
  }
  if (drain.refusals[0]) throw drain.refusals[0];
  return drain.done;
}

/** Asks for every batch in progress, and counts off those that have completed. */
async function settle(drain: Drain, { ledger, cdn, onProgress }: OutboxOptions): Promise<void> {
  for (const batch of drain.inProgress) {
    if (!(await cdn.isCompleted(batch.invalidation))) continue;
    await ledger.completed(batch.id);
    drain.inProgress = drain.inProgress.filter((each) => each !== batch);
    const { batches, items } = drain.done;
    drain.done = { batches: batches + 1, items: items + batch.items.length };
    onProgress?.(drain.done);
  }
}

/** Sends what fits beside the batches in progress. */
async function send(drain: Drain, options: OutboxOptions): Promise<void> {
  const { ledger, cdn, maxItemsInProgress = MAX_ITEMS } = options;
  for (let [batch] = drain.waiting; batch !== undefined; [batch] = drain.waiting) {
    if (!fits(batch, drain.inProgress, maxItemsInProgress)) return;
    try {
      const invalidation = await cdn.send(batch);
      await ledger.sent(batch.id, invalidation);
      drain.inProgress = [...drain.inProgress, { ...batch, invalidation }];
    } catch (error) {
      if (!(error instanceof PipelineError) || error.at["batch"] !== batch.id) throw error;
      drain.refusals.push(error);
    }
    drain.waiting.shift();
  }
}

function fits(batch: Batch, inProgress: readonly Batch[], maxItems: number): boolean {
  if (inProgress.length === 0) return true;
  const together = [batch, ...inProgress].flatMap(({ items }) => items);
  const wildcards = together.filter((item) => item.endsWith("*")).length;
  return together.length <= maxItems && wildcards <= MAX_WILDCARDS;
}

/** The CDN's error when waiting may help, undefined when all went well; others are thrown. */
async function passing(work: () => Promise<void>): Promise<PipelineError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const isOurs = error instanceof PipelineError && error.code.startsWith("cdn_");
    if (isOurs && error.retryable) return error;
    throw error;
  }
}
