import type { PipelineError } from "./error.ts";
import type { CoverReport } from "./invalidate/cover-report.ts";
import type { StepCount } from "./ledger/ledger.ts";
import type { Phase, Step } from "./site.ts";

/** What a run tells while it works, in order. The command line prints it; a dashboard may too. */
export type RunEvent =
  /** A phase begins, and the one before it is over. `total` is absent while nobody knows it. */
  | { readonly event: "phase"; readonly phase: RunPhase; readonly total?: number }
  /** `done` counts from the beginning of the phase. */
  | {
      readonly event: "progress";
      readonly phase: string;
      readonly done: number;
      readonly total?: number;
    }
  /** Dry run only: one for each planned step. */
  | { readonly event: "step"; readonly step: PlannedStep }
  /** A page or a row failed; its last good version stays live. `key` is `keyName`'s form. */
  | {
      readonly event: "failed";
      readonly kind: string;
      readonly key: string;
      readonly error: PipelineError;
    }
  /** Something the operator should know and need not act on, as a full sentence. */
  | { readonly event: "note"; readonly message: string }
  /** Something outside is not as it should be, and somebody should look at it; the run goes on. */
  | { readonly event: "warning"; readonly error: PipelineError }
  /** While a database is followed: so many rows that it told of are published, `seconds` after the first of them was committed. */
  | {
      readonly event: "followed";
      readonly rows: number;
      /** They are a part of a mass update. */
      readonly isBulk: boolean;
      readonly seconds: number;
    }
  /** The last event of a run that ended by itself. */
  | { readonly event: "summary"; readonly summary: Summary };

/** The phases of publishing, what comes before and after them, and those of `load`, by table. */
export type RunPhase =
  | "scan"
  | "check"
  | "list"
  | "count"
  | "sample"
  | "adopt"
  | Phase
  | "invalidate"
  | "record"
  | `${"read" | "write"} ${string}`;

/** A step as people read it; `key` is `keyName`'s form, e.g. `42`. */
export interface PlannedStep extends Pick<Step, "kind" | "route" | "action" | "reason" | "phase"> {
  readonly key: string;
}

/** What a run did, or with `isDryRun` would do. */
export interface Summary extends Counts {
  /** Where the rows come from; absent for the embedded source. */
  readonly read?: ReadFrom | undefined;
  /** Number of the release; undefined when nothing was recorded. */
  readonly release: number | undefined;
  readonly isDryRun: boolean;
  readonly seconds: number;
  /** Items the CDN was asked to invalidate. */
  readonly invalidated: number;
  /** What was chosen for that, why and at which price; of a dry run what would be. */
  readonly covers: readonly CoverReport[];
  /** Rows that changed and that the log, which is followed, did not tell of; absent when there are none, or nobody can say. */
  readonly missed?: Missed;
  /** Links in bodies that led to no route and lost their `<a>`. */
  readonly unlinked: number;
  /** Objects that wait to be deleted, see `nightbake due`. */
  readonly waiting: number;
  /** What had changed since the last release, as keys of reads: `template:entry`, `row:users/ann`; the first few. */
  readonly found: readonly string[];
  readonly kinds: readonly KindCounts[];
  /** By kind, then cause. */
  readonly causes: readonly CauseCounts[];
  readonly steps: readonly StepCount[];
}

/** Rows that a change feed has missed, and a scan found. */
export interface Missed {
  readonly rows: number;
  /** The first few: `articles/42`. */
  readonly first: readonly string[];
}

/** The server whose rows a run read, all in one snapshot. */
export interface ReadFrom {
  /** As people read it: `db2.internal:3306`. */
  readonly server: string;
  readonly isPrimary: boolean;
  /** All up to here was shown; absent when nobody asked. */
  readonly position?: string | undefined;
  readonly rows: number;
  /** Of them, those that a replica gave: 0 to 1. */
  readonly replicaShare: number;
}

/** Pages by what became of them. */
export interface Counts {
  /** Pages that were looked at since something may have changed them; those found as they were included. */
  readonly candidates: number;
  readonly rendered: number;
  /** Pages whose bytes or headers changed, so that they were put. */
  readonly changed: number;
  readonly deleted: number;
  readonly failed: number;
  /** Bytes put. */
  readonly bytes: number;
}

/** The counts of one kind, and how many pages of it are live after the run. */
export interface KindCounts extends Counts {
  readonly kind: string;
  /** Undefined after a rebuild, which does not count. */
  readonly live: number | undefined;
}

/** The pages of one kind that one cause led to. */
export interface CauseCounts
  extends Pick<Counts, "candidates" | "rendered" | "changed" | "deleted"> {
  readonly kind: string;
  /** `causeOf` a step: `row`, `list`, `template`, `absent` …; `all` when every page was looked at. */
  readonly cause: string;
}
