import { type ErrorCode, PipelineError } from "../error.ts";
import { interrupted } from "../pipeline/begin.ts";
import type { FollowOptions } from "./options.ts";

/** Before the first repetition; each later one waits twice as long. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Beside outages: somebody resumes a site that was rolled back, fills a table that an import emptied,
 * or allows deletes to a build by hand.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "publishing_held",
  "source_empty",
  "deletes_refused",
]);

/**
 * Does the work, and does it again while its failure may pass. Says each reason once.
 * @throws PipelineError of a failure that will not pass, or `interrupted`
 */
export async function untilDone<T>(
  { signal, emit, sleep }: FollowOptions,
  work: () => Promise<T>,
): Promise<T> {
  let said: string | undefined;
  for (let tries = 0; ; tries += 1) {
    if (signal.aborted) throw interrupted();
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      if (error.code !== said) emit({ event: "warning", error });
      said = error.code;
      await sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries), signal);
    }
  }
}

function mayPass(error: unknown): error is PipelineError {
  if (!(error instanceof PipelineError)) return false;
  return error.retryable || PASSING.has(error.code);
}
