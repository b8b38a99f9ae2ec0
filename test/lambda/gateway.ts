import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import {
  type Answering,
  openAnswering,
  type ServerOptions,
  type ServerParts,
} from "../../src/control/server.ts";
import { apiEvent } from "../../src/lambda/api.ts";

/** What API Gateway, and a function URL, say of a request (payload format 2.0). */
export async function eventOf(request: IncomingMessage, stage = "$default") {
  const [rawPath = "/", ...query] = (request.url ?? "/").split("?");
  // What is no request behind this one ends the connection, which then is nobody's.
  const sourceIp = request.socket.remoteAddress;
  const body = await buffer(request);
  const { cookie, ...headers } = request.headers;
  const prefix = stage === "$default" ? "" : `/${stage}`;
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: prefix + rawPath,
    rawQueryString: query.join("?"),
    ...(cookie !== undefined && { cookies: cookie.split("; ") }),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, [value].flat().join(",")]),
    ),
    requestContext: {
      stage,
      http: {
        method: request.method,
        path: prefix + rawPath,
        protocol: "HTTP/1.1",
        sourceIp,
        userAgent: request.headers["user-agent"],
      },
      requestId: "JKJaXmPLvHcESHA=",
    },
    // Text goes as text only where the type says that it is some.
    ...(body.length > 0 && { body: body.toString("base64"), isBase64Encoded: true }),
  };
}

/** A server that has requests answered elsewhere. */
export async function openFront(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
) {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The same for each invocation; a function opens its own and closes it. */
export function kept(answering: Answering): Answering {
  return { ...answering, [Symbol.asyncDispose]: async () => {} };
}

/** API Gateway with an HTTP API, before our function. */
export function gateway(stage?: string) {
  return async (parts: ServerParts, options: ServerOptions) => {
    const answering = await openAnswering(parts, { ...options, streams: "brief" });
    const open = async () => kept(answering);
    const front = await openFront(async (request, response) => {
      const event = await eventOf(request, stage);
      const answer = await apiEvent(event, { awsRequestId: "c6af9ac6-7b61" }, open);
      response.writeHead(answer.statusCode, answer.headers).end(answer.body);
    });
    return {
      url: front.url,
      async [Symbol.asyncDispose]() {
        await front[Symbol.asyncDispose]();
        await answering[Symbol.asyncDispose]();
      },
    };
  };
}
