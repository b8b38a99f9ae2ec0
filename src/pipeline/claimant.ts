import { type Begun, PUBLISHER } from "./begin.ts";
import type { Run, Wired } from "./run.ts";
import { claimEnded, type WithinClaim } from "./within-claim.ts";

/** A run that stops answering for so long may be replaced. */
const LEASE_MS = 30_000;
/** Of one lease; what is asked of the store has the time until it ends, so the more the longer. */
const RENEWALS = 6;
/** What it asks of the store ends so long before its claim: clocks are told in seconds, and requests take time. */
export const MARGIN_MS = 5_000;

interface Claimant extends Pick<Run, "claim" | "hasClaimed" | "reserve">, WithinClaim {
  /** Claims no more. */
  readonly end: () => Promise<void>;
}

/**
 * Claims the ledger at each call, and by itself whenever a sixth of the lease is over, so that a
 * slow store does not lose it. At the first it says which CDN the tags are for. The ledger knows
 * finished releases only; the note tells of runs, too, that published and were cut off since this
 * one read its rows.
 */
export function claimant(
  { ledger, cdn, code, leaseMs = LEASE_MS }: Wired,
  { run, last, notes }: Begun,
): Claimant {
  let publisher = last.publisher;
  let claimedMs = 0;
  let lostMs = 0;
  const renew = async () => {
    const nowMs = Date.now();
    const mark = { name: PUBLISHER, was: publisher };
    // Another may have published, and died, while this one planned.
    const since = publisher === run ? undefined : notes;
    await ledger.claim(run, { release: last.release, nowMs, leaseMs, mark, since, code });
    publisher = run;
    claimedMs = nowMs;
  };
  const lastMs = () => claimedMs + leaseMs - MARGIN_MS;
  // A claim that has ended may have been another's since, which only a call looks at.
  const keep = async () => {
    if (Date.now() - claimedMs < leaseMs) await renew();
  };
  const reserve = async () => {
    const lease = { nowMs: Date.now(), leaseMs };
    await ledger.claim(run, { release: last.release, ...lease, since: notes, code });
  };
  const beat = heartbeat(leaseMs, async () => await (publisher === run ? keep() : reserve()));
  return {
    async claim() {
      const isFirst = publisher !== run;
      await renew();
      if (isFirst) await ledger.serveBy(cdn.hasTags ? cdn.name : "");
      beat.start();
    },
    async reserve() {
      await reserve();
      beat.start();
    },
    async stay() {
      if (Date.now() >= lastMs()) await renew();
    },
    until() {
      if (Date.now() >= lastMs()) throw claimEnded();
      return lastMs();
    },
    onLost() {
      lostMs = lastMs();
    },
    lateMs: () => Math.max(0, lostMs - Date.now()),
    hasClaimed: () => claimedMs > 0,
    end: beat.end,
  };
}

/** Does the work whenever a part of the lease is over. What it cannot renew, the next call finds out and says. */
function heartbeat(leaseMs: number, work: () => Promise<void>) {
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<void> | undefined;
  const tick = () => {
    last = work().catch(() => {});
  };
  return {
    start() {
      timer ??= setInterval(tick, leaseMs / RENEWALS).unref();
    },
    async end() {
      clearInterval(timer);
      await last;
    },
  };
}
