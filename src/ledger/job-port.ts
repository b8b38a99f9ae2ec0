/** A job as it is kept; numbers stand for names, and texts are JSON, which the ledger does not read. */
export interface KeptJob {
  readonly id: number;
  readonly lane: number;
  readonly state: number;
  readonly work: string;
  readonly attempts: number;
  readonly requests: number;
  /** µs, like all instants here. */
  readonly requestedAt: number;
  readonly startAt: number;
  /** The last moment to which requests that join may delay it. */
  readonly latestAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly holder: string | undefined;
  /** When the holder is taken for dead. */
  readonly heldUntil: number | undefined;
  readonly isStopping: boolean;
  readonly code: string | undefined;
  readonly progress: string | undefined;
  readonly outcome: string | undefined;
  readonly error: string | undefined;
}

/** A request under the key that its asker gave it. */
export interface KeyedRequest {
  readonly by: string;
  readonly key: string;
}

/** What is written of a job. */
export interface JobChange {
  readonly job: KeptJob;
  readonly events?: readonly Omit<KeptEvent, "id">[];
}

export interface KeptEvent {
  /** From 1 on without a gap, by job. */
  readonly id: number;
  readonly at: number;
  readonly event: string;
  /** JSON */
  readonly data: string;
}

/** Code that workers have had, see `CodeLedger`. */
export interface KnownCode {
  readonly fingerprint: string;
  readonly firstSeenAt: number;
  readonly activatedAt: number;
  readonly isCurrent: boolean;
}

/**
 * The ledger's part of jobs. Those that change something take turns, so that what is decided is
 * decided on what is written; the deciding functions are pure and may be called again. None of these
 * needs the claim.
 */
export interface JobLedger {
  /**
   * Keeps a request: what `decide` makes of the jobs that wait (state 0) and of the job that a request
   * under the same key joined, with what that one asked for. A job of id 0 is new and gets one. Durable.
   */
  request<T>(
    request: Partial<KeyedRequest> & { readonly asked: string; readonly at: number },
    decide: (known: {
      readonly waiting: readonly KeptJob[];
      readonly same: { readonly job: KeptJob; readonly asked: string } | undefined;
    }) => (JobChange & { readonly result: T }) | { readonly result: T },
  ): Promise<{ readonly job: KeptJob | undefined; readonly result: T }>;

  /** Writes what `decide` makes of a job, knowing the code that is current, and gives its result. */
  changeJob<T>(
    id: number,
    decide: (
      job: KeptJob | undefined,
      current: string | undefined,
    ) => Partial<JobChange> & { readonly result: T },
  ): Promise<T>;

  keptJob(id: number): Promise<KeptJob | undefined>;

  /** Jobs before one (all without it), newest first. */
  keptJobs(query: {
    readonly state?: number | undefined;
    readonly lane?: number | undefined;
    readonly before?: number | undefined;
    readonly limit: number;
  }): Promise<readonly KeptJob[]>;

  /** Jobs of a state, oldest first. */
  jobsIn(state: number, limit: number): Promise<readonly KeptJob[]>;

  jobCounts(): Promise<
    readonly { readonly lane: number; readonly state: number; readonly jobs: number }[]
  >;

  /** The next events of a job after one. */
  jobEvents(job: number, after: number, limit: number): Promise<readonly KeptEvent[]>;

  /** Forgets up to `limit` jobs that ended before a moment, with their requests and events; how many. */
  forgetJobs(endedBefore: number, limit: number): Promise<number>;

  /**
   * A process has this code: it becomes the current one if nobody ever had it, or if `isActivated`.
   * Gives the current one.
   */
  meetCode(
    fingerprint: string,
    met: { readonly at: number; readonly isActivated?: boolean },
  ): Promise<string>;

  /** All that is known, the one activated last first. */
  codes(): Promise<readonly KnownCode[]>;
}
