import { setImmediate as nextTurn } from "node:timers/promises";

/** A call that waits for its turn. */
export interface Waiting<Who> {
  /** Who wants to make it. */
  readonly who: Who;
  /** Lets it be made. */
  go(): void;
}

/** Calls of several publishers in one process, made one at a time in the order that somebody chooses. */
export interface Turns<Who> {
  /** Makes the call when its turn has come. */
  take<T>(who: Who, call: () => T | Promise<T>): Promise<T>;
  /** Makes the call at once, as a part of the turn that led to it. */
  run<T>(call: () => T | Promise<T>): Promise<T>;
  /** Waits until all that is under way waits for its turn, and gives what waits. */
  waiting(): Promise<readonly Waiting<Who>[]>;
}

/** Turns that nobody has taken yet. */
export function openTurns<Who>(): Turns<Who> {
  const all = new Set<Waiting<Who>>();
  const running = new Set<Promise<unknown>>();
  /** Grows with everything that happens. */
  let events = 0;
  const run = async <T>(call: () => T | Promise<T>): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    running.add(promise);
    try {
      return await call();
    } finally {
      running.delete(promise);
      events += 1;
      resolve();
    }
  };
  return {
    run,
    take(who, call) {
      events += 1;
      return new Promise((resolve, reject) => {
        const waiting: Waiting<Who> = {
          who,
          go() {
            all.delete(waiting);
            run(call).then(resolve, reject);
          },
        };
        all.add(waiting);
      });
    },
    async waiting() {
      for (let seen = -1; running.size > 0 || seen !== events; ) {
        await Promise.all(running);
        seen = events;
        // Between two calls publishers wait for nothing but promises that are settled already.
        await nextTurn();
        await nextTurn();
      }
      return [...all];
    },
  };
}
