/**
 * How soon a run looks at what was told: rows of small transactions before those of a mass update;
 * keys to compare are no rows yet, but lead to some.
 */
export type Lane = "urgent" | "bulk" | "compare";

/** What a change feed told and no run has looked at since: a row, or keys among which something changed. */
export interface Told {
  readonly table: string;
  readonly lane: Lane;
  /**
   * {@link encodeKey}'s form. To compare are the keys after it; undefined there for all from the
   * first. A row always has one.
   */
  readonly key: Uint8Array | undefined;
  /** The last key to compare; undefined for all to the end of the table, and of a row. */
  readonly upTo?: Uint8Array | undefined;
  /** µs; when it was committed, as well as that is known. */
  readonly committedAt: number;
}

/** As it stands in the ledger. */
export interface ToldRow extends Told {
  /** Another one each time that the feed tells of the row. */
  readonly generation: number;
}

/**
 * The ledger's part of following a change feed. What the feed told and how far it had come stand in
 * one transaction, so that a process may die at any point: what was told comes again or is kept.
 * None of these needs the claim.
 */
export interface ToldLedger {
  /** Keeps what was told until a run has looked at it, and the feed's position after it. */
  tell(told: readonly Told[], position: string): Promise<void>;

  /** The position that was told last; undefined before the first, and once `forgetTold` was called. */
  toldUpTo(): Promise<string | undefined>;

  /** The first `limit` things told, of one lane or of all in their order: what was committed first, then by key. */
  told(limit: number, lane?: Lane): Promise<readonly ToldRow[]>;

  /** Result n says whether the row with key n was told, or stands among keys to compare. */
  areTold(table: string, keys: readonly Uint8Array[]): Promise<readonly boolean[]>;

  /**
   * A run has looked at these; those that the feed told of again meanwhile stay. What was found to be
   * told instead is kept in the same transaction.
   */
  heed(told: readonly ToldRow[], instead?: readonly Told[]): Promise<void>;

  /** The feed was lost: forgets its position. What it told stays. */
  forgetTold(): Promise<void>;
}
