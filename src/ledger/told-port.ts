/** A row that a change feed told of, or a whole table, which no run has looked at since. */
export interface ToldRow {
  readonly table: string;
  /** {@link encodeKey}'s form; undefined means any row of the table. */
  readonly key: Uint8Array | undefined;
  /** Another one each time that the feed tells of the row. */
  readonly generation: number;
}

/**
 * The ledger's part of following a change feed. What the feed told and how far it had come stand in
 * one transaction, so that a process may die at any point: what was told comes again or is kept.
 * None of these needs the claim.
 */
export interface ToldLedger {
  /** Keeps rows until a run has looked at them, and the feed's position after them. */
  tell(rows: readonly Omit<ToldRow, "generation">[], position: string): Promise<void>;

  /** The position that was told last; undefined before the first, and once `forgetTold` was called. */
  toldUpTo(): Promise<string | undefined>;

  /** The first `limit` rows told, in (table, key) order: a whole table before its rows. */
  told(limit: number): Promise<readonly ToldRow[]>;

  /** A run has looked at these rows; those that the feed told of again meanwhile stay. */
  heed(rows: readonly ToldRow[]): Promise<void>;

  /** The feed was lost: forgets its position. The rows it told of stay. */
  forgetTold(): Promise<void>;
}
