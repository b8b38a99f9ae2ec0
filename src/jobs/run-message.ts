import { startJob } from "./attempt.ts";
import { jobOf, numberOf } from "./kept.ts";
import type { Handled, Message } from "./queue.ts";
import { runJob } from "./run-job.ts";
import type { Worker } from "./worker.ts";

/** Before a message comes again whose job waits for the run that publishes. */
const BUSY_MS = 300;

/** Does what a message says, if that is still to be done. What it does not know is another release's. */
export async function runMessage(
  worker: Worker,
  { body }: Message,
  onOutdated: () => void,
): Promise<Handled> {
  if (body["is"] === "job") return await runJobMessage(worker, String(body["job"]), onOutdated);
  return undefined;
}

async function runJobMessage(
  worker: Worker,
  job: string,
  onOutdated: () => void,
): Promise<Handled> {
  const { wired, name, code, emit, now } = worker;
  const id = numberOf(job);
  if (id === undefined || worker.signal.aborted) return undefined;
  // Planning it now would be in vain: one run publishes at a time.
  if (await wired.ledger.isClaimed(now() / 1000)) return { againMs: BUSY_MS };
  const hold = { id, code, holder: `${name}-${worker.attempt()}` };
  const started = await startJob(wired.ledger, hold, now());
  if (started === "outdated") {
    onOutdated();
    return { againMs: BUSY_MS };
  }
  if (started === undefined) return undefined;
  emit({ event: "started", job: jobOf(started) });
  const ended = await runJob(wired, started, hold, { now, signal: worker.signal });
  if (ended === undefined) return undefined;
  const left = jobOf(ended);
  emit({ event: "ended", job: left });
  if (left.state === "waiting") await worker.wake([ended]);
  return undefined;
}
