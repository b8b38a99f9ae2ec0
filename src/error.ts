/**
 * Codes are permanent: dashboards, alarms and runbooks refer to them. A code is added, never
 * renamed; its meaning stands beside it.
 */
export type ErrorCode =
  /** Settings, options or the site definition are wrong; every problem is in `problems`. */
  | "config_invalid"
  /** What keeps settings does not answer. */
  | "config_unavailable"
  /** A row does not fit its declaration. */
  | "row_invalid"
  /** A row's route cannot be served (empty, leaves its folder, too long …). */
  | "route_invalid"
  /** Two pages want one route, or routes that a folder store cannot tell apart. */
  | "route_taken"
  /** A declared redirect leads to no page, or in a circle. */
  | "redirect_invalid"
  /** A template is missing, does not compile, or throws. */
  | "template_failed"
  /** A body could not be turned into HTML (too large, too slow). */
  | "body_invalid"
  /** A body links to a route that does not exist and `bodyLinks` is "error". */
  | "link_broken"
  /** The database does not answer (refused, timed out, too many connections). */
  | "source_unavailable"
  /** The database answers no: wrong password, missing table or column, no grant. */
  | "source_rejected"
  /** No server of the database has ever had this position: it is another's, or was lost in a fail-over. */
  | "position_unknown"
  /** A table that held rows at the last build is empty now. */
  | "source_empty"
  /** The database's log no longer holds, or cannot tell, what followed a position. */
  | "feed_lost"
  /** Rows changed that the database's log, which is followed, has not told of. */
  | "changes_missed"
  /** The store does not answer or asks to slow down. */
  | "store_unavailable"
  /** The store answers no: missing bucket, no permission, expired credentials. */
  | "store_rejected"
  /** The object is not the one that was to be replaced: another hand has written it since. */
  | "store_conflict"
  /** The ledger knows pages already, so it cannot take over what else is in a store. */
  | "adopt_refused"
  /** What a store holds was to be taken over, and that was cut off or is out of date. */
  | "adopt_unfinished"
  /** An object that was to be deleted was put by another hand; it stays, and Nightbake forgets it. */
  | "object_foreign"
  /** A build would delete more of the site than is allowed. */
  | "deletes_refused"
  /** The ledger cannot be read or written. */
  | "ledger_unavailable"
  /** The ledger was made by a newer release, or is not one. */
  | "ledger_rejected"
  /** Another run publishes to this ledger, or one has since this plan was made. */
  | "run_conflict"
  /** A page cannot be put because it, or what is still at its route, is taken down. */
  | "page_barred"
  /** The site was rolled back and stays so until somebody resumes. */
  | "publishing_held"
  /** A release cannot be restored, or told: something of it is no longer there. */
  | "release_lost"
  /** Pages have moved on since the plan that is to be applied was made. */
  | "plan_stale"
  /** The CDN asks to slow down or has too many invalidations in progress. */
  | "cdn_throttled"
  /** The CDN does not answer. */
  | "cdn_unavailable"
  /** The CDN answers no: unknown distribution, no permission, bad path. */
  | "cdn_rejected"
  /** Readers get an old page though the CDN says that it was evicted. */
  | "cdn_stale"
  /** Input files (NDJSON, content) cannot be read or are malformed. */
  | "input_invalid"
  /** An idempotency key came with another request before. */
  | "request_conflict"
  /** The process has older templates, content or code than the one that was activated last. */
  | "release_outdated"
  /** Workers died while they ran the job, again and again. */
  | "worker_lost"
  /** The queue's engine does not answer. */
  | "queue_unavailable"
  /** A request to the HTTP API is malformed, too large or of the wrong type. */
  | "request_invalid"
  /** A request to the HTTP API has no token, or an unknown or revoked one. */
  | "credential_rejected"
  /** The token of a request is good, but not for this. */
  | "scope_missing"
  /** The HTTP API has nothing at this address: no such route, or no such job. */
  | "not_found"
  /** One asks more often than is allowed. */
  | "rate_limited"
  /** A server that was asked does not answer, or it is stopping. */
  | "server_unavailable"
  /** What was asked is no Nightbake, or another release that is not understood. */
  | "server_rejected"
  /** The operator stopped the run. */
  | "interrupted";

/** Codes whose cause may pass by itself; these and only these are retried. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  "config_unavailable",
  "source_unavailable",
  "store_unavailable",
  "ledger_unavailable",
  "cdn_throttled",
  "cdn_unavailable",
  "cdn_stale",
  "queue_unavailable",
  "rate_limited",
  "server_unavailable",
]);

/** The optional parts of a {@link PipelineError}. */
export interface ErrorDetails {
  /** What the operator can do next, as a full sentence. */
  readonly hint?: string;
  /** Where it happened, e.g. `{ table: "articles", key: "42", column: "title" }`. */
  readonly at?: Readonly<Record<string, string>>;
  /** Every single problem, when one error reports several at once. */
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

/** One of several problems that are reported together. */
export interface Problem {
  /** Where, e.g. `pages.article.reads.author.key` or `articles.ndjson.gz:12`. */
  readonly place: string;
  readonly message: string;
}

/**
 * An expected failure. Anything else that is thrown is a bug and ends the process.
 * Messages are full sentences from the operator's side and never hold a secret.
 */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly at: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.at = details.at ?? {};
    this.problems = details.problems ?? [];
  }

  /** True when waiting and trying again may help. */
  get retryable(): boolean {
    return TRANSIENT.has(this.code);
  }
}
