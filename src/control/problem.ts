import { type ErrorCode, type ErrorDetails, PipelineError } from "../error.ts";

/** An error as RFC 9457, "Problem Details for HTTP APIs", has it, with our code and hint. */
export interface ProblemDocument {
  /** `urn:nightbake:error:` and the code. */
  readonly type: string;
  /** The code in words. */
  readonly title: string;
  readonly status: number;
  /** One of `src/error.ts`, or `bug`. */
  readonly code: string;
  readonly detail: string;
  readonly hint?: string | undefined;
  readonly at?: PipelineError["at"];
  readonly problems?: PipelineError["problems"];
  /** The request, as the server's log names it. */
  readonly instance: string;
}

/** Content-Type of one. */
export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** The one table of codes and statuses. Of all others the server is at fault. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  request_invalid: 400,
  credential_rejected: 401,
  scope_missing: 403,
  not_found: 404,
  request_conflict: 409,
  input_invalid: 422,
  position_unknown: 422,
  rate_limited: 429,
  ledger_unavailable: 503,
  queue_unavailable: 503,
};

/** What a server that fails says of it. */
const HINT = "The server's log says more about the request of this id.";

/** A request that is refused for its form, with a status of its own: 405, 413, 415 … */
export class RefusedRequest extends PipelineError {
  readonly status: number;

  constructor(status: number, message: string, details: ErrorDetails) {
    super("request_invalid", message, details);
    this.status = status;
  }
}

/**
 * What is answered for an error. Of one that is not the asker's fault only the code is told: its
 * message may name files and servers, and stands in the log under the request's id.
 */
export function problemOf(error: unknown, requestId: string): ProblemDocument {
  const code = error instanceof PipelineError ? error.code : "bug";
  const status = statusOf(error);
  return {
    type: `urn:nightbake:error:${code}`,
    title: titleOf(code),
    status,
    code,
    ...(error instanceof PipelineError && status < 500 ? told(error) : untold(code)),
    instance: `urn:nightbake:request:${requestId}`,
  };
}

function statusOf(error: unknown): number {
  if (error instanceof RefusedRequest) return error.status;
  return (error instanceof PipelineError && STATUS[error.code]) || 500;
}

function told({ message, hint, at, problems }: PipelineError) {
  return {
    detail: message,
    hint,
    ...(Object.keys(at).length > 0 && { at }),
    ...(problems.length > 0 && { problems }),
  };
}

function untold(code: string) {
  const detail = `The server could not answer: ${titleOf(code).toLowerCase()}.`;
  return { detail, hint: HINT };
}

/** `Request invalid` */
function titleOf(code: string): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
