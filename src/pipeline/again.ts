import { PipelineError } from "../error.ts";
import type { Rows } from "../source/source.ts";
import { rest } from "./in-turn.ts";
import type { BuildOptions, Wired } from "./run.ts";

/** Runs of one command, at most; servers that die more often are somebody's to look at. */
const MAX_RUNS = 5;
/** Before the second run; each later one waits twice as long. */
const PAUSE_MS = 1_000;

/**
 * Does the work, and does it again when the server whose rows it read has failed: no other server
 * has that snapshot, and pages out of two would not fit each other. What was published stays, as
 * after a crash. Before the first rows are there, nothing is tried again.
 * @throws PipelineError as `work` does
 */
export async function again<T>(
  wired: Pick<Wired, "sleep">,
  options: Pick<BuildOptions, "signal" | "emit" | "changes" | "plan">,
  work: (hasBegun: (rows: Rows) => void) => Promise<T>,
): Promise<T> {
  let isAgain = false;
  const hasBegun = (rows: Rows) => {
    isAgain = true;
    tellPassed(rows, options);
  };
  for (let run = 1; ; run += 1) {
    try {
      return await work(hasBegun);
    } catch (error) {
      const isLost = error instanceof PipelineError && error.code === "source_unavailable";
      if (!isLost || !isAgain || run === MAX_RUNS || !mayRepeat(options)) throw error;
      const message = `The run starts again with other rows: ${error.message}`;
      options.emit({ event: "note", message });
    }
    await rest({ sleep: wired.sleep, signal: options.signal }, PAUSE_MS * 2 ** (run - 1));
  }
}

/** Change records that are read as they come are gone; a plan is for what was live before. */
function mayRepeat({ changes, plan }: Pick<BuildOptions, "changes" | "plan">): boolean {
  const first: unknown = changes?.[Symbol.asyncIterator]();
  const isOnce = changes !== undefined && first === changes;
  return !isOnce && plan === undefined;
}

/** Says so when rows do not come from where they usually do. */
function tellPassed(rows: Rows, { emit }: Pick<BuildOptions, "emit">): void {
  const { server, isPrimary, passed } = rows.origin?.() ?? { passed: [] };
  if (passed.length === 0) return;
  const from = isPrimary ? `the primary ${server}` : `${server}`;
  emit({ event: "note", message: `Rows are read from ${from}. ${passed.join(" ")}` });
}
