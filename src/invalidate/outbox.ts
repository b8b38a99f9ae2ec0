import { PipelineError } from "../error.ts";
import type { FrozenCover, Ledger } from "../ledger/ledger.ts";
import { digest, hexOf } from "../site.ts";
import type { Batch } from "./cdn.ts";
import { readReport } from "./cover-report.ts";
import { type FreezeOptions, freezeChanges } from "./freeze.ts";
import { type Pace, pauses } from "./pauses.ts";
import { type Probe, staleAtEdge } from "./probe.ts";
import { room } from "./terms.ts";
import { isWildcard } from "./waves.ts";

/** How long covers that are done are kept for people who ask, µs. */
const KEPT = 30 * 24 * 3600 * 1_000_000;

/** How many batches and items have completed. */
export interface OutboxCount {
  readonly batches: number;
  readonly items: number;
}

export interface SendOptions extends Pace, Pick<FreezeOptions, "cdn" | "terms" | "now"> {
  readonly ledger: Pick<Ledger, "sent" | "refused" | "completed">;
  /** Called after each batch that completed. */
  readonly onProgress?: (completed: OutboxCount) => void;
}

export interface OutboxOptions extends SendOptions, FreezeOptions {
  readonly ledger: SendOptions["ledger"] &
    FreezeOptions["ledger"] &
    Pick<Ledger, "covers" | "closed" | "recall" | "note" | "setNote">;
  /** Looks whether readers get what is published; without it nobody does. */
  readonly probe?: Probe | undefined;
}

/** The ledger's note of the pages that were old at the last look, and told again after it. */
const RECALLED = "recalled";

const NOTHING: OutboxCount = { batches: 0, items: 0 };

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
 * Plans what waits, sends everything in the outbox and waits until the CDN has completed it, see
 * {@link sendBatches}.
 * @throws PipelineError as that does
 */
export async function drainOutbox(options: OutboxOptions): Promise<OutboxCount> {
  const { ledger, cdn } = options;
  if (!cdn.isCaching) return NOTHING;
  await freezeChanges(options);
  const open = await ledger.covers("open");
  const done = await sendBatches(await ledger.outbox(), options);
  await close(open, options);
  return done;
}

/**
 * The same of what changed after `after` alone, while another part of the run may drain the rest: plans
 * it at once, and gives the work that sends it and waits for it.
 */
export async function drainAfter(
  options: OutboxOptions & { readonly after: number },
): Promise<() => Promise<OutboxCount>> {
  const { ledger, cdn } = options;
  if (!cdn.isCaching) return async () => NOTHING;
  const before = new Set((await ledger.covers("open")).map(({ id }) => id));
  await freezeChanges(options);
  const own = (await ledger.covers("open")).filter(({ id }) => !before.has(id));
  const ids = new Set<number | undefined>(own.map(({ id }) => id));
  const batches = (await ledger.outbox()).filter(({ cover }) => ids.has(cover));
  return async () => {
    const done = await sendBatches(batches, options);
    await close(own, options);
    return done;
  };
}

/** Nothing of these covers is in progress any more: one is done when readers get what changed. */
async function close(
  open: readonly FrozenCover[],
  { ledger, now, probe }: OutboxOptions,
): Promise<void> {
  const routes = new Set(open.flatMap(({ report }) => readReport(report).probes ?? []));
  const isProbed = probe !== undefined && routes.size > 0;
  const old = isProbed ? await probe.stale([...routes]) : [];
  const again = old.length === 0 ? [] : await recallOnce(ledger, old);
  if (isProbed) await ledger.setNote(RECALLED, old.map(shortName).join(" "));
  for (const { id } of open) await ledger.closed(id, now(), now() - KEPT);
  if (isProbed && old.length > 0) throw staleAtEdge(old, { ...probe, isAgain: again.length > 0 });
}

/**
 * The next run tells the CDN again, by path; but not of pages that were told again already: where the
 * probe asks the wrong address, each try would cost money. Gives those that are.
 */
async function recallOnce(
  ledger: Pick<Ledger, "recall" | "note">,
  old: readonly string[],
): Promise<readonly string[]> {
  const known = new Set((await ledger.note(RECALLED))?.split(" "));
  const again = old.filter((route) => !known.has(shortName(route)));
  if (again.length > 0) await ledger.recall(again);
  return again;
}

function shortName(route: string): string {
  return hexOf(digest(route)).slice(0, 16);
}

/**
 * Sends batches and waits until the CDN has completed them, oldest first: wave after wave, as much at
 * once as the CDN lets be in progress.
 *
 * Safe to repeat after a crash at any point: a batch keeps its id, so a batch that is sent again is the
 * same invalidation and free. Leftovers are always sent again, also when the ledger knows their
 * invalidation: the distribution may have been exchanged since. A batch that the CDN refuses for
 * what it holds stays in the outbox, the others are completed, then its error is thrown.
 * @throws PipelineError `cdn_throttled`, `cdn_unavailable`, `cdn_rejected`, `interrupted`; what has
 *   not completed stays in the outbox
 */
export async function sendBatches(
  batches: readonly Batch[],
  options: SendOptions,
): Promise<OutboxCount> {
  const drain: Drain = { waiting: [...batches], inProgress: [], refusals: [], done: NOTHING };
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
async function settle(drain: Drain, { ledger, cdn, onProgress }: SendOptions): Promise<void> {
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
async function send(drain: Drain, options: SendOptions): Promise<void> {
  const { ledger, cdn, now } = options;
  for (let [batch] = drain.waiting; batch !== undefined; [batch] = drain.waiting) {
    if (!fits(batch, drain.inProgress, options)) return;
    try {
      const invalidation = await cdn.send(batch);
      await ledger.sent(batch.id, invalidation, now());
      drain.inProgress = [...drain.inProgress, { ...batch, invalidation }];
    } catch (error) {
      if (!(error instanceof PipelineError) || error.at["batch"] !== batch.id) throw error;
      await ledger.refused(batch.id, error.message);
      drain.refusals.push(error);
    }
    drain.waiting.shift();
  }
}

/** A batch that is too large by itself goes alone: the CDN says whether it can. */
function fits(
  batch: Batch,
  inProgress: readonly Batch[],
  { terms }: Pick<SendOptions, "terms">,
): boolean {
  if (inProgress.length === 0) return true;
  const most = room(terms);
  const together = [batch, ...inProgress].flatMap(({ items }) => items);
  return together.length <= most.items && together.filter(isWildcard).length <= most.wildcards;
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
