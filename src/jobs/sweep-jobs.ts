import type { KeptJob, Ledger } from "../ledger/ledger.ts";
import { recoverJob } from "./attempt.ts";
import { livesHere } from "./holder.ts";
import { STATES } from "./job.ts";
import { jobOf } from "./kept.ts";
import type { Worker } from "./open-worker.ts";

const FAILED = STATES.indexOf("failed");
/** Jobs looked at in one sweep. */
const MOST = 200;
/** µs that a process of this machine may be too busy to renew its hold: planning on SQLite lets nothing in. */
const BUSY = 60_000_000;
/** µs that jobs are kept after they ended. */
const KEPT = 30 * 86_400_000_000;
/** Ended jobs that one sweep forgets. */
const MOST_FORGOTTEN = 50;

/**
 * Finds what no message will come for: jobs whose worker died wait again, or have failed when that was their
 * last attempt; and all that wait and are due are sent, which changes nothing when the queue has them, unless a
 * run publishes: who ends that sends the next. Now and then forgets what ended long ago.
 */
export async function sweepJobs(
  { ledger, now, wake, emit }: Pick<Worker, "now" | "wake" | "emit"> & { readonly ledger: Ledger },
  { isForgetting }: { readonly isForgetting: boolean },
): Promise<void> {
  const at = now();
  const isLost = ({ heldUntil = 0, holder = "" }: KeptJob) =>
    heldUntil < at && (heldUntil + BUSY < at || !livesHere(holder));
  const lost = (await ledger.jobsIn(STATES.indexOf("running"), MOST)).filter(isLost);
  for (const { id } of lost) {
    const recovered = await recoverJob(ledger, id, at);
    if (recovered?.state === FAILED) emit({ event: "ended", job: jobOf(recovered) });
  }
  const waiting = await ledger.jobsIn(STATES.indexOf("waiting"), MOST);
  const due = waiting.filter(({ startAt }) => startAt <= at);
  // While a run publishes each would be done with at once, and engines that know no ids keep them all.
  if (due.length > 0 && !(await ledger.isClaimed(at / 1000))) await wake(due);
  if (isForgetting) await ledger.forgetJobs(at - KEPT, MOST_FORGOTTEN);
}
