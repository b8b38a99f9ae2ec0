import { PipelineError } from "../error.ts";
import type { Write } from "./store.ts";

/** What was asked of S3, for messages. `key` where it was about one object. */
export interface S3Place {
  readonly doing: "list" | "get" | "put" | "delete";
  readonly key?: string;
}

/** One entry of DeleteObjects' `Errors`. */
interface KeptObject {
  readonly Key?: string | undefined;
  readonly Code?: string | undefined;
}

const KEYS = "Check the access key, its secret and, if it is temporary, its session token.";
const REGION = "Set the region to the one the bucket is in.";

/** Answers that stay the same until somebody acts. */
const HINTS: Readonly<Record<string, string>> = {
  NoSuchBucket: "Create the bucket or correct its name.",
  InvalidBucketName: "Correct the bucket's name.",
  AccessDenied:
    "Allow s3:ListBucket on the bucket and s3:GetObject, s3:PutObject, s3:DeleteObject on its objects.",
  SignatureDoesNotMatch: KEYS,
  InvalidAccessKeyId: KEYS,
  InvalidToken: KEYS,
  CredentialsProviderError: "Provide credentials: environment variables, a profile or a role.",
  ExpiredToken:
    "Renew the temporary credentials, then run again; it goes on where this one stopped.",
  RequestTimeTooSkewed: "Set this machine's clock; it differs too much from S3's.",
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
};

/** The object's own fault; others can still be stored. Ceph calls a long key InvalidObjectName. */
const OF_OBJECT = new Set([
  "KeyTooLongError",
  "InvalidObjectName",
  "MetadataTooLarge",
  "EntityTooLarge",
]);

/** Answers to a conditional put or delete, see "How to prevent object overwrites" in the S3 User Guide. */
const CONFLICTS = new Set(["PreconditionFailed", "ConditionalRequestConflict"]);

/** 4xx answers that pass by themselves. */
const TRANSIENT = new Set(["RequestTimeout", "SlowDown", "OperationAborted", "TooManyRequests"]);
const TRANSIENT_STATUS = new Set([408, 429]);
/** Answers that ask for fewer requests, and no answer in time ("Optimizing Amazon S3 performance"). */
const SLOW = new Set([
  "SlowDown",
  "TooManyRequests",
  "RequestTimeout",
  "TimeoutError",
  "ETIMEDOUT",
]);
const SLOW_STATUS = new Set([408, 429, 503]);

/** An answer to HEAD has no body, so the SDK can only say the last. */
const MISSING = new Set(["NoSuchKey", "NoSuchVersion", "NotFound"]);

/** True when S3 says that there is no such object (and not: no such bucket). */
export function isMissing(cause: unknown): boolean {
  return isMissingCode(nameOf(cause));
}

/** The same of a code among those of DeleteObjects. */
export function isMissingCode(code: string | undefined): boolean {
  return code !== undefined && MISSING.has(code);
}

/** True when a key was not deleted because its object is not the one expected, or may not be in a moment. */
export function isConflictCode(code: string | undefined): boolean {
  return code !== undefined && CONFLICTS.has(code);
}

/** True when S3 refused a write because its expectation did not hold, or may not hold in a moment. */
export function isConflict(cause: unknown, { expected }: Write): boolean {
  if (expected === undefined) return false;
  const isGone = expected !== null && isMissing(cause);
  return isGone || isConflictCode(nameOf(cause)) || statusOf(cause) === 412;
}

/** True when an attempt says that there are too many at once. */
export function isSlow(cause: unknown): boolean {
  return SLOW.has(nameOf(cause)) || SLOW_STATUS.has(statusOf(cause) ?? 0);
}

/** Where no connection came about, nothing was asked. */
const NOT_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "CredentialsProviderError"]);

/** True when an attempt got no answer, so that nobody knows what becomes of it. */
export function isUnanswered(cause: unknown): boolean {
  if (!(cause instanceof Error) || cause instanceof PipelineError) return false;
  return !("$response" in cause && cause.$response) && !NOT_SENT.has(nameOf(cause));
}

/** True when S3 answered no, which stays so until somebody acts. */
export function isRefusal(cause: unknown): boolean {
  return isRefused(nameOf(cause), statusOf(cause));
}

/** Translates what the SDK threw, after its retries, into our words. */
export function s3Error(
  cause: unknown,
  place: S3Place & { readonly bucket: string },
): PipelineError {
  const { doing, key, bucket } = place;
  const name = nameOf(cause);
  const isOwn = key !== undefined && OF_OBJECT.has(name);
  const what = key === undefined ? `${doing} objects in ${bucket}` : `${doing} ${key} in ${bucket}`;
  const isNo = isRefusal(cause);
  const message = `S3 ${isNo ? "refused to" : "did not"} ${what}: ${reasonOf(cause, name)}`;
  return new PipelineError(isNo ? "store_rejected" : "store_unavailable", message, {
    hint: hintOf(name, { isOwn, isRefusal: isNo }),
    at: { bucket, ...(isOwn && { key }) },
    cause,
  });
}

/** The error for keys that DeleteObjects reported as not deleted. */
export function keptObjects(
  kept: readonly KeptObject[],
  { bucket, base }: { readonly bucket: string; readonly base: string },
): PipelineError {
  const [first] = kept;
  const name = first?.Code ?? "unknown";
  const key = first?.Key?.slice(base.length) ?? "?";
  const message = `S3 kept ${kept.length} of the objects to delete, the first is ${key}: ${name}.`;
  const hint = HINTS[name] ?? "Run again; objects that are due stay in the ledger until deleted.";
  return new PipelineError("store_rejected", message, { hint, at: { bucket, key } });
}

function isRefused(name: string, status: number | undefined): boolean {
  if (name in HINTS) return true;
  if (status === undefined || TRANSIENT.has(name) || TRANSIENT_STATUS.has(status)) return false;
  return status >= 300 && status < 500;
}

function hintOf(
  name: string,
  is: { readonly isOwn: boolean; readonly isRefusal: boolean },
): string {
  if (is.isOwn) return "Change that page's route or tags; no other page is affected.";
  if (is.isRefusal) return HINTS[name] ?? "Look the code up in S3's list of error responses.";
  return "Check the network, the endpoint and S3's status, then run again.";
}

function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "unknown";
  // A refused connection is an Error whose `code` says more than its name.
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  return cause.name === "Error" || cause.name === "AggregateError"
    ? (code ?? cause.name)
    : cause.name;
}

function reasonOf(cause: unknown, name: string): string {
  const text = cause instanceof Error ? cause.message.trim() : "";
  return text === "" || text === name ? `${name}.` : `${name}, ${text.replace(/\.?$/, ".")}`;
}

function statusOf(cause: unknown): number | undefined {
  const metadata = (
    cause as { readonly $metadata?: { readonly httpStatusCode?: number } } | undefined
  )?.$metadata;
  return metadata?.httpStatusCode;
}
