import type { Transaction } from "./feed.ts";

/** Where transactions wait between a log that sends and a consumer that asks. */
export interface TransactionQueue<T> {
  put(transaction: T): void;
  /** No more come, for this reason; undefined when it was meant to end. What waits is still handed out. */
  end(error?: unknown): void;
  /** The next one; undefined at the end. One call at a time. @throws the reason of the end */
  next(): Promise<T | undefined>;
}

/** What the queue tells the log. */
export interface Valve {
  readonly pause: () => void;
  readonly resume: () => void;
}

/**
 * A queue that closes the valve while `maxRows` changes wait or more, and opens it when half are gone.
 * Transactions without changes wait as one: only the position of the last counts.
 */
export function transactionQueue<T extends Transaction>(
  maxRows: number,
  valve: Valve,
): TransactionQueue<T> {
  const waiting: T[] = [];
  let rows = 0;
  let isClosed = false;
  let ended: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;
  const awaken = () => {
    wake?.();
    wake = undefined;
  };
  return {
    put(transaction) {
      if (waiting.at(-1)?.changes.length === 0 && transaction.changes.length === 0) waiting.pop();
      waiting.push(transaction);
      rows += transaction.changes.length;
      if (rows >= maxRows) {
        isClosed = true;
        valve.pause();
      }
      awaken();
    },
    end(error) {
      ended ??= { error };
      awaken();
    },
    async next() {
      while (waiting.length === 0 && ended === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const first = waiting.shift();
      if (first === undefined) {
        if (ended?.error !== undefined) throw ended.error;
        return undefined;
      }
      rows -= first.changes.length;
      if (isClosed && rows <= maxRows / 2) {
        isClosed = false;
        valve.resume();
      }
      return first;
    },
  };
}
