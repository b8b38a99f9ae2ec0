import type { Artifact, Headers } from "../site.ts";

/** Where artifacts are kept. Keys never start with "/". */
export interface ObjectStore {
  /** What this is, for messages: `folder dist`, `s3://bucket/prefix`. */
  readonly name: string;

  /** True when two keys that differ only in case or Unicode normal form may be one object. */
  readonly foldsCase: boolean;

  /** Checks that the store can be written to. @throws PipelineError `store_rejected`, `store_unavailable` */
  check(): Promise<void>;

  /** Yields every key under `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<string>;

  /** Reads one object, undefined when there is none. A folder knows no headers but those its keys imply. */
  get(key: string): Promise<StoredObject | undefined>;

  /**
   * Stores or replaces one object. Safe to repeat.
   * @returns the store's entity tag, in its own spelling; undefined where it has none
   */
  put(artifact: Artifact): Promise<string | undefined>;

  /**
   * Removes objects; keys that do not exist are ignored.
   * @throws PipelineError `store_rejected` when any key survives, naming the first
   */
  delete(keys: readonly string[]): Promise<void>;
}

export interface StoredObject extends Partial<Headers> {
  readonly body: Uint8Array;
}
