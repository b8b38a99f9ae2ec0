import { METHODS } from "node:http";
import type { Readable } from "node:stream";
import type { InjectOptions } from "fastify";
import { appOf, ENDING, type Served } from "./fastify-app.ts";
import { RefusedRequest } from "./problem.ts";

/** A request that came to somebody else, who brings it whole. */
export interface Brought {
  readonly method: string;
  /** Path and query: `/v1/jobs?limit=1` */
  readonly url: string;
  /** By names in lower case; several values of one are one, with commas between. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** Where it came from; strangers are counted by it. */
  readonly address: string;
  /** Ends streams when it is aborted. */
  readonly ending?: AbortSignal;
}

/** What goes back; the body comes as it is made. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/** Answers requests that are brought, several at once. */
export interface Answering extends AsyncDisposable {
  /** @throws PipelineError `request_invalid` for a method that HTTP does not have */
  answer(request: Brought): Promise<Reply>;
}

/** What belongs to a connection, and is another's on each of the ways that a request takes (RFC 9110, 7.6.1). */
const OF_CONNECTIONS = ["connection", "keep-alive", "transfer-encoding", "upgrade", "expect", "te"];
/** Whoever passes the answer on says these. */
const OF_SERVERS = ["date", "content-length"];

/** Answers with Fastify, which listens nowhere. */
export async function answering(served: Served): Promise<Answering> {
  const app = appOf(served);
  await app.ready();
  return {
    async answer(request) {
      const options = { ...asked(request), payloadAsStream: true } as const;
      const response = await ENDING.run(
        request.ending,
        // Awaited within: what it gives begins when it is awaited.
        async () => await app.inject(options),
      );
      const headers = without(response.headers, [...OF_CONNECTIONS, ...OF_SERVERS]);
      return { status: response.statusCode, headers, body: response.stream() };
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

function asked({ method, url, headers, body, address }: Brought): InjectOptions {
  if (!METHODS.includes(method)) {
    throw new RefusedRequest(400, "The request's method is none of HTTP's.", {});
  }
  return {
    method: method as NonNullable<InjectOptions["method"]>,
    // With a host, or a path that begins with two slashes would be taken for one.
    url: `http://localhost${url}`,
    remoteAddress: address,
    headers: {
      ...without(headers, [...OF_CONNECTIONS, "content-length"]),
      ...(body !== undefined && { "content-length": String(body.length) }),
    },
    ...(body !== undefined && { payload: body }),
  };
}

function without(
  headers: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !names.includes(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}
