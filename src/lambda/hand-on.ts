import type { Context } from "./event.ts";

/**
 * Before the end of its time a function hands on what it does. To end in order, a run waits for what it asked of the
 * store, and twice for the lease of helpers that have stalled (10 seconds each).
 */
export const HAND_ON_MS = 60_000;

/** What tells a function's time. */
export interface Clock {
  readonly remainingMs: () => number;
  /** Calls `ring` after so long, unless what it gives is called before. */
  readonly alarm: (ms: number, ring: () => void) => () => void;
}

/** The time of one invocation. */
export interface FunctionTime extends Disposable {
  /** Aborted when it is time to hand on; at once when there is no time at all. */
  readonly signal: AbortSignal;
}

/** Counts down an invocation's time. */
export function openTime({ remainingMs, alarm }: Clock): FunctionTime {
  const over = new AbortController();
  const leftMs = remainingMs() - HAND_ON_MS;
  if (leftMs <= 0) over.abort();
  const cancel = leftMs <= 0 ? () => {} : alarm(leftMs, () => over.abort());
  return { signal: over.signal, [Symbol.dispose]: cancel };
}

/** Lambda's clock. */
export function clockOf(context: Pick<Context, "getRemainingTimeInMillis">): Clock {
  return {
    remainingMs: () => context.getRemainingTimeInMillis(),
    alarm(ms, ring) {
      const timer = setTimeout(ring, ms);
      return () => clearTimeout(timer);
    },
  };
}
