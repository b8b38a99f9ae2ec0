import type { Wired } from "../../src/pipeline.ts";
import { around } from "./calls.ts";
import { CDN_CALLS, callsThat, LEDGER_CALLS, STORE_CALLS } from "./effects.ts";

/** One fault among the calls of several ports. */
export interface Fault {
  /** The same port, whose counted calls may fail. */
  on<T extends object>(port: T, methods: readonly (keyof T & string)[]): T;
  /** True once it has struck. */
  hasStruck(): boolean;
}

export interface FaultOptions {
  /** Which call fails, from 1, counted over all methods named. */
  readonly nth: number;
  /** Whether the call took place. */
  readonly when: "before" | "after";
  /** The process is dead: all that follows fails too. */
  readonly isFatal: boolean;
  readonly error: () => Error;
}

/** Makes the nth call fail. */
export function faultAt({ nth, when, isFatal, error }: FaultOptions): Fault {
  let calls = 0;
  let hasStruck = false;
  const strike = () => {
    hasStruck = true;
    throw error();
  };
  const struckAt = async (call: () => unknown) => {
    calls += 1;
    const isNow = calls === nth;
    if (isNow && when === "before") strike();
    try {
      return await call();
    } finally {
      // Also when the call was refused.
      if (isNow) strike();
    }
  };
  return {
    hasStruck: () => hasStruck,
    on(port, methods) {
      const counted = new Set<string>(methods);
      const all = Object.entries(port).flatMap(([name, member]) =>
        typeof member === "function" ? [name as keyof typeof port & string] : [],
      );
      return around(port, all, (name, call) => {
        if (isFatal && hasStruck) strike();
        return counted.has(name) ? struckAt(call) : call();
      });
    },
  };
}

/** The same parts; the fault is among their calls with an effect outside of the process. */
export function atEffects(fault: Fault, wired: Wired): Wired {
  return {
    ...wired,
    ledger: fault.on(wired.ledger, callsThat(LEDGER_CALLS, "effect")),
    store: fault.on(wired.store, callsThat(STORE_CALLS, "effect")),
    cdn: fault.on(wired.cdn, callsThat(CDN_CALLS, "effect")),
  };
}

/** What comes of a run, or nothing when it met the fault. @throws any other error */
export async function unlessStruck<T>(fault: Fault, run: Promise<T>): Promise<T | undefined> {
  return await run.catch((error: unknown) => {
    if (!fault.hasStruck()) throw error;
    return undefined;
  });
}
