import type { RunEvent } from "../events.ts";

/** How a feed is followed. */
export interface FollowOptions {
  /** Ends it, after the work in hand. */
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Waits so long, or until the signal. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}
