import { STATES } from "../../src/jobs/job.ts";
import { eventAt } from "../../src/jobs/kept.ts";
import type { KeptJob, Ledger } from "../../src/ledger/ledger.ts";

/** What a worker does between two events. */
export async function tell(
  ledger: Ledger,
  job: string,
  event: "note" | "done",
  parts: Partial<KeptJob> = {},
): Promise<void> {
  await ledger.changeJob(Number(job), (kept) => {
    if (kept === undefined) throw new Error("There is no such job.");
    return { job: { ...kept, ...parts }, events: [eventAt(1, event)], result: undefined };
  });
}

/** And at the end of a job. */
export const tellDone = (ledger: Ledger, job: string) =>
  tell(ledger, job, "done", { state: STATES.indexOf("done"), finishedAt: 2 });
