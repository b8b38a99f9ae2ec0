/** A CDN whose configuration can be read. */
export interface Distribution {
  /** What this is, for messages: `CloudFront E2EXAMPLE`. */
  readonly name: string;

  /** @throws PipelineError `cdn_rejected`, `cdn_unavailable`, `cdn_throttled` */
  describe(): Promise<Described>;
}

/** What is configured, as far as pages depend on it. */
export interface Described {
  readonly isEnabled: boolean;
  /** Where it looks for cache tags; undefined when it looks for none. */
  readonly tagHeader: string | undefined;
  readonly errors: readonly ErrorPage[];
  /** Where most requests go; undefined when that is not said. */
  readonly origin: Origin | undefined;
}

/** A place that pages come from. */
export interface Origin {
  /** `site.s3.eu-central-1.amazonaws.com` */
  readonly domain: string;
  /** Stands before every path: `/preview`, or nothing. */
  readonly path: string;
  /** Whether a function may turn `/x/` into the name of an object. */
  readonly hasFunction: boolean;
}

/** What readers get when the store answers with an error. */
export interface ErrorPage {
  /** The store's answer: 403, 404 … */
  readonly status: number;
  /** Path of the page; undefined for the store's own answer. */
  readonly page: string | undefined;
  /** The status that readers get; undefined for the store's own. */
  readonly answered: number | undefined;
  /** How long the answer is kept at least. */
  readonly ttlSeconds: number;
}
