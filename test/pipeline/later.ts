import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Wired } from "../../src/pipeline.ts";

/** A pipeline for which the claims of others have ended. */
export function later(wired: Wired): Wired {
  const { ledger } = wired;
  const claim: Ledger["claim"] = (run, options) =>
    ledger.claim(run, { ...options, nowMs: options.nowMs + 120_000 });
  return { ...wired, ledger: { ...ledger, claim } };
}
