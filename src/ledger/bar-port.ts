import type { Batch } from "../invalidate/cdn.ts";
import type { PageId } from "../site.ts";

/** A page that is taken down: until it is lifted there is none, whatever its row says. */
export interface Bar extends PageId {
  /** It stands for every page of its kind whose key begins with its own: a list's head for the archive. */
  readonly isBelow: boolean;
  /** Where it was; shown to people. */
  readonly route: string;
  /** µs */
  readonly since: number;
  /** In the operator's words; empty when none was given. */
  readonly reason: string;
  /** No version of it stays anywhere. */
  readonly isErased: boolean;
}

/**
 * How far a takedown is. `pending`: its objects may be there. `awaited`: they were removed, but a
 * put that had begun before may bring one back. `removed`: they are gone. `lifted`: it is over, and
 * the next run makes the page again.
 */
export type BarState = "pending" | "awaited" | "removed" | "lifted";

export interface KnownBar extends Bar {
  readonly state: BarState;
  /** Where its objects are or were. */
  readonly routes: readonly string[];
  /** Old versions of its objects are not removed yet. */
  readonly isErasing: boolean;
}

/** A bar whose objects are deleted. */
export interface Removed extends PageId {
  /** What evicts all copies of them. */
  readonly items: readonly string[];
}

/**
 * The ledger's part of takedowns. Neither `bar` nor `lift` needs the claim: a bar counts from the
 * moment it is written, whoever publishes.
 */
export interface BarLedger {
  /**
   * Takes pages down, durably: from now on `intend` refuses them. What is live of them is no longer
   * known to be stored; they do not count as failing. An erased page's objects are also those at its
   * former routes.
   */
  bar(
    bars: readonly Bar[],
    options?: {
      /** What was removed before is removed again; else such bars keep their state. */
      readonly isAgain?: boolean;
    },
  ): Promise<void>;

  /** Every bar, lifted ones too, in page order. */
  bars(): Promise<readonly KnownBar[]>;

  /** The bars that these pages are under, in the order asked for; undefined where there is none. */
  barred(ids: readonly PageId[]): Promise<readonly (Bar | undefined)[]>;

  /**
   * Objects of these bars are deleted: `settled` are removed, `unsettled` awaited. Their items are
   * frozen at once into urgent batches of at most `size`, but for those of bars that another process
   * has brought so far already. Durable.
   */
  removed(
    done: { readonly settled: readonly Removed[]; readonly unsettled: readonly Removed[] },
    size: number,
  ): Promise<void>;

  /**
   * The pages that were last at these routes before a release took them away, as far as releases are
   * kept; in no particular order. It reads all that is kept.
   */
  goneFrom(routes: readonly string[]): Promise<readonly (PageId & { readonly route: string })[]>;

  /** Urgent batches not completed, oldest first. */
  urgent(): Promise<readonly Batch[]>;

  /** No version of these pages' objects is left. */
  erased(ids: readonly PageId[]): Promise<void>;

  /** Ends these bars; each page is made again by the next run. Durable. */
  lift(ids: readonly PageId[]): Promise<void>;

  /** Forgets those of these bars that are lifted: a run has made their pages again. */
  dropLifted(ids: readonly PageId[]): Promise<void>;

  /** True while a run holds the ledger. */
  isClaimed(nowMs: number): Promise<boolean>;
}
