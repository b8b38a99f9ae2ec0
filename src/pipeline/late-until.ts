import type { Run } from "./run.ts";

/** Until when what a process asked of the store may take place although it is dead, µs; undefined where nothing can. */
export function lateUntil({ wired, moment }: Run): number | undefined {
  const { lateWritesMs } = wired.store;
  return lateWritesMs === 0 ? undefined : moment() + lateWritesMs * 1000;
}
