/** A range of a table's rows: all whose key is after `start`, up to the start of the next range. */
export interface KnownRange {
  /** An encoded key; empty for the first range of a table. */
  readonly start: Uint8Array;
  /** Of the rows that the ledger knows there; undefined when nobody knows it. 8 bytes. */
  readonly checksum: Uint8Array | undefined;
}

/** What a run found of a table's ranges. */
export interface SeenRanges {
  readonly table: string;
  /** Ranges that begin there, with what their rows sum up to. */
  readonly ranges: readonly KnownRange[];
  /** Starts at which no range begins any more. */
  readonly gone: readonly Uint8Array[];
}

/**
 * The ledger's part that keeps a checksum for each range of known rows: while the database says the
 * same one, its rows are those that are known. A row that becomes known otherwise ends it.
 */
export interface RangeLedger {
  /** The next `limit` ranges of a table that begin after `after`, in key order. */
  ranges(
    table: string,
    after: Uint8Array | undefined,
    limit: number,
  ): Promise<readonly KnownRange[]>;

  /** Keeps what a run found of ranges until it finishes; a later word on a start wins. */
  seeRanges(run: string, seen: SeenRanges): Promise<void>;

  /**
   * A run ends that found nothing but that: makes the ranges it found those that are known, unless
   * a release came after this one, since rows may have become known that it has not seen.
   */
  settleRanges(run: string, release: number): Promise<void>;
}
