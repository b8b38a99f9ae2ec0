/** A set of invalidation items that was stored, with its id, before it was sent. */
export interface Batch {
  /** Our own id; CloudFront's CallerReference. */
  readonly id: string;
  /** Encoded paths as `address()` gives them, `/articles/x/`; wildcards, `/articles/*`; tags, `#author-0a1b`. */
  readonly items: readonly string[];
}

/** A cache in front of the store. */
export interface Cdn {
  /** What this is, for messages: `CloudFront E2EXAMPLE`, `none`. */
  readonly name: string;

  /** False when there is nothing to invalidate, so nothing is put into the outbox. */
  readonly isCaching: boolean;

  /** True when `#tag` evicts every copy that carries the tag; else such an item evicts nothing. */
  readonly hasTags: boolean;

  /** How many items one batch may hold. */
  readonly batchItems: number;

  /**
   * Asks for one batch. Sending the same batch again is free and returns the same name.
   * @returns the CDN's name for this invalidation
   * @throws PipelineError `cdn_throttled`, `cdn_unavailable`, `cdn_rejected`
   */
  send(batch: Batch): Promise<string>;

  /** True once the invalidation has completed everywhere. */
  isCompleted(invalidation: string): Promise<boolean>;
}
