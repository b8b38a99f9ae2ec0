/**
 * Keeps values under keys that say all they were made from. So an entry may be lost at any time,
 * and is then made again, but is never out of date. Nothing here fails: what cannot be kept is not.
 */
export interface Cache extends AsyncDisposable {
  /** Values in the order of `keys`; undefined for those that are not there, or not as they were kept. */
  get(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;

  /** Which of these keys are there, in their order; what stands under them is not read. */
  has(keys: readonly Uint8Array[]): Promise<readonly boolean[]>;

  /** Forgets values, as far as they are there. */
  drop(keys: readonly Uint8Array[]): Promise<void>;

  /** Keeps values; where there is not room for all, the oldest go. */
  set(entries: readonly CacheEntry[]): Promise<void>;

  /** Forgets everything, so that no file holds it any more; false when it could not. */
  clear(): Promise<boolean>;
}

export interface CacheEntry {
  /** 16 bytes. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
