/** From the most urgent to the one that waits for all others, see `queue.ts`. */
export const LANES = ["takedown", "editor", "live", "nightly"] as const;
export type Lane = (typeof LANES)[number];

/** What a job does. */
export type Work =
  /** Considers all pages, or those of one kind. */
  | {
      readonly is: "build";
      readonly only?: string;
      readonly isVerify?: boolean;
      readonly allowDeletes?: boolean;
    }
  | Rebuild
  /** Compares the store with the ledger. */
  | { readonly is: "verify" }
  /** Forgets what is older than releases are kept. */
  | { readonly is: "sweep" }
  /** Publishes what the clock shows and hides. */
  | { readonly is: "due" };

/** Looks at what is named, and at what reads it. */
export interface Rebuild {
  readonly is: "rebuild";
  /** As on the command line: `article:42`, `tag:x`, `/x/`. */
  readonly targets: readonly string[];
  /** Kinds of which all pages are looked at. */
  readonly kinds?: readonly string[];
  /** Looks at all pages. */
  readonly everything?: boolean;
  /** Looks again at what rebuilds have looked at since the last build; workers ask for it. */
  readonly looksAgain?: boolean;
  /** Positions of the database that the rows must show. */
  readonly at?: readonly string[];
}

/** What somebody asks for. */
export interface JobRequest {
  readonly work: Work;
  readonly lane: Lane;
  /** The same key of the same asker means the same request, as long as its job is kept. */
  readonly idempotencyKey?: string | undefined;
  /** Who asks: a token's name, `schedule`, `cli`. */
  readonly by?: string | undefined;
  /** The job waits so long after the last request that joined it. */
  readonly debounceMs?: number | undefined;
  /** But no longer than this after the first; ten times the debounce unless it is said. */
  readonly longestWaitMs?: number | undefined;
}

/** `failed` is a dead letter: it stays, with its reason, until somebody retries it or it is forgotten. */
export const STATES = ["waiting", "running", "done", "failed", "cancelled"] as const;
export type JobState = (typeof STATES)[number];

/** One or more requests that one run answers. All instants are µs. */
export interface Job {
  /** A whole number as text, greater than that of any earlier job. */
  readonly id: string;
  readonly lane: Lane;
  /** That of all its requests. */
  readonly work: Work;
  readonly state: JobState;
  /** Starts that ended by themselves or with their process; one that was handed back does not count. */
  readonly attempts: number;
  /** How many joined. */
  readonly requests: number;
  /** Of the first request. */
  readonly requestedAt: number;
  /** It does not start before. */
  readonly startAt: number;
  /** Of the last start. */
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** The worker that runs it. */
  readonly holder: string | undefined;
  /** Somebody asked the running job to stop. */
  readonly isStopping: boolean;
  /** Fingerprint of the code that it was started with last, see `code.ts`. */
  readonly code: string | undefined;
  readonly progress: JobProgress | undefined;
  /** Of a job that is done. */
  readonly outcome: JobOutcome | undefined;
  /** Why it failed, or is tried again. */
  readonly error: JobError | undefined;
}

export interface JobProgress {
  readonly phase: string;
  readonly done: number;
  readonly total?: number | undefined;
}

/** What became of a job: all of it is live. */
export interface JobOutcome {
  /** Releases that it recorded; none when there was nothing to do. */
  readonly releases: readonly number[];
  readonly candidates: number;
  readonly rendered: number;
  readonly changed: number;
  readonly deleted: number;
  /** Pages that failed; their last good version stays live. */
  readonly failed: number;
  readonly invalidated: number;
  /** Bytes put. */
  readonly bytes: number;
  /** The first of the pages that changed. */
  readonly pages: readonly { readonly url: string; readonly digest: string | undefined }[];
  /** Between the first request and the moment at which all was live. */
  readonly seconds: number;
}

/** An error as others read it, see `PipelineError`; `code` is `bug` for what nobody expected. */
export interface JobError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at?: Readonly<Record<string, string>> | undefined;
}

/** In the order in which they come; some come several times, some never. */
export type JobEventName =
  /** A request joined: `by`, `lane`, `work`. */
  | "queued"
  /** `holder`, `attempt`. */
  | "started"
  /** What is to be done is known. */
  | "planned"
  /** `phase`, `done`, `total`. */
  | "progress"
  /** A page failed, and stays as it was: `kind`, `key`, `code`, `message`. */
  | "failed-row"
  /** Something to know: `message`, and `code` when something outside is not as it should be. */
  | "note"
  /** All pages are in the store. */
  | "published"
  /** What the CDN held of them is gone: `items`. */
  | "invalidated"
  /** It goes back and waits: `code`, `message`, `inMs`. */
  | "again"
  /** Readers get all of it: a {@link JobOutcome}. `done` follows. */
  | "live"
  | "done"
  /** A {@link JobError}. A job that is retried goes on after it. */
  | "failed"
  | "cancelled";

export interface JobEvent {
  /** From 1 on without a gap, by job. */
  readonly id: number;
  /** µs */
  readonly at: number;
  readonly event: JobEventName;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Which jobs are listed, newest first. */
export interface JobQuery {
  readonly state?: JobState | undefined;
  readonly lane?: Lane | undefined;
  readonly limit: number;
  /** Only jobs before the one of this id. */
  readonly before?: string | undefined;
}

/** Jobs as they are asked for and looked at; the same from any clone. */
export interface Jobs {
  /**
   * Keeps a request. It joins a job of its lane that waits and may take it in; else it makes one.
   * @throws PipelineError `request_conflict` when the key came with another request before
   */
  submit(request: JobRequest): Promise<{ readonly job: Job; readonly isNew: boolean }>;

  /** Undefined when there is none, or it was forgotten. */
  job(id: string): Promise<Job | undefined>;

  list(query: JobQuery): Promise<readonly Job[]>;

  /** How many jobs there are by lane and state; those without any are left out. */
  counts(): Promise<
    readonly { readonly lane: Lane; readonly state: JobState; readonly jobs: number }[]
  >;

  /** Ends a job that waits; one that runs is told to stop, as by Ctrl-C. Others stay as they are. */
  cancel(id: string): Promise<Job | undefined>;

  /** Lets a job that failed or was cancelled wait again, its attempts forgotten. Others stay as they are. */
  retry(id: string): Promise<Job | undefined>;

  /**
   * Events after one (0 for all), then those to come, until the job's last. The signal ends the waiting:
   * what there is by then is told.
   */
  events(id: string, after: number, signal: AbortSignal): AsyncIterable<JobEvent>;
}
