import { PipelineError } from "../error.ts";
import type { PageId, Phase } from "../site.ts";
import type { Ledger } from "./ledger.ts";

/** A part of a phase of a run: its pages of one kind in a range of keys, for one process at a time. */
export interface Shard {
  /** Of those of its run that there are. */
  readonly number: number;
  readonly phase: Phase;
  readonly kind: string;
  /** Its pages come after this key, or from the first; and up to and with `upTo`. */
  readonly after: Uint8Array | undefined;
  readonly upTo: Uint8Array;
}

/** A shard that somebody has taken. What one who lost it writes is refused. */
export interface TakenShard extends Shard {
  readonly run: string;
  /** Another one each time that it is taken. */
  readonly holder: string;
}

/** Until when (ms) others leave a shard alone, and the run that it is of. */
export interface ShardLease {
  readonly shardMs: number;
  readonly runMs: number;
}

/** What whoever takes or keeps a shard says. */
export interface ShardTerms {
  readonly nowMs: number;
  readonly leaseMs: number;
}

/** A run that others may help, and what they need to know of it. */
export interface Crew {
  readonly run: string;
  /** JSON, see `Brief`. */
  readonly brief: string;
}

/** How the shards of a run stand. */
export interface ShardCounts {
  /** Nobody has them. */
  readonly open: number;
  /** Somebody has them, and his time is not over. */
  readonly held: number;
}

/**
 * The ledger's part that lets several processes work on one run. A shard is done when its mark is
 * set, with what was done there; the first mark counts.
 */
export interface ShardLedger {
  /** Lets others help this run from now on. */
  openCrew(run: string, brief: string): Promise<void>;

  /** The run that holds the claim at `nowMs`, if others may help it. */
  crew(nowMs: number): Promise<Crew | undefined>;

  /** While it pauses, nobody takes a shard of the run; what is taken is finished. */
  pauseCrew(run: string, isPaused: boolean): Promise<void>;

  /** Adds shards to a run; for its coordinator. */
  cutShards(run: string, shards: readonly Omit<Shard, "number">[]): Promise<void>;

  /**
   * Takes a shard that nobody has, or whose holder's time is over; undefined when there is none, the
   * run has lost its claim or pauses.
   */
  takeShard(
    run: string,
    as: ShardTerms & { readonly holder: string },
  ): Promise<(TakenShard & ShardLease) | undefined>;

  /** Stays the one who has it. @throws PipelineError `run_conflict` when another has, or the run lost its claim */
  keepShard(taken: TakenShard, as: ShardTerms): Promise<ShardLease>;

  /** Sets its mark, with a report of what was done. @throws PipelineError `run_conflict` when it is another's */
  finishShard(taken: TakenShard, report: Uint8Array): Promise<void>;

  /** Hands it back, unless it is another's by now. */
  leaveShard(taken: TakenShard): Promise<void>;

  /** Takes all shards without a mark from those who have them: what they write is refused from now on. */
  reclaimShards(run: string): Promise<void>;

  /** Reports of up to `limit` shards with a mark, by number. */
  doneShards(run: string, limit: number): Promise<ReadonlyMap<number, Uint8Array>>;

  /** Forgets shards whose reports were read. */
  dropShards(run: string, numbers: readonly number[]): Promise<void>;

  /** Those without a mark. */
  countShards(run: string, nowMs: number): Promise<ShardCounts>;

  /** The same ledger for who has a shard: all that it writes is refused once the shard is another's. */
  within(taken: TakenShard): Ledger;

  /**
   * Pages that are about to be made from other rows than those that the run read: when it has
   * finished, they are among those that were rebuilt.
   */
  readAhead(run: string, pages: readonly PageId[]): Promise<void>;
}

/** The error of one who works on a shard that is not his any more. */
export function shardLost({ number }: Pick<Shard, "number">): PipelineError {
  const message = "A part of the run took so long that another process works on it now.";
  return new PipelineError("run_conflict", message, {
    hint: "Nothing is to be done: what this process had not finished, the other does.",
    at: { shard: String(number) },
  });
}

/** True of that error; the one of a run that lost its claim is of no shard. */
export function isShardLost(error: unknown): boolean {
  const isConflict = error instanceof PipelineError && error.code === "run_conflict";
  return isConflict && error.at["shard"] !== undefined;
}
