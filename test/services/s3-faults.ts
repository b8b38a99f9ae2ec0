import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestLine } from "./faults.ts";
import { escapeXml, xmlTexts } from "./xml.ts";

/**
 * How a request can go wrong. `cut-before`: the connection ends and the server never saw the request;
 * `cut-after`: the server carried it out and the answer is lost; `truncated`: the answer ends half-way.
 * `other-hand`: somebody else writes the object just before. `delete-errors` and `delete-refusals`:
 * DeleteObjects says of every second key that it failed, and did it or did not.
 */
export type S3Fault =
  | "internal-error"
  | "slow-down"
  | "cut-before"
  | "cut-after"
  | "truncated"
  | "skewed"
  | "conflict"
  | "other-hand"
  | "delete-errors"
  | "delete-refusals"
  | { readonly delayMs: number }
  /** The server carries it out only then, and perhaps nobody waits for the answer any more. */
  | { readonly until: Promise<void> };

export interface S3Request extends RequestLine {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The server behind the faults. */
export interface S3Behind {
  readonly answer: (request: S3Request) => Promise<S3Answer>;
  /** Writes an object as somebody who knows nothing of us would. */
  readonly intrude: (path: string) => Promise<void>;
}

/** Errors that are answered instead of carrying the request out. See "Error responses" in the S3 API reference. */
const REFUSALS: Readonly<Record<string, readonly [number, string]>> = {
  "internal-error": [500, "InternalError"],
  "slow-down": [503, "SlowDown"],
  skewed: [403, "RequestTimeTooSkewed"],
  conflict: [409, "ConditionalRequestConflict"],
};

/** Answers a request as a healthy server would, or as the fault says. */
export async function serveS3(
  request: S3Request,
  response: ServerResponse,
  fault: S3Fault | undefined,
  { answer, intrude }: S3Behind,
): Promise<void> {
  if (fault === "cut-before") return void response.destroy();
  if (typeof fault === "object") {
    await ("until" in fault ? fault.until : sleep(fault.delayMs));
  }
  const isPut = request.method === "PUT";
  if (fault === "other-hand" && isPut) await intrude(request.path);
  const refusal = typeof fault === "string" ? REFUSALS[fault] : undefined;
  if (refusal !== undefined && (fault !== "conflict" || isConditional(request))) {
    return write(response, failure(...refusal));
  }
  const isDelete = request.method === "POST" && /\?delete\b/.test(request.path);
  const isKept = isDelete && (fault === "delete-errors" || fault === "delete-refusals");
  const done = isKept && fault === "delete-refusals" ? withoutSecond(request) : request;
  const reply = await answer(done).catch((error: unknown) => failure(502, String(error)));
  if (fault === "cut-after") return void response.destroy();
  if (fault === "truncated") return cut(response, reply);
  write(response, isKept ? withErrors(request) : reply);
}

export function failure(status: number, code: string): S3Answer {
  return xml(status, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

export function xml(status: number, text: string): S3Answer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
  return { status, headers: { "content-type": "application/xml" }, body };
}

function isConditional({ headers }: S3Request): boolean {
  return headers["if-match"] !== undefined || headers["if-none-match"] !== undefined;
}

function write(response: ServerResponse, { status, headers, body }: S3Answer): void {
  const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...kept } = headers;
  response.writeHead(status, kept).end(body);
}

/** Promises the whole body and sends a half. */
function cut(response: ServerResponse, { status, headers, body }: S3Answer): void {
  const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...kept } = headers;
  response.writeHead(status, { ...kept, "content-length": body.length });
  response.write(body.subarray(0, body.length >> 1), () => response.destroy());
}

const OBJECT = /<Object>.*?<\/Object>/gs;

/** The same DeleteObjects for the first, third … key only; its signature no longer holds. */
function withoutSecond(request: S3Request): S3Request {
  let at = 0;
  const keep = (object: string) => {
    at += 1;
    return at % 2 === 0 ? "" : object;
  };
  const body = Buffer.from(request.body.toString().replace(OBJECT, keep));
  return { ...request, body };
}

/** DeleteObjects answers 200 and names what it did not do. */
function withErrors({ body }: S3Request): S3Answer {
  const keys = (body.toString().match(OBJECT) ?? []).map((object) => xmlTexts(object, "Key")[0]);
  const errors = keys
    .filter((_, at) => at % 2 === 1)
    .map((key = "") => `<Error><Key>${escapeXml(key)}</Key><Code>InternalError</Code></Error>`);
  return xml(200, `<DeleteResult>${errors.join("")}</DeleteResult>`);
}
