import type { PipelineError } from "../error.ts";
import type { Ledger, SeenRow } from "../ledger/ledger.ts";
import type {
  AssetFile,
  ContentFile,
  DeclaredRedirect,
  Instant,
  Kind,
  Making,
  PageId,
  Site,
  Step,
} from "../site.ts";
import type { Rows } from "../source/source.ts";
import type { Bars } from "./bars.ts";
import type { TouchedPart } from "./touched.ts";

/** Everything a plan is made from: rows and pages of one moment, and what stands on disk. */
export interface PlanContext {
  readonly site: Site;
  /** The plan's name in the ledger. */
  readonly run: string;
  readonly now: Instant;
  readonly rows: Rows;
  readonly ledger: Ledger;
  /** The ledger's, as of before the rows were read. */
  readonly notes: ReadonlyMap<string, string>;
  readonly assets: readonly AssetFile[];
  /** Content files by folder, sorted by the bytes of their names. */
  readonly content: ReadonlyMap<string, readonly ContentFile[]>;
  /** What `content/redirects.txt` declares, sorted by the bytes of the routes it leads from. */
  readonly redirects: readonly DeclaredRedirect[];
  /** The store cannot tell routes apart that differ only in case or normal form. */
  readonly foldsCase: boolean;
  /** Digest of all that shapes a kind's pages beside rows: template, definition, engine. */
  readonly fingerprint: (kind: Kind) => Uint8Array;
  /** The parts of that, to say which of them changed. */
  readonly making: (kind: Kind) => Making;
  /** False when the store may not hold what the ledger says, so that every page is stale. */
  readonly isStoreTrusted: boolean;
  /** A run has published and did not finish: pages may be newer than what is known of the rows. */
  readonly isCutOff: boolean;
  /** Which pages are taken down, as of before the rows were read. */
  readonly bars: Bars;
  /** Told of each page that cannot be made, and of each row that no page can show. */
  readonly onFailure: (failure: Failure) => void;
  /** True once `onFailure` was told of this page: it is left alone for the rest of the run. */
  readonly hasFailed: (page: PageId) => boolean;
  /** Updates that are planned are checked again: what they were planned for does not come. */
  readonly isAgain?: boolean;
  /**
   * Windows and redirects that failed before are not checked where they were: nobody looked for
   * where they begin or lead by now.
   */
  readonly leavesFailed?: boolean;
  /** Other processes publish pages of this run, too. */
  readonly isShared?: boolean;
  /**
   * Of a run that overtakes another: what that one, which is not finished, found of rows, and what
   * those found that overtook it before.
   */
  readonly foundBeside?: (
    table: string,
    keys: readonly Uint8Array[],
  ) => Promise<readonly (readonly SeenRow[])[]>;
  /** Steps that stood in the plan before it was begun: nothing follows from them as long as they stay. */
  readonly followed?: readonly Step[];
  /** Told of the pages of rows that changed, be they there or not. */
  readonly onOwn?: (pages: readonly PageId[]) => void;
  /** Told of the places of lists from which pages were sought. */
  readonly onTouched: (part: TouchedPart) => void;
  /** Told of pages that were looked at and are as they were; `cause` is the class of what led there. */
  readonly onSame: (kind: string, cause: string, pages: number) => void;
}

/** A page or a row that failed; a row that is no page of its own has no `page`. */
export interface Failure {
  readonly page: PageId | undefined;
  readonly error: PipelineError;
}

/** A page that should exist, or why its row cannot say. `key` is missing when the row's own key is bad. */
export type Found =
  | {
      readonly key: Uint8Array;
      readonly route: string;
      readonly start?: Uint8Array | undefined;
      readonly error?: undefined;
    }
  | {
      readonly key: Uint8Array | undefined;
      readonly error: PipelineError;
      /** Its last good version cannot stay either. */
      readonly isGone?: boolean;
    };

/** Pages or rows handled at a time: enough to batch reads, few enough to stay small in memory. */
export const BATCH = 500;
