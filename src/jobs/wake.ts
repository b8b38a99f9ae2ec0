import type { KeptJob } from "../ledger/ledger.ts";
import { jobOf } from "./kept.ts";
import { jobMessage } from "./message.ts";
import type { Worker } from "./open-worker.ts";
import type { Queue } from "./queue.ts";

/** Sends messages of jobs that wait; what is lost here whoever sweeps finds. */
export async function wake(
  queue: Queue,
  jobs: readonly KeptJob[],
  emit: Worker["emit"],
): Promise<void> {
  const messages = jobs.map((job) => jobMessage(jobOf(job), Date.now()));
  await queue.send(messages).catch((error: unknown) => emit({ event: "trouble", error }));
}
