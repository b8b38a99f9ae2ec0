import { randomUUID } from "node:crypto";
import type { Instant } from "../site.ts";
import { interrupted } from "./begin.ts";
import { keptName } from "./kept.ts";
import type { Run, Wired } from "./run.ts";

/** What pages were that is forgotten in one transaction. */
const BATCH = 1000;
/** Transactions at the end of one build: what is left goes with the next. */
const MAX_BATCHES = 50;
const LEASE_MS = 30_000;
/** µs */
const DAY = 86_400_000_000;

type Opened = Pick<Wired, "ledger" | "kept" | "keep">;

/** After a build's work: forgets some of what is older than releases are kept. */
export async function sweepSome({ wired, release, startedAt, goOn }: Run): Promise<void> {
  const upTo = await oldestKept(wired, { now: startedAt, last: release });
  if (upTo === undefined) return;
  for (let batches = 0; batches < MAX_BATCHES; batches += 1) {
    await goOn();
    if ((await forget(wired, upTo)) < BATCH) return;
  }
}

/**
 * Forgets all that is older than releases are kept: what pages were, copies of them, the records of
 * releases. Nobody publishes meanwhile. Gives how many of the former there were.
 * @throws PipelineError `run_conflict` when another run publishes
 */
export async function sweep(
  wired: Opened,
  { now, signal }: { readonly now: Instant; readonly signal: AbortSignal },
): Promise<number> {
  const { ledger } = wired;
  const run = randomUUID();
  const last = await ledger.release();
  const upTo = await oldestKept(wired, { now, last });
  let swept = 0;
  try {
    while (upTo !== undefined) {
      if (signal.aborted) throw interrupted();
      await ledger.claim(run, { release: last, nowMs: Date.now(), leaseMs: LEASE_MS });
      const count = await forget(wired, upTo);
      swept += count;
      if (count < BATCH) break;
    }
  } finally {
    await ledger.yieldClaim(run);
  }
  return swept;
}

/** The release that is the first to be kept: those before it are too old, and too many. */
async function oldestKept(
  { ledger, keep }: Opened,
  { now, last }: { readonly now: Instant; readonly last: number },
): Promise<number | undefined> {
  if (keep === undefined) return undefined;
  // The site of so many days ago is that of the last release before them.
  return await ledger.lastBefore(now - keep.days * DAY, last + 1 - keep.releases);
}

async function forget({ ledger, kept }: Opened, upTo: number): Promise<number> {
  const swept = await ledger.sweepPast(upTo, BATCH);
  await kept?.drop(swept.map((past) => keptName(past.until, past)));
  return swept.length;
}
