import type { RunEvent } from "../events.ts";

/** How a feed is followed. */
export interface FollowOptions {
  /** Ends it, after the work in hand. */
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** How long positions without changes wait to be kept; for tests. */
  readonly positionMs?: number;
  /** Rows of a mass update that one release takes; without it as many as go into half a second. */
  readonly sliceRows?: number;
  /** Waits so long, or until the signal. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}
