import { PipelineError } from "../error.ts";
import type { Change, Feed } from "./feed.ts";
import { covers, type Position } from "./position.ts";

/** Which part of a log is read, and how much of it at most. */
export interface Between {
  readonly after: Position;
  readonly upTo: Position;
  /** Of more changes it is not told which they are. */
  readonly maxChanges: number;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/** What a log tells of a part of itself, or why it does not, as a full sentence. */
export type ToldBetween =
  | { readonly changes: readonly Change[] }
  | { readonly changes?: undefined; readonly why: string };

/**
 * Reads what was committed after one position and up to another, in bounded time and memory. A log
 * that cannot be read is no failure: whoever asks looks at rows instead.
 */
export async function toldBetween(
  feed: Pick<Feed, "follow">,
  between: Between,
): Promise<ToldBetween> {
  const { after, upTo, maxChanges, ms, signal } = between;
  if (after === upTo) return { changes: [] };
  // A server that was set up anew, or promoted without the last commits, counts from before.
  if (covers(after, upTo)) return { why: `The database's log is at ${upTo}, before ${after}.` };
  const late = AbortSignal.timeout(ms);
  const changes: Change[] = [];
  try {
    for await (const told of feed.follow(after, AbortSignal.any([signal, late]))) {
      changes.push(...told.changes);
      if (changes.length > maxChanges) {
        return { why: `The database's log tells of more than ${maxChanges} changes.` };
      }
      if (covers(told.position, upTo)) return { changes };
    }
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return { why: error.message };
  }
  return { why: `The database's log could not be read up to ${upTo} within ${ms / 1000} s.` };
}
