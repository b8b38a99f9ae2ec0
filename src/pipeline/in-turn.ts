import { PipelineError } from "../error.ts";
import { interrupted } from "./begin.ts";
import type { BuildOptions, Wired } from "./run.ts";

/** How long to wait for a run that holds the ledger before it is asked again. */
const RUN_MS = 2_000;

/** Does the work, again and again while another run publishes. */
export async function inTurn<T>(
  { sleep }: Pick<Wired, "sleep">,
  { signal, emit }: Pick<BuildOptions, "signal" | "emit">,
  work: () => Promise<T>,
): Promise<T> {
  let isTold = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== "run_conflict") throw error;
      const message = "Another run publishes; this one waits until it has finished.";
      if (!isTold) emit({ event: "note", message });
      isTold = true;
    }
    await rest({ sleep, signal }, RUN_MS);
  }
}

/** Waits so long. @throws PipelineError `interrupted` when the operator stops it */
export async function rest(
  { sleep, signal }: Pick<Wired, "sleep"> & Pick<BuildOptions, "signal">,
  ms: number,
): Promise<void> {
  if (!signal.aborted) await sleep(ms);
  if (signal.aborted) throw interrupted();
}
