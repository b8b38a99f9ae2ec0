import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError } from "fastify";
import { PipelineError } from "../error.ts";
import type { Route } from "./http.ts";
import { PROBLEM_TYPE, problemOf, RefusedRequest } from "./problem.ts";

/** Names of a thousand pages take a tenth of it. */
export const BODY_BYTES = 512 * 1024;
const HINT = "The API's reference says what may be sent.";

/** Fastify's own errors in our words; bugs as they are. */
export function ours(error: unknown): unknown {
  if (error instanceof PipelineError || !(error instanceof Error)) return error;
  const { statusCode = 500, validation, validationContext = "" } = error as FastifyError;
  if (validation !== undefined) return invalid(validation, validationContext);
  if (statusCode < 400 || statusCode >= 500) return error;
  return new RefusedRequest(statusCode, FAULTS[statusCode] ?? "The request is malformed.", {
    hint: HINT,
  });
}

const FAULTS: Readonly<Record<number, string>> = {
  408: "The request took too long to arrive.",
  413: `The body is larger than ${BODY_BYTES / 1024} KiB.`,
  415: "The body is no application/json.",
};
const MAX_PROBLEMS = 20;

function invalid(
  validation: NonNullable<FastifyError["validation"]>,
  where: string,
): PipelineError {
  const problems = validation
    .slice(0, MAX_PROBLEMS)
    .map(({ instancePath, message = "", params }) => ({
      place: `${where}${instancePath}`,
      message: `It ${message}${detailOf(params)}.`,
    }));
  return new PipelineError("request_invalid", "The request is not as it should be.", {
    hint: HINT,
    problems,
  });
}

/** What a schema's own message leaves out. */
function detailOf(params: object): string {
  const { additionalProperty, allowedValues } = params as {
    additionalProperty?: string;
    allowedValues?: readonly string[];
  };
  if (additionalProperty !== undefined) return `: ${additionalProperty.slice(0, 100)}`;
  return allowedValues === undefined ? "" : `: ${allowedValues.join(", ")}`;
}

/** 405 where another method would do, else 404. */
export function unknownRoute(
  routes: readonly Pick<Route, "method" | "path">[],
  url: string,
): PipelineError {
  const [path = ""] = url.split("?");
  const others = routes.filter((each) => matches(each.path, path)).map(({ method }) => method);
  if (others.length > 0) {
    const allowed = others.join(", ");
    const details = { hint: `Use ${allowed}.`, at: { allowed } };
    return new RefusedRequest(405, "There is no such method at this address.", details);
  }
  return new PipelineError("not_found", "The API has nothing at this address.", {
    hint: "The API's reference lists what there is; each path begins with /v1, /health or is /metrics.",
  });
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => part.startsWith(":") || part === given[at])
  );
}

export function noHost(): PipelineError {
  return new RefusedRequest(400, "The request names no host.", { hint: HINT });
}

/** Node would answer an `Expect` that nobody knows by itself, and say nothing. */
export function refuseExpectation(_: unknown, response: ServerResponse): void {
  const refused = new RefusedRequest(417, "The request expects what nobody gives.", { hint: HINT });
  const body = JSON.stringify(problemOf(refused, randomUUID()));
  const length = Buffer.byteLength(body);
  const headers = { "content-type": PROBLEM_TYPE, "content-length": length, connection: "close" };
  response.writeHead(417, headers).end(body);
}

/** What is no HTTP at all, or has headers without end, is answered by hand, and the connection ends. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, reason] = CONNECTION[error.code ?? ""] ?? [400, "Bad Request"];
  const refused = new RefusedRequest(status, `The request cannot be read: ${reason}.`, {
    hint: HINT,
  });
  const body = JSON.stringify(problemOf(refused, randomUUID()));
  const head = `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}

const CONNECTION: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};
