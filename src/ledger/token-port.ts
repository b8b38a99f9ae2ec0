/** A credential of the HTTP API as the ledger keeps it: the token itself is nowhere. */
export interface KeptToken {
  /** Who holds it, e.g. `cms`; never given to another token. */
  readonly name: string;
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
  /** What it may be used for, e.g. `["read", "rebuild"]`. */
  readonly scopes: readonly string[];
  /** µs */
  readonly createdAt: number;
  /** µs; undefined when it never was. A minute or so may be missing. */
  readonly usedAt: number | undefined;
  /** µs; undefined while it is good. */
  readonly revokedAt: number | undefined;
}

/** The ledger's part of signing in. None of these needs the claim. */
export interface TokenLedger {
  /** Keeps a new token; false when there is, or was, one of that name. */
  addToken(token: Pick<KeptToken, "name" | "hash" | "scopes" | "createdAt">): Promise<boolean>;

  /** All of them, revoked ones too, by name: there are a few dozen. */
  tokens(): Promise<readonly KeptToken[]>;

  /** It was used at `at` (µs). */
  usedToken(name: string, at: number): Promise<void>;

  /** From now on it is refused; false when there is no such token, or it was revoked before. */
  revokeToken(name: string, at: number): Promise<boolean>;
}
