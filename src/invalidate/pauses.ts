import { PipelineError } from "../error.ts";

/** Time between two questions whether an invalidation has completed; 95 % take less than 25 s. */
const POLL_MS = 5_000;
/** The first wait after a throttled call, doubled with each further one. */
const BACK_OFF_MS = 2_000;
const MAX_BACK_OFF_MS = 60_000;
const GIVE_UP_MS = 3_600_000;

/** How waiting is done and when it ends. */
export interface Pace {
  /** Waits so long; may reject once `signal` is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** Longest time spent waiting in all, one hour by default. */
  readonly giveUpAfterMs?: number;
}

/**
 * Gives the waiting between two rounds: steady while all goes well; exponential, with jitter, while
 * the CDN is in trouble. `left` batches are for the message when it gives up.
 * @throws PipelineError `interrupted`; when the time is up the code of the trouble, or `cdn_throttled`
 */
export function pauses({ sleep, signal, giveUpAfterMs = GIVE_UP_MS }: Pace) {
  let waitedMs = 0;
  let troubles = 0;
  return async (left: number, trouble: PipelineError | undefined): Promise<void> => {
    troubles = trouble === undefined ? 0 : troubles + 1;
    const ms = trouble === undefined ? POLL_MS : backOffMs(troubles);
    if (waitedMs + ms > giveUpAfterMs) throw gaveUp(left, waitedMs, trouble);
    // In parts: who is told to stop has less time than the longest wait takes.
    for (let rest = ms; rest > 0 && !signal?.aborted; rest -= POLL_MS) {
      await sleep(Math.min(rest, POLL_MS)).catch((error: unknown) => {
        if (!signal?.aborted) throw error;
      });
    }
    if (signal?.aborted) throw interrupted(left);
    waitedMs += ms;
  };
}

/** Half of the wait is random, so that several who were throttled do not come back together. */
function backOffMs(troubles: number): number {
  const ms = Math.min(BACK_OFF_MS * 2 ** (troubles - 1), MAX_BACK_OFF_MS);
  return Math.round(ms * (0.5 + Math.random() / 2));
}

function gaveUp(left: number, waitedMs: number, trouble: PipelineError | undefined): PipelineError {
  const minutes = Math.round(waitedMs / 60_000);
  const message = `The CDN has not completed ${left} invalidation batches after ${minutes} minutes.`;
  const hint =
    "They stay in the outbox and the next run goes on with them; until then readers may see old pages.";
  return new PipelineError(trouble?.code ?? "cdn_throttled", message, { hint, cause: trouble });
}

function interrupted(left: number): PipelineError {
  const message = `The run was stopped before ${left} invalidation batches had completed.`;
  return new PipelineError("interrupted", message, { hint: "They stay in the outbox; run again." });
}
