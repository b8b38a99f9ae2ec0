import type { Brought } from "../control/server.ts";
import { PipelineError } from "../error.ts";

/** What a gateway or a function URL is answered (API Gateway, "payload format version 2.0"). */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The stage that stands in no path. */
const DEFAULT_STAGE = "$default";

/**
 * Reads a request in payload format 2.0. Cookies are left out: nobody signs in with one.
 * @throws PipelineError `request_invalid` for what is none
 */
export function requestIn(event: unknown): Brought {
  const { version, rawPath, rawQueryString = "", requestContext, ...rest } = members(event);
  const { stage = DEFAULT_STAGE, http } = members(requestContext);
  const { method, sourceIp } = members(http);
  if (version !== "2.0" || !isText(rawPath) || !isText(rawQueryString)) throw malformed();
  if (!isText(stage) || !isText(method) || !isText(sourceIp)) throw malformed();
  const query = rawQueryString === "" ? "" : `?${escaped(rawQueryString)}`;
  return {
    method,
    url: escaped(pathIn(rawPath, stage)).replaceAll("?", "%3F") + query,
    headers: headersIn(rest["headers"] ?? {}),
    body: bodyIn(rest["body"] ?? undefined, rest["isBase64Encoded"] === true),
    address: sourceIp,
  };
}

/** Behind the stage, which is a part of the path unless it is the default one. */
function pathIn(rawPath: string, stage: string): string {
  const path = rawPath.startsWith(`/${stage}/`) ? rawPath.slice(stage.length + 1) : rawPath;
  if (path.startsWith("/")) return path;
  throw malformed();
}

/** What a URL cannot hold as it is: a gateway may have decoded it. */
function escaped(text: string): string {
  return text.toWellFormed().replace(/[^!-~]+|#/g, encodeURIComponent);
}

function headersIn(value: unknown): Record<string, string> {
  const entries = Object.entries(members(value));
  return Object.fromEntries(
    entries.map(([name, each]) => {
      if (!isText(each)) throw malformed();
      return [name.toLowerCase(), each] as const;
    }),
  );
}

function bodyIn(value: unknown, isBase64: boolean): Buffer | undefined {
  if (value === undefined) return undefined;
  if (!isText(value)) throw malformed();
  return Buffer.from(value, isBase64 ? "base64" : "utf8");
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed();
  return value as Readonly<Record<string, unknown>>;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Without a word of it: it may hold a token. */
function malformed(): PipelineError {
  return new PipelineError("request_invalid", "The event is no HTTP request.", {
    hint: "The function is for an HTTP API with payload format 2.0, or for a function URL.",
  });
}
