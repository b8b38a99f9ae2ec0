import type { KeptTick } from "../ledger/ledger.ts";

/** The first repetition, µs; each later one waits twice as long. */
const AGAIN = 60_000_000;

/** Under which its ticks stand in the ledger. */
export const DUE = "due";

/**
 * The tick to be asked for because rows were due up to `over`, µs; undefined when there is none. A
 * moment has one tick of its own. Rows that are still due after that (their job failed, or another run
 * read them before the moment and recorded them after it) have more, ever later.
 */
export function dueTick(
  over: number | undefined,
  last: Pick<KeptTick, "at"> | undefined,
  now: number,
): { readonly at: number; readonly isAgain: boolean } | undefined {
  if (over === undefined) return undefined;
  if (last === undefined || over > last.at) return { at: over, isAgain: false };
  const pause = Math.max(AGAIN, last.at - over);
  return now - last.at >= pause ? { at: now, isAgain: true } : undefined;
}
