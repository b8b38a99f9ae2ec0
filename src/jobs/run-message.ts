import type { KeptJob } from "../ledger/ledger.ts";
import { startJob } from "./attempt.ts";
import { STATES } from "./job.ts";
import { jobOf, numberOf } from "./kept.ts";
import { nextJob } from "./next-job.ts";
import type { Worker } from "./open-worker.ts";
import { openPassing } from "./pass.ts";
import type { Handled, Message } from "./queue.ts";
import { runJob } from "./run-job.ts";

/** Before a message comes again that this code may not do. */
const OUTDATED_MS = 300;
/** Jobs among which the next is chosen. */
const MOST = 200;

/** Does what a message says, if that is still to be done. What it does not know is another release's. */
export async function runMessage(
  worker: Worker,
  { body }: Message,
  onOutdated: () => void,
): Promise<Handled> {
  if (body["is"] === "job") return await runJobMessage(worker, String(body["job"]), onOutdated);
  return undefined;
}

/** Runs the most urgent job there is; the one that the message names may have to wait for that. */
async function runJobMessage(
  worker: Worker,
  job: string,
  onOutdated: () => void,
): Promise<Handled> {
  const { wired, name, code, now } = worker;
  if (worker.signal.aborted) return { againMs: 0 };
  const waiting = await wired.ledger.jobsIn(STATES.indexOf("waiting"), MOST);
  const next = nextJob(waiting, now());
  if (next === undefined) return undefined;
  // Planning it now would be in vain: one run publishes at a time. Who ends it wakes for the next job.
  if (await wired.ledger.isClaimed(now() / 1000)) return undefined;
  const hold = { id: next.id, code, holder: `${name}-${worker.attempt()}` };
  const started = await startJob(wired.ledger, hold, now());
  if (started === "outdated") {
    onOutdated();
    return { againMs: OUTDATED_MS };
  }
  if (started !== undefined) await runStarted(worker, started, hold);
  const named = numberOf(job);
  const isLeft = named !== next.id && waiting.some(({ id }) => id === named);
  return isLeft ? { againMs: 0 } : undefined;
}

async function runStarted(
  worker: Worker,
  started: KeptJob,
  hold: Parameters<typeof runJob>[2],
): Promise<void> {
  const { wired, emit, now, signal, isTimed } = worker;
  const passing = openPassing(worker, jobOf(started));
  emit({ event: "started", job: jobOf(started) });
  const ended = await runJob(wired, started, hold, {
    now,
    signal,
    isTimed,
    onPause: passing.onPause,
  });
  await passing.end();
  if (ended !== undefined) emit({ event: "ended", job: jobOf(ended) });
  await wakeNext(worker, ended);
}

/** What waited for a run to end comes now, beside the job that ran, if it waits again. */
async function wakeNext({ wired, now, wake }: Worker, ended: KeptJob | undefined): Promise<void> {
  const waits = STATES.indexOf("waiting");
  const next = nextJob(await wired.ledger.jobsIn(waits, MOST), now());
  const jobs = [...(ended?.state === waits ? [ended] : []), ...(next === undefined ? [] : [next])];
  await wake(jobs.filter(({ id }, at) => jobs.findIndex((job) => job.id === id) === at));
}
