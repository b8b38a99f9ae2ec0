import pLimit from "p-limit";
import { PipelineError } from "../error.ts";
import { answered, firstPace, leftToBuilds, type Pace, slowed } from "./pace.ts";

/** Waits for a free slot, then does the work in it. */
export type Take = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * What all runs of one process may do at a store at once; other processes have slots of their own.
 * How many there are follows from how the store answers, see {@link Pace}.
 */
export interface Slots extends Attempts {
  /** For rebuilds and takedowns, whom somebody waits for: all slots. */
  readonly editors: Take;
  /** For builds and checks: they leave some to editors. */
  readonly builds: Take;
  readonly pace: () => Pace;
  /** Waits before the nth repetition of a request, longer each time; holds no slot. */
  rest(nth: number): Promise<void>;
}

/** Requests that the store did not answer are tried so often; its adapter repeats each by itself, too. */
export const TRIES = 3;

/** Does work of a check in a slot, again after a rest when the store did not answer. */
export async function insist<T>(
  { builds, rest }: Pick<Slots, "builds" | "rest">,
  work: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await builds(work);
    } catch (error) {
      if (!(error instanceof PipelineError) || !error.retryable || tries === TRIES) throw error;
      await rest(tries);
    }
  }
}

/** Told of single attempts by an adapter that repeats requests by itself. */
export interface Attempts {
  /** An attempt begins; gives what `slow` wants to know. */
  begin(): Pick<Pace, "epoch">;
  /** It was asked to slow down, or timed out. */
  slow(begun: Pick<Pace, "epoch">): void;
}

export interface SlotsOptions {
  /** The most requests under way at once. */
  readonly concurrency: number;
  readonly sleep: (ms: number) => Promise<void>;
}

const FIRST_REST_MS = 250;

/** Opens the slots of a process. */
export function openSlots({ concurrency, sleep }: SlotsOptions): Slots {
  let pace = firstPace(concurrency);
  const all = pLimit(pace.limit);
  const builds = pLimit(leftToBuilds(pace));
  const move = (to: Pace) => {
    const isOther = to.limit !== pace.limit;
    pace = to;
    if (!isOther) return;
    all.concurrency = to.limit;
    builds.concurrency = leftToBuilds(to);
  };
  const watched = async <T>(work: () => Promise<T>): Promise<T> => {
    const { epoch } = pace;
    try {
      const result = await work();
      move(answered(pace, { isFull: all.pendingCount + builds.pendingCount > 0 }));
      return result;
    } catch (error) {
      if (error instanceof PipelineError && error.retryable) move(slowed(pace, { epoch }));
      throw error;
    }
  };
  const editors: Take = (work) => all(() => watched(work));
  return {
    editors,
    // At most so many of them queue for a slot, so that editors never wait behind more.
    builds: (work) => builds(() => editors(work)),
    pace: () => pace,
    rest: (nth) => sleep(FIRST_REST_MS * 2 ** (nth - 1) * (0.5 + Math.random())),
    begin: () => pace,
    slow: (begun) => move(slowed(pace, begun)),
  };
}
