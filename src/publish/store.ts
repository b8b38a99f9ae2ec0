import type { Artifact, Headers } from "../site.ts";

/** Where artifacts are kept. Keys never start with "/". */
export interface ObjectStore {
  /** What this is, for messages: `folder dist`, `s3://bucket/prefix`. */
  readonly name: string;

  /** True when two keys that differ only in case or Unicode normal form may be one object. */
  readonly foldsCase: boolean;

  /**
   * True when a put with an expectation that does not hold is refused, false when it is not;
   * undefined when only a try tells: servers that speak S3 differ.
   */
  readonly isConditional: boolean | undefined;

  /** How deletes keep their expectations; undefined when only a try tells. */
  readonly deleteConditions: DeleteConditions | undefined;

  /** How long after a process died what it had asked for may yet take place; 0 where nothing can. */
  readonly lateWritesMs: number;

  /**
   * False when an object is nothing but its bytes: headers and metadata are those its key implies,
   * and its entity tag is `bytesTag` of it.
   */
  readonly keepsHeaders: boolean;

  /** Checks that the store can be written to. @throws PipelineError `store_rejected`, `store_unavailable` */
  check(): Promise<void>;

  /** Yields every object under `prefix` with what a listing tells of it, in no particular order. */
  list(prefix: string): AsyncIterable<Listed>;

  /**
   * Reads one object, or a version of it; undefined when there is none. A folder knows no headers but
   * those its keys imply.
   */
  get(key: string, version?: string): Promise<StoredObject | undefined>;

  /**
   * What is known of one object, or of a version of it, without its body; undefined when there is none.
   * A folder reads the body for the tag.
   */
  head(key: string, version?: string): Promise<StoredHead | undefined>;

  /** True when what puts replace and deletes remove stays as a version, for as long as the store is told to. */
  keepsVersions(): Promise<boolean>;

  /** The versions of one object, newest first, with the one that is there; none where none are kept. */
  versions(key: string): Promise<readonly StoredVersion[]>;

  /**
   * Stores or replaces one object. Safe to repeat.
   * @returns the store's entity tag, in its own spelling; undefined where it has none
   * @throws PipelineError `store_conflict` when the object there is not the one expected
   */
  put(artifact: Artifact, write?: Write): Promise<string | undefined>;

  /**
   * Removes objects; keys that do not exist are ignored.
   * @returns keys whose objects are not those expected, which stay
   * @throws PipelineError `store_rejected` when any other key survives, naming the first
   */
  delete(keys: readonly string[], deletion?: Deletion): Promise<readonly string[]>;

  /**
   * Removes objects with all their versions, as if they had never been, or with `keepsCurrent` all they
   * were before; keys that do not exist are ignored.
   * @throws PipelineError `store_rejected` when any version survives
   */
  erase(keys: readonly string[], options?: Erasure): Promise<void>;

  /**
   * Removes what puts of these objects left beside them when their process died. For who alone publishes:
   * a put that another process has under way fails.
   */
  removeRemains(keys: readonly string[]): Promise<void>;
}

export interface Erasure {
  readonly keepsCurrent?: boolean;
}

/**
 * How a store keeps the expectations of deletes: of many objects in one call, of one object a call,
 * or not at all.
 */
export type DeleteConditions = "together" | "singly" | "ignored";

/** What a delete says beside its keys. */
export interface Deletion extends Request {
  /** Entity tags by key: these objects go only while they carry them. */
  readonly expected?: ReadonlyMap<string, string>;
  /** Asks for each of those by itself, see {@link DeleteConditions}. */
  readonly isSingle?: boolean;
}

/** An object as a listing tells it. */
export interface Listed {
  readonly key: string;
  /** Undefined where a listing does not tell it. */
  readonly etag: string | undefined;
  readonly bytes: number;
}

/** What each request that changes objects says. */
export interface Request {
  /**
   * Moment (ms) from which the store must not carry it out any more, as far as it can be told; asked
   * when the request is made, and throws when it has come.
   */
  readonly until?: (() => number) | undefined;
  /** Called when an answer does not come: what was asked for may take place up to its end. */
  readonly onLost?: (() => void) | undefined;
}

/** What a put says beside its artifact. */
export interface Write extends Request {
  /** Entity tag of the object to replace; null when there must be none; undefined for whatever there is. */
  readonly expected?: string | null | undefined;
  /** A version of this object that has the same bytes: it is copied, and the artifact's are not sent. */
  readonly copyOf?: string | undefined;
  /** Names this write, so that a lost answer can be told from another's write. Up to 64 of `[\w-]`. */
  readonly id?: string;
}

/** One of the versions of an object. */
export interface StoredVersion {
  readonly version: string;
  readonly etag: string | undefined;
}

/** An object without its body. */
export interface StoredHead extends Partial<Headers> {
  readonly etag: string | undefined;
  /** Of the write that put it, where the store keeps it. */
  readonly writeId: string | undefined;
  /** The artifact's hash in hexadecimal, where the store keeps it. */
  readonly hash: string | undefined;
}

export interface StoredObject extends Partial<Headers> {
  readonly body: Uint8Array;
}
