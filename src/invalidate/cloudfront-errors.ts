import { type ErrorCode, PipelineError } from "../error.ts";

/** Where a call failed; of `batch` and `invalidation` the one that it was about. */
export interface CloudFrontPlace {
  readonly distribution: string;
  readonly batch?: string;
  readonly invalidation?: string;
}

const KEYS = "Check the access key, its secret and, if it is temporary, its session token.";
const GRANT =
  "Allow cloudfront:CreateInvalidation and cloudfront:GetInvalidation on the distribution.";
const BUG = "This is a bug in Nightbake; please report it with the batch's id.";

/** Answers that stay the same until somebody acts. */
const HINTS: Readonly<Record<string, string>> = {
  NoSuchDistribution: "Correct the distribution's id, or the account the credentials belong to.",
  AccessDenied: GRANT,
  AccessDeniedException: GRANT,
  SignatureDoesNotMatch: KEYS,
  InvalidClientTokenId: KEYS,
  UnrecognizedClientException: KEYS,
  MissingAuthenticationToken: KEYS,
  CredentialsProviderError: "Provide credentials: environment variables, a profile or a role.",
  ExpiredToken: "Renew the temporary credentials, then run again; the outbox is kept.",
  ExpiredTokenException: "Renew the temporary credentials, then run again; the outbox is kept.",
  NoSuchInvalidation: "Run again: the batch is sent anew under the same reference.",
};

/** The batch's own fault; others can still be sent. */
const OF_BATCH: Readonly<Record<string, string>> = {
  InvalidArgument: BUG,
  InvalidationBatchAlreadyExists: BUG,
  InconsistentQuantities: BUG,
  MissingBody: BUG,
  BatchTooLarge: BUG,
};

/** 400 answers, but they pass. The spelling differs between API versions. */
const THROTTLED =
  /^TooManyInvalidationsInProgress|^Throttl|^TooManyRequests|^RequestLimitExceeded|SlowDown/;

/** Translates what the SDK threw, after its retries, into our words. */
export function cloudFrontError(
  cause: unknown,
  place: CloudFrontPlace,
  what = place.batch === undefined ? "tell an invalidation's state" : "take an invalidation",
): PipelineError {
  const { name, text, status } = factsOf(cause);
  const { distribution, batch } = place;
  const code = codeOf(name, text, status);
  const isOwn = batch !== undefined && name in OF_BATCH;
  const message = `CloudFront did not ${what}: ${text === "" ? name : `${name}, ${text.replace(/\.?$/, ".")}`}`;
  const at = { distribution, ...(isOwn && { batch }) };
  return new PipelineError(code, message, { hint: hintOf(name, code), at, cause });
}

function codeOf(name: string, text: string, status: number | undefined): ErrorCode {
  if (THROTTLED.test(name) || /rate exceeded/i.test(text) || status === 429) return "cdn_throttled";
  const isRefusal = name in HINTS || (status !== undefined && status >= 400 && status < 500);
  return isRefusal && status !== 408 ? "cdn_rejected" : "cdn_unavailable";
}

function hintOf(name: string, code: ErrorCode): string {
  if (code === "cdn_throttled") return "Wait; the outbox is kept and sent by the next run.";
  if (code === "cdn_unavailable")
    return "Check the network and CloudFront's status, then run again.";
  return HINTS[name] ?? OF_BATCH[name] ?? "Look the code up in CloudFront's list of common errors.";
}

function factsOf(cause: unknown) {
  if (!(cause instanceof Error)) return { name: "unknown", text: String(cause), status: undefined };
  const { $metadata, code } = cause as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly code?: unknown;
  };
  // A refused connection is an Error whose `code` says more than its name.
  const isPlain = cause.name === "Error" || cause.name === "AggregateError";
  const name = isPlain && typeof code === "string" ? code : cause.name;
  return { name, text: cause.message.trim(), status: $metadata?.httpStatusCode };
}
