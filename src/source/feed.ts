import type { AnyTable, Key } from "../site.ts";
import type { Position } from "./position.ts";
import type { Decoded } from "./source.ts";

/** A table that is followed, and the columns that are told of its rows beside the key. */
export interface Followed {
  readonly table: AnyTable;
  readonly see: readonly string[];
}

/** Something in a followed table changed. */
export type Change = RowChange | Rescan;

/** A row with this key was inserted, updated or deleted. A row that got another key makes two of these. */
export interface RowChange {
  readonly is: "row";
  readonly table: AnyTable;
  readonly key: Key;
  /** The row as a read would have given it; undefined when there was none. */
  readonly before: Decoded | undefined;
  /** Likewise; undefined when it was deleted. */
  readonly after: Decoded | undefined;
}

/** Something changed that cannot be named: every row there has to be compared. */
export interface Rescan {
  readonly is: "rescan";
  readonly table: AnyTable;
  /** The keys among which it happened, both included, in the order of their bytes; all without it. */
  readonly range?: KeyRange;
  /** For people, e.g. `TRUNCATE TABLE articles`. */
  readonly why: string;
}

/** Keys from one to another, both included. */
export interface KeyRange {
  readonly from: Key;
  readonly to: Key;
}

/** What one database transaction did to the followed tables, perhaps nothing. */
export interface Transaction {
  /** What comes after it is told by following from here. */
  readonly position: Position;
  /** µs; when it was committed, by the server's clock and to a second. */
  readonly committedAt?: number;
  readonly changes: readonly Change[];
}

/** Tells what changes in a database, in the order of its commits. Never skips, may only be vaguer. */
export interface Feed extends AsyncDisposable {
  /**
   * Where to follow from for what is committed after this call.
   * @throws PipelineError `source_unavailable`, `source_rejected`
   */
  position(): Promise<Position>;

  /**
   * Transactions after a position, each at least once. The one before is done with when the next is
   * asked for. Several without changes may come as one. Goes on after outages, until `signal`.
   * @throws PipelineError `feed_lost` when the log cannot tell what followed: read a new position, then
   *   all rows; `source_rejected` when the database does not log what is needed
   */
  follow(after: Position, signal: AbortSignal): AsyncIterable<Transaction>;
}
