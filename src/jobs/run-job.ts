import { PipelineError } from "../error.ts";
import type { KeptJob, Ledger } from "../ledger/ledger.ts";
import type { Wired } from "../pipeline.ts";
import { type End, endJob, errorOf, type Hold, holdJob, type Standing } from "./attempt.ts";
import { type Doing, type Done, doWork } from "./do-work.ts";
import type { Job } from "./job.ts";
import { jobOf } from "./kept.ts";
import { openRecorder } from "./recorder.ts";

/** How often a job's events are kept, and its hold, which lasts for twenty times as long. */
const KEEP_MS = 500;
/** Before a job is tried again that met another run. */
const CONFLICT_MS = 500;

export interface JobRun {
  /** µs */
  readonly now: () => number;
  /** The worker ends: what does not stop in time is handed back. */
  readonly signal: AbortSignal;
  /** The signal comes after the same time each time: a plan or a check that takes longer never ends. */
  readonly isTimed?: boolean | undefined;
  readonly onPause?: Doing["onPause"];
  /** Does it otherwise than by runs of its own. */
  readonly doWork?: (wired: Wired, job: Job, doing: Doing) => Promise<Done>;
}

/** Runs a job that was started, and writes how it ended; gives what became of it, if it was still held. */
export async function runJob(
  wired: Wired,
  kept: KeptJob,
  hold: Hold,
  { now, signal, isTimed = false, onPause, doWork: work = doWork }: JobRun,
): Promise<KeptJob | undefined> {
  const { ledger } = wired;
  const recorder = openRecorder(now);
  const keeper = keepHold(ledger, hold, { now, take: recorder.take });
  const either = AbortSignal.any([signal, keeper.signal]);
  const doing = { signal: either, emit: recorder.emit, onPause };
  const end = await endOf(kept, () => work(wired, jobOf(kept), doing), {
    ...{ now, signal: either, standing: keeper.standing },
    isInVain: () => isTimed && signal.aborted && !lasts(kept) && !recorder.hasPlanned(),
  });
  await keeper.end();
  const { events } = recorder.take();
  return await endJob(ledger, hold, { now: now(), events, end });
}

async function endOf(
  kept: KeptJob,
  work: () => Promise<Done>,
  {
    now,
    signal,
    standing,
    isInVain,
  }: Pick<JobRun, "now" | "signal"> & {
    readonly standing: () => Standing;
    readonly isInVain: () => boolean;
  },
): Promise<End> {
  try {
    const done = await work();
    const seconds = (now() - kept.requestedAt) / 1_000_000;
    return { is: "done", outcome: { ...done, seconds } };
  } catch (error) {
    if (standing() === "stopping") return { is: "cancelled" };
    if (isCode(error, "run_conflict")) return { is: "handed back", inMs: CONFLICT_MS };
    if (isInVain()) return { is: "failed", error: errorOf(timeOver()), isPassing: true };
    const isBack = isCode(error, "release_outdated") || signal.aborted;
    if (isBack) return { is: "handed back", inMs: 0, error: errorOf(error) };
    return { is: "failed", error: errorOf(error), isPassing: isPassing(error) };
  }
}

/** What a sweep has forgotten the next one does not meet again. */
function lasts(kept: KeptJob): boolean {
  return jobOf(kept).work.is === "sweep";
}

function timeOver(): PipelineError {
  const message = "The function's time was over before the job came to anything that lasts.";
  return new PipelineError("interrupted", message, {
    hint: "Give it more memory, which is faster, or run `nightbake worker` with the same ledger and queue.",
  });
}

/** Holds on to a job and keeps its events, until it ends or is to be stopped. */
function keepHold(
  ledger: Ledger,
  hold: Hold,
  {
    now,
    take,
  }: { readonly now: () => number; readonly take: ReturnType<typeof openRecorder>["take"] },
) {
  const stop = new AbortController();
  let standing: Standing = "held";
  let keeping: Promise<void> = Promise.resolve();
  let rest = 0;
  const keep = async () => {
    const { events, progress } = take();
    // A hold needs no more than a renewal in two seconds.
    rest = events.length === 0 ? (rest + 1) % 4 : 0;
    if (events.length === 0 && rest !== 0) return;
    standing = await holdJob(ledger, hold, { now: now(), events, progress });
    if (standing !== "held") stop.abort(standing);
  };
  const timer = setInterval(() => {
    // An outage of the ledger is the run's to find out.
    keeping = keeping.then(keep).catch(() => undefined);
  }, KEEP_MS);
  return {
    signal: stop.signal,
    standing: () => standing,
    async end() {
      clearInterval(timer);
      await keeping;
    },
  };
}

function isPassing(error: unknown): boolean {
  return error instanceof PipelineError && error.retryable;
}

function isCode(error: unknown, code: PipelineError["code"]): boolean {
  return error instanceof PipelineError && error.code === code;
}
