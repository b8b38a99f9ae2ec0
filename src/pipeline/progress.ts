import type { RunEvent, RunPhase } from "../events.ts";

/** Counts what is done of the phase under way, and tells it. */
export interface Progress {
  /** Begins a phase at 0; the one before it is over. `total` is left out while nobody knows it. */
  begin(phase: RunPhase, total?: number): void;
  /** So many more are done. */
  add(count: number): void;
  /** Like `add`, in a phase that begins with the first call. */
  addTo(phase: RunPhase, count: number): void;
}

/** Tells phases and progress to `emit`. */
export function openProgress(emit: (event: RunEvent) => void): Progress {
  let now: { readonly phase: RunPhase; readonly total?: number } | undefined;
  let done = 0;
  const progress: Progress = {
    begin(phase, total) {
      now = total === undefined ? { phase } : { phase, total };
      done = 0;
      emit({ event: "phase", ...now });
    },
    add(count) {
      if (now === undefined || count === 0) return;
      done += count;
      emit({ event: "progress", ...now, done });
    },
    addTo(phase, count) {
      if (now?.phase !== phase) progress.begin(phase);
      progress.add(count);
    },
  };
  return progress;
}
