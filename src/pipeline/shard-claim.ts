import { type Ledger, type ShardLease, shardLost, type TakenShard } from "../ledger/ledger.ts";
import { MARGIN_MS } from "./claimant.ts";
import type { WithinClaim } from "./within-claim.ts";

/** What is asked of the store for a shard ends this part of its lease before it, see `MARGIN_MS`. */
const MARGIN = 0.3;

/** What the writes of a shard need: they end before others may take it, and before the run's claim. */
export interface ShardClaim extends WithinClaim {
  /** Stays the one who has it. @throws PipelineError `run_conflict` */
  readonly keep: () => Promise<void>;
  /** Keeps it no more. */
  readonly end: () => Promise<void>;
}

/** Keeps a shard that was taken, at each call and by itself whenever a quarter of the lease is over. */
export function shardClaim(
  ledger: Ledger,
  taken: TakenShard & ShardLease,
  leaseMs: number,
): ShardClaim {
  let lease: ShardLease = taken;
  let lostMs = 0;
  let renewal: Promise<void> | undefined;
  const keep = async () => {
    lease = await ledger.keepShard(taken, { nowMs: Date.now(), leaseMs });
  };
  const lastMs = () => Math.min(lease.shardMs - MARGIN * leaseMs, lease.runMs - MARGIN_MS);
  // What it cannot keep, the next write finds out and says.
  const timer = setInterval(() => {
    if (Date.now() < lease.shardMs) renewal = keep().catch(() => {});
  }, leaseMs / 4).unref();
  return {
    keep,
    async stay() {
      if (Date.now() >= lastMs()) await keep();
    },
    until() {
      if (Date.now() >= lastMs()) throw shardLost(taken);
      return lastMs();
    },
    onLost() {
      lostMs = Math.max(lostMs, lastMs());
    },
    lateMs: () => Math.max(0, lostMs - Date.now()),
    async end() {
      clearInterval(timer);
      await renewal;
    },
  };
}
