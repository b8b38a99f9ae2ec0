/** Wakes one who waits for work. */
export interface Bell {
  ring(): void;
  /** Waits until it rings, has rung since the last wait, so many milliseconds are over or `signal` says to stop. */
  heard(ms: number, signal: AbortSignal): Promise<void>;
}

/** A bell that has not rung. */
export function openBell(): Bell {
  let hasRung = false;
  let wake = () => {};
  return {
    ring() {
      hasRung = true;
      wake();
    },
    async heard(ms, signal) {
      if (!hasRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(done, ms);
          function done() {
            clearTimeout(timer);
            signal.removeEventListener("abort", done);
            resolve();
          }
          wake = done;
          signal.addEventListener("abort", done);
        });
      }
      hasRung = false;
    },
  };
}
