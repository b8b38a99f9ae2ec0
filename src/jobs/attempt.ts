import { PipelineError } from "../error.ts";
import type { KeptEvent, KeptJob, Ledger } from "../ledger/ledger.ts";
import type { JobError, JobOutcome, JobProgress, JobState } from "./job.ts";
import { STATES } from "./job.ts";
import { eventAt } from "./kept.ts";

/** Of a job whose holder was not heard of for so long another may begin anew. */
const HELD_MS = 10_000;
/** Starts of one job that may fail by themselves, or with their process. */
const MOST_ATTEMPTS = 6;
/** Before the second attempt; each later one waits twice as long. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** One worker's hold on a job. */
export interface Hold {
  readonly id: number;
  readonly holder: string;
  /** Fingerprint of the worker's code. */
  readonly code: string;
}

/** What the holder of a job has to know. */
export type Standing =
  | "held"
  /** Somebody asked it to stop. */
  | "stopping"
  /** Other code was activated. */
  | "outdated"
  /** Another holds it, or it has ended. */
  | "lost";

const waiting = STATES.indexOf("waiting");
const running = STATES.indexOf("running");

/** Starts a job that waits and is due, unless the code is not the current one. */
export async function startJob(
  ledger: Ledger,
  { id, holder, code }: Hold,
  now: number,
): Promise<KeptJob | "outdated" | undefined> {
  return await ledger.changeJob<KeptJob | "outdated" | undefined>(id, (kept, current) => {
    if (kept?.state !== waiting || kept.startAt > now) return { result: undefined };
    if (current !== undefined && current !== code) return { result: "outdated" };
    const job: KeptJob = {
      ...kept,
      ...{ state: running, holder, code, startedAt: now, heldUntil: now + HELD_MS * 1000 },
      ...{ attempts: kept.attempts + 1, isStopping: false, progress: undefined },
    };
    const event = eventAt(now, "started", { holder, attempt: job.attempts });
    return { job, events: [event], result: job };
  });
}

/** Holds on to a job and keeps what there is to tell of it. */
export async function holdJob(
  ledger: Ledger,
  hold: Hold,
  told: {
    readonly now: number;
    readonly events: readonly Omit<KeptEvent, "id">[];
    readonly progress: JobProgress | undefined;
  },
): Promise<Standing> {
  const { now, events, progress } = told;
  return await ledger.changeJob<Standing>(hold.id, (kept, current) => {
    if (!isHeld(kept, hold)) return { result: "lost" };
    const heldUntil = now + HELD_MS * 1000;
    const job = { ...kept, heldUntil, ...(progress && { progress: JSON.stringify(progress) }) };
    const isOutdated = current !== undefined && current !== hold.code;
    const result = kept.isStopping ? "stopping" : isOutdated ? "outdated" : "held";
    return { job, events, result };
  });
}

/** How an attempt ended. */
export type End =
  | { readonly is: "done"; readonly outcome: JobOutcome }
  | { readonly is: "cancelled" }
  /** It waits again, and the attempt does not count. */
  | { readonly is: "handed back"; readonly inMs: number; readonly error?: JobError | undefined }
  | { readonly is: "failed"; readonly error: JobError; readonly isPassing: boolean };

/** Ends an attempt; gives the job as it is now, or undefined when it was no longer held. */
export async function endJob(
  ledger: Ledger,
  hold: Hold,
  {
    now,
    events,
    end,
  }: {
    readonly now: number;
    readonly events: readonly Omit<KeptEvent, "id">[];
    readonly end: End;
  },
): Promise<KeptJob | undefined> {
  return await ledger.changeJob<KeptJob | undefined>(hold.id, (kept) => {
    if (!isHeld(kept, hold)) return { result: undefined };
    const { job, last } = ended(kept, end, now);
    return { job, events: [...events, ...last], result: job };
  });
}

/** Lets a job wait again whose holder was not heard of; after too many such attempts it has failed. */
export async function recoverJob(
  ledger: Ledger,
  id: number,
  now: number,
): Promise<KeptJob | undefined> {
  return await ledger.changeJob<KeptJob | undefined>(id, (kept) => {
    if (kept?.state !== running || (kept.heldUntil ?? 0) > now) return { result: undefined };
    const message = `The worker ${kept.holder} was not heard of for ${HELD_MS / 1000} seconds or more.`;
    const error = { code: "worker_lost", message };
    const isLast = kept.attempts >= MOST_ATTEMPTS;
    const end: End = isLast
      ? { is: "failed", error, isPassing: false }
      : { is: "failed", error, isPassing: true };
    // Whoever takes it is another process: there is nothing to wait for.
    const { job, last } = ended(kept, end, now);
    const free = isLast ? job : { ...job, startAt: now };
    return { job: free, events: last, result: free };
  });
}

/** An error as it is kept. */
export function errorOf(error: unknown): JobError {
  if (!(error instanceof PipelineError)) return { code: "bug", message: String(error) };
  const { code, message, hint, at } = error;
  return { code, message, ...(hint && { hint }), ...(Object.keys(at).length > 0 && { at }) };
}

function isHeld(kept: KeptJob | undefined, { holder }: Hold): kept is KeptJob {
  return kept?.state === running && kept.holder === holder;
}

function ended(kept: KeptJob, end: End, now: number) {
  const free = { ...kept, holder: undefined, heldUntil: undefined, isStopping: false };
  const over = (state: JobState) => ({ state: STATES.indexOf(state), finishedAt: now });
  if (end.is === "done") {
    const job = {
      ...free,
      ...over("done"),
      outcome: JSON.stringify(end.outcome),
      error: undefined,
    };
    return { job, last: [eventAt(now, "live", end.outcome), eventAt(now, "done")] };
  }
  if (end.is === "cancelled" || (end.is === "handed back" && kept.isStopping)) {
    return { job: { ...free, ...over("cancelled") }, last: [eventAt(now, "cancelled")] };
  }
  if (end.is === "handed back") {
    const again = { state: waiting, attempts: kept.attempts - 1, startAt: now + end.inMs * 1000 };
    const last =
      end.error === undefined ? [] : [eventAt(now, "again", { ...end.error, inMs: end.inMs })];
    return { job: { ...free, ...again }, last };
  }
  const error = JSON.stringify(end.error);
  if (!end.isPassing || kept.attempts >= MOST_ATTEMPTS) {
    return {
      job: { ...free, ...over("failed"), error },
      last: [eventAt(now, "failed", end.error)],
    };
  }
  const inMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (kept.attempts - 1));
  const job = { ...free, state: waiting, startAt: now + inMs * 1000, error };
  return { job, last: [eventAt(now, "again", { ...end.error, inMs })] };
}
