import type { KeptJob } from "../ledger/ledger.ts";
import { LANES } from "./job.ts";
import { PATIENCE_MS } from "./queue.ts";

/** Jobs take longer than messages that are shards of one: they are patient for so many times as long. */
const PATIENCES = 10;

/**
 * The job to start next: the oldest of the first lane, but first of all whichever has waited for the
 * longest beyond its lane's patience. The ledger knows all jobs; a message names but one, and may have
 * been handed back when a more urgent one came.
 */
export function nextJob(waiting: readonly KeptJob[], now: number): KeptJob | undefined {
  const due = waiting.filter(({ startAt }) => startAt <= now);
  const over = ({ lane, startAt }: KeptJob) => {
    const name = LANES[lane];
    return name === undefined ? 0 : (now - startAt) / 1000 - PATIENCE_MS[name] * PATIENCES;
  };
  const [impatient] = due.filter((job) => over(job) > 0).sort((a, b) => over(b) - over(a));
  return impatient ?? due.toSorted((a, b) => a.lane - b.lane || a.id - b.id)[0];
}
