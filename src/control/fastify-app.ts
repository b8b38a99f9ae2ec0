import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import {
  BODY_BYTES,
  noHost,
  ours,
  refuseConnection,
  refuseExpectation,
  unknownRoute,
} from "./fastify-errors.ts";
import { type Answer, HEADERS, type Route } from "./http.ts";
import { PROBLEM_TYPE, problemOf } from "./problem.ts";
import type { SignIn } from "./sign-in.ts";

/** What a server answers, and whom it tells. */
export interface Served {
  readonly routes: readonly Route[];
  readonly signIn: SignIn;
  /** Each answer, when it begins; `error` is what it hides. */
  readonly onAnswer: (answered: Answered) => void;
}

/** One request for log and metrics: nothing of it is as whoever asked wrote it. */
export interface Answered {
  readonly id: string;
  readonly method: string;
  /** As declared: `/v1/jobs/:id`; empty when there is none. */
  readonly route: string;
  readonly status: number;
  /** Until the answer began. */
  readonly seconds: number;
  /** Name of the token. */
  readonly by: string | undefined;
  /** Of what the server is at fault for. */
  readonly error?: unknown;
}

const HEADER_BYTES = 16 * 1024;
/** Headers, then the whole request, have to be there in so long. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
/** An open connection that asks nothing. */
const IDLE_MS = 65_000;
const CONNECTIONS = 2000;
const ID_LENGTH = 100;

/** Routes as Fastify serves them; nothing listens yet. */
export function appOf(served: Served): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    // Node would refuse a request without a host by itself, and say nothing.
    http: { maxHeaderSize: HEADER_BYTES, headersTimeout: HEADERS_MS, requireHostHeader: false },
    forceCloseConnections: "idle",
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: ID_LENGTH },
    genReqId: () => randomUUID(),
    // As it is sent or not at all: no defaults, no conversions, nothing dropped.
    ajv: {
      customOptions: {
        allErrors: true,
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: false,
      },
    },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) =>
      void fail(served, error, request, reply as FastifyReply),
  });
  app.server.maxConnections = CONNECTIONS;
  app.server.on("checkExpectation", refuseExpectation);
  app.removeContentTypeParser("text/plain");
  app.addHook("onRequest", async (request: Marked) => {
    request[SINCE] = performance.now();
    if (request.headers.host === undefined) throw noHost();
  });
  app.setErrorHandler((error, request, reply) => fail(served, error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    fail(served, unknownRoute(served.routes, request.url), request, reply),
  );
  for (const route of served.routes) add(app, route, served);
  return app;
}

/** Ends the streams of the request that is answered within; nothing of it is the asker's. */
export const ENDING = new AsyncLocalStorage<AbortSignal | undefined>();

const TOKEN = Symbol("token");
const SINCE = Symbol("since");
/** A request, who asked and when (ms). */
type Marked = FastifyRequest & {
  [TOKEN]?: Awaited<ReturnType<SignIn>>;
  [SINCE]?: number;
};

function add(app: FastifyInstance, route: Route, served: Served): void {
  const { method, path: url, scopes, schema = {} } = route;
  app.route({
    method,
    url,
    schema,
    // Before the body is read: strangers send none.
    async onRequest(request: Marked) {
      if (scopes.length === 0) return;
      const { authorization } = request.headers;
      request[TOKEN] = await served.signIn({ authorization, address: request.ip }, scopes);
    },
    async handler(request: Marked, reply) {
      const gone = new AbortController();
      const ending = ENDING.getStore();
      reply.raw.once("close", () => gone.abort());
      const token = request[TOKEN] ?? { name: "", scopes: [] };
      const { params, query, body } = request;
      const headers = request.headers as Record<string, string | undefined>;
      const answer = await route.answer({
        token,
        params: params as Record<string, string>,
        query: query as Record<string, unknown>,
        headers,
        body,
        gone: ending === undefined ? gone.signal : AbortSignal.any([gone.signal, ending]),
      });
      told(served, request, { status: answer.status });
      return await send(reply, answer);
    },
  });
}

function send(
  reply: FastifyReply,
  { status, headers = {}, json, text, stream }: Answer,
): FastifyReply {
  reply.code(status).headers({ ...HEADERS, "x-request-id": reply.request.id, ...headers });
  if (stream === undefined) return reply.send(json ?? text);
  // Proxies that gather what they pass on would hold events back; and a server that stops need not wait.
  reply.headers({ "x-accel-buffering": "no", connection: "close" });
  return reply.send(Readable.from(stream, { objectMode: false, highWaterMark: 1 }));
}

function fail(served: Served, thrown: unknown, request: Marked, reply: FastifyReply): FastifyReply {
  const error = ours(thrown);
  const problem = problemOf(error, request.id);
  const { status } = problem;
  told(served, request, {
    status,
    ...(status >= 500 && { error }),
  });
  reply.code(status).headers({ ...HEADERS, "x-request-id": request.id });
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="nightbake"');
  if (problem.code === "rate_limited") reply.header("retry-after", problem.at?.["seconds"] ?? "60");
  if (status === 405) reply.header("allow", problem.at?.["allowed"] ?? "");
  // As text: the type is not one that Fastify would add a character set to, or serialise otherwise.
  return reply.type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

function told(
  { onAnswer }: Served,
  request: Marked,
  rest: Pick<Answered, "status" | "error">,
): void {
  const { id, method } = request;
  const route = request.is404 ? "" : (request.routeOptions.url ?? "");
  const now = performance.now();
  const seconds = (now - (request[SINCE] ?? now)) / 1000;
  onAnswer({ id, method, route, seconds, by: request[TOKEN]?.name, ...rest });
}
