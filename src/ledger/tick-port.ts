import type { JobLedger, KeptJob } from "./job-port.ts";

/** A moment at which an entry of the schedule asked for a job. Instants are µs. */
export interface KeptTick {
  /** `build` */
  readonly entry: string;
  readonly at: number;
  /** What it was read out of: `0 3 * * * Europe/Berlin`. */
  readonly schedule: string;
  /** By the clock of the process that asked. */
  readonly askedAt: number;
  /** Undefined for the moment from which on ticks of this schedule count. */
  readonly job: number | undefined;
  /** The tick before it had a job that had not ended, so it got the same. */
  readonly isJoined: boolean;
}

/** A tick that is about to be kept. */
export interface NewTick extends Pick<KeptTick, "entry" | "at" | "schedule" | "askedAt"> {
  /** No job is asked for while that of the tick before has not ended. */
  readonly isAlone: boolean;
}

/**
 * The ledger's part of the schedule. A tick and the request for its job are one transaction: there is
 * nothing between them at which a process could die, and no tick asks twice, however late somebody who
 * held it comes back. None of these needs the claim.
 */
export interface TickLedger {
  /**
   * Keeps a tick, and the request that `decide` makes of it (see {@link JobLedger.request}); undefined,
   * and nothing is changed, when that tick, or a later one of the entry, is kept already. Durable. Drops
   * ticks of the entry that are over since a month.
   */
  tick(
    tick: NewTick,
    request: Parameters<JobLedger["request"]>[0],
    decide: Parameters<JobLedger["request"]>[1],
  ): Promise<KeptTick | undefined>;

  /** The entry's newest tick. Ticks of a schedule that the ledger has never seen count from `now` on. */
  lastTick(entry: string, schedule: string, now: number): Promise<KeptTick>;

  /** The ticks of an entry that have a job, with it where it is not forgotten; newest first. */
  ticks(
    entry: string,
    limit: number,
  ): Promise<readonly (KeptTick & { readonly state: KeptJob | undefined })[]>;

  /** The last moment up to `now` at which a row of these tables was due, and the first after it. */
  dueMoments(
    now: number,
    tables: readonly string[],
  ): Promise<{ readonly over: number | undefined; readonly next: number | undefined }>;
}
