import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Wired } from "../../src/pipeline.ts";

const HOUR_MS = 3_600_000;

/** A pipeline so many hours later: the claims of processes that died have ended. */
export function later(wired: Wired, hours = 1): Wired {
  return { ...wired, ledger: laterLedger(wired.ledger, hours) };
}

/** What {@link later} does to the ledger. */
export function laterLedger(ledger: Ledger, hours = 1): Ledger {
  const ms = hours * HOUR_MS;
  return {
    ...ledger,
    claim: (run, options) => ledger.claim(run, { ...options, nowMs: options.nowMs + ms }),
    isClaimed: (nowMs) => ledger.isClaimed(nowMs + ms),
  };
}
