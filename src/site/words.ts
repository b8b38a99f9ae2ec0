/** Names one page: a kind and its key within it. `key` is {@link encodeKey}'s form; order is by bytes. */
export interface PageId {
  readonly kind: string;
  readonly key: Uint8Array;
}

/** Headers an object is served with; part of what "changed" means. Names are S3's, in words. */
export interface Headers {
  readonly contentType: string;
  readonly cacheControl: string;
  /** Absent where nothing was said. */
  readonly contentLanguage?: string;
  /** Lower-case names without `x-amz-meta-`, e.g. `{ "cache-tag": "author-ann" }`; S3 allows 2 KB in all. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes, object key and headers: ready to serve. */
export interface Artifact extends Headers {
  /** Object name, no leading "/". */
  readonly key: string;
  readonly body: Uint8Array;
  /** Digest of body and all headers; 16 bytes. */
  readonly hash: Buffer;
}

/** One recorded dependency: its stable name and the digest of what was seen. */
export interface RecordedRead {
  /** `row:users/ann`, `list:articles_by_tag/scaling#head`, `page:/articles/x/`, `template:article` … */
  readonly key: string;
  /** 16 bytes. */
  readonly digest: Uint8Array;
}

/**
 * Where a step belongs among the global phases, in order; a barrier stands between any two. Pages that
 * are returning come to where readers may still be led, though nothing that is live leads there.
 */
export const PHASES = [
  "assets",
  "new",
  "returning",
  "changed",
  "lists",
  "feeds",
  "deletes",
] as const;
export type Phase = (typeof PHASES)[number];

/** What a run would do to one page, and why. */
export interface Step extends PageId {
  readonly phase: Phase;
  /** `check`: a change may have reached the page; planning ends by making it an update or nothing. */
  readonly action: "create" | "update" | "delete" | "check";
  /**
   * The key of the read that changed: `row:articles/42`, `template:article` …; or what became of the
   * page: `absent`, `gone`, `clock:articles/42` (likewise, at the row's moment), `barred` (it is taken down), `route` (it moves),
   * `window` (it begins elsewhere), `kind` (all of its kind go), `store` and `unfinished` (nobody
   * knows what is stored).
   */
  readonly reason: string;
  /** Route after the step; of a delete, the route that goes. */
  readonly route: string;
  /** Route before, when the page moves. */
  readonly from: string | undefined;
  /**
   * What belongs to a page beside its route: the place of a list window's first entry, where a
   * redirect leads; {@link encodeKey}'s form.
   */
  readonly start: Uint8Array | undefined;
}

/** The class of a step's reason, by which runs count: `row` of `row:users/ann`. */
export function causeOf({ reason }: Pick<Step, "reason">): string {
  return reason.split(":", 1)[0] ?? reason;
}

/**
 * What makes the pages of a kind beside rows, each with a version or digest: `template:entry`,
 * `asset:style.css`, `definition:post`, `runtime:node` …
 */
export type Making = Readonly<Record<string, string>>;

/** One Markdown file of `content/`. */
export interface ContentFile {
  /** Path below its folder without `.md`, e.g. `about` or `help/contact`; also its route. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Markdown without the front matter. */
  readonly body: string;
}

/** One asset, named by its content. */
export interface AssetFile {
  /** As templates call it: `style.css`. */
  readonly name: string;
  /** Object name: `assets/style.0a1b2c3d4e.css`. */
  readonly key: string;
  readonly body: Uint8Array;
}

/** A page with everything its template gets, and the reads it came from. */
export interface LoadedPage extends PageId {
  readonly route: string;
  readonly template: string;
  /** What the template sees beside the site, the route and `html`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Markdown sources by name; the template gets them as `html.NAME`. */
  readonly markdown: Readonly<Record<string, string>>;
  /** Declared reads in a fixed order, the template first. */
  readonly reads: readonly RecordedRead[];
  /** Names under which the ledger finds this page when something it shares with others changes. */
  readonly uses: readonly Uint8Array[];
  /** Cache tags in declared order, e.g. `author:ann`. */
  readonly tags: readonly string[];
  readonly start: Uint8Array | undefined;
  /** µs */
  readonly lastmod: number | undefined;
}
