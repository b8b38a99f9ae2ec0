import { setTimeout as sleep } from "node:timers/promises";

/** What a promise gives if it does so in `ms`, else `late`; a later failure is nobody's. */
export async function within<T, L>(ms: number, promise: Promise<T>, late: L): Promise<T | L> {
  const stop = new AbortController();
  const over = sleep(ms, late, { signal: stop.signal }).catch(() => late);
  try {
    return await Promise.race([promise, over]);
  } finally {
    stop.abort();
  }
}
