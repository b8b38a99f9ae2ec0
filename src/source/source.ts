import type { PipelineError } from "../error.ts";
import type { AnyList, AnyTable, Instant, Key, Row, Visible } from "../site.ts";
import type { Position } from "./position.ts";

export type { Position } from "./position.ts";

/** Where rows come from. Knows tables and lists only from their declarations. */
export interface Source extends AsyncDisposable {
  /**
   * Checks that every declared table and column is there with a type that fits, that the declared
   * key is the primary key, and that key columns and the columns of `lists` compare by bytes.
   * @throws PipelineError `source_unavailable`, or `source_rejected` naming all that differs
   */
  check(tables: readonly AnyTable[], lists?: readonly AnyList[]): Promise<void>;

  /**
   * Opens rows for reading as of `now`; visibility is judged at that moment. They are of one moment
   * that is not before the call: all that was committed by then is in it. Close it after use.
   * @throws PipelineError `source_unavailable`, `source_rejected`; `position_unknown` for a fence
   */
  read(now: Instant, fence?: Fence): Promise<Rows>;

  /**
   * Where the database is: all that was committed before the call is at or before it. Undefined for
   * one that keeps no positions.
   * @throws PipelineError `source_unavailable`, `source_rejected`
   */
  position(): Promise<Position | undefined>;
}

/** What a read must show beside all that was committed before it, and how it may get there. */
export interface Fence {
  /** These commits are shown, or the read fails: where whoever asks has seen them. */
  readonly at?: readonly Position[] | undefined;
  /** Replicas are given more time before the primary is read. */
  readonly isPatient?: boolean | undefined;
}

/** Where the rows of one moment come from. */
export interface RowsOrigin {
  /** As people read it: `db2.internal:3306`. */
  readonly server: string;
  readonly isPrimary: boolean;
  /** All up to here is shown; undefined when nobody asked. */
  readonly position: Position | undefined;
  /** Why other servers were not read from, as full sentences. */
  readonly passed: readonly string[];
  /** How many rows it has given so far. */
  readonly rows: number;
}

/** Reads of one moment. Each call is one statement or a few, whatever the number of keys. */
export interface Rows extends AsyncDisposable {
  /** Of databases with servers only. */
  origin?(): RowsOrigin;

  /** Where the database can sum rows up, so that those that did not change need not be fetched. */
  readonly ranges?: RowRanges;

  /** True when the table holds no row at all. */
  isEmpty(table: AnyTable): Promise<boolean>;

  /**
   * The next `limit` visible rows after key `after`, in key order; fewer means the end. Bad keys at
   * the end of a batch make it longer, so that its last row always has a key to go on after.
   */
  scan(table: AnyTable, query: ScanQuery): Promise<readonly Decoded[]>;

  /** Rows by key, in the order of `keys`; undefined where there is none (or none visible). */
  rows(table: AnyTable, query: RowsQuery): Promise<readonly (Decoded | undefined)[]>;

  /**
   * The next `limit` visible entries of all partitions, in (partition, order) order: places only.
   * Fewer than `limit` means the end. Rows whose place is NULL or not as declared have none.
   */
  places(list: AnyList, after: Place | undefined, limit: number): Promise<readonly Place[]>;

  /** Places of the entries of several windows at once; result n belongs to window n. */
  placesIn(list: AnyList, windows: readonly Window[]): Promise<readonly (readonly Place[])[]>;

  /** Places of all visible entries whose `columns` hold one of `tuples`, in no particular order. */
  placesBy(
    list: AnyList,
    columns: readonly string[],
    tuples: readonly (readonly unknown[])[],
  ): Promise<readonly Place[]>;

  /** How many visible entries each partition has; result n belongs to part n. */
  counts(list: AnyList, parts: readonly unknown[]): Promise<readonly number[]>;

  /** Entries of several windows at once; result n belongs to window n, in its direction. */
  windows(list: AnyList, windows: readonly Window[]): Promise<readonly (readonly Decoded[])[]>;
}

/** All rows whose key is after `after`, up to and with `upTo`; undefined is before or after all. */
export interface KeyRange {
  readonly after: Key | undefined;
  readonly upTo?: Key | undefined;
}

/** Sums up the rows of ranges where they are. */
export interface RowRanges {
  /** Rows that a range should have. */
  readonly size: number;
  /** Result n belongs to range n. */
  sums(
    table: AnyTable,
    see: readonly string[],
    ranges: readonly KeyRange[],
  ): Promise<readonly RangeSum[]>;
}

export interface RangeSum {
  readonly rows: number;
  /**
   * Another one when a row of the range comes or goes, changes in its key or in a column of `see`,
   * or such a column becomes another type.
   */
  readonly text: string;
}

export interface ScanQuery extends KeyRange {
  readonly see: readonly string[];
  readonly visible?: Visible;
  readonly limit: number;
}

export interface RowsQuery {
  readonly see: readonly string[];
  readonly visible?: Visible;
  readonly keys: readonly Key[];
}

/** Where an entry stands: its partition's value (null for a list without) and its order columns. */
export interface Place {
  readonly part: unknown;
  readonly order: readonly unknown[];
}

/** A run of entries in one partition. Bounds may give the first order columns only. */
export interface Window {
  readonly part: unknown;
  /** First entry allowed: at this place (`isInclusive`) or after it. */
  readonly from?: Bound;
  /** Last entry allowed: at this place (`isInclusive`) or before it. */
  readonly to?: Bound;
  /** `oldest`: from the lower bound upwards. `newest`: from the upper bound downwards. */
  readonly first: "oldest" | "newest";
  readonly limit: number;
}

export interface Bound {
  readonly order: readonly unknown[];
  readonly isInclusive: boolean;
}

/**
 * A row as declared, or why it is not one. `row` has exactly the columns asked for (`see`) plus the
 * key columns. `key` is undefined only when the key itself is bad.
 */
export type Decoded =
  | { readonly key: Key; readonly row: Row; readonly error?: undefined }
  | {
      readonly key: Key | undefined;
      readonly row?: undefined;
      readonly error: PipelineError;
      /** The columns that are as declared. */
      readonly rest: Row;
    };
