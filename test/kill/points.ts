import type { Wired } from "../../src/pipeline.ts";
import { around } from "../pipeline/calls.ts";
import {
  CACHE_CALLS,
  CDN_CALLS,
  callsThat,
  LEDGER_CALLS,
  STORE_CALLS,
} from "../pipeline/effects.ts";

/** Every call that changes something, e.g. `ledger.intend`: a process can die before it and after it. */
export const EFFECTS: readonly string[] = [
  ...callsThat(LEDGER_CALLS, "effect", "plan").map((name) => `ledger.${name}`),
  ...callsThat(STORE_CALLS, "effect").map((name) => `store.${name}`),
  ...callsThat(CDN_CALLS, "effect").map((name) => `cdn.${name}`),
  ...callsThat(CACHE_CALLS, "effect").map((name) => `kept.${name}`),
];

/** Hears of an effect when it is about to happen and when it has happened. */
export type AtPoint = (effect: string, when: "before" | "after") => void;

/** The same parts, with a point before and after each effect. */
export function withPoints(wired: Wired, at: AtPoint): Wired {
  const pointed =
    (port: string) =>
    async (name: string, call: () => unknown): Promise<unknown> => {
      at(`${port}.${name}`, "before");
      const result = await call();
      at(`${port}.${name}`, "after");
      return result;
    };
  const { ledger, store, cdn, kept } = wired;
  return {
    ...wired,
    ledger: around(ledger, callsThat(LEDGER_CALLS, "effect", "plan"), pointed("ledger")),
    store: around(store, callsThat(STORE_CALLS, "effect"), pointed("store")),
    cdn: around(cdn, callsThat(CDN_CALLS, "effect"), pointed("cdn")),
    kept: kept && around(kept, callsThat(CACHE_CALLS, "effect"), pointed("kept")),
  };
}
