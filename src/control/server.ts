import type { Jobs } from "../jobs/job.ts";
import type { Queue } from "../jobs/queue.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Names } from "../pipeline.ts";
import type { Answered, Served } from "./fastify-app.ts";
import { type Answering, answering } from "./fastify-inject.ts";
import { type Listening, listen } from "./fastify-server.ts";
import { type Check, readiness } from "./health.ts";
import { type RequestCounts, requestCounts } from "./metrics.ts";
import { limiter } from "./rate.ts";
import { routesOf } from "./routes.ts";
import { type Acquaintances, signingIn } from "./sign-in.ts";

export type { Answered } from "./fastify-app.ts";
export type { Answering, Brought, Reply } from "./fastify-inject.ts";
export type { Listening } from "./fastify-server.ts";
export type { Check } from "./health.ts";

/** What the HTTP API works on. */
export interface ServerParts {
  readonly jobs: Jobs;
  readonly ledger: Pick<Ledger, "releases" | "tokens" | "usedToken">;
  readonly queue: Pick<Queue, "counts">;
  /** @throws PipelineError `input_invalid` for names that the site does not have */
  readonly checkNames: (names: Names) => void;
  /** What has to be there for `/health/ready`. */
  readonly checks: readonly Check[];
  /** Told of each answer when it begins. */
  readonly onAnswer: (answered: Answered) => void;
}

export interface AnswerOptions {
  /** That one token may make of this process. */
  readonly requestsPerMinute: number;
  /** Of earlier requests, see {@link newMemory}; none unless it is given. */
  readonly memory?: Memory;
  /** Whether streams of events wait for what comes, or end with what is known. Default `open`. */
  readonly streams?: "open" | "brief";
  /** Another server that streams events: `https://events.example.com`. */
  readonly eventsUrl?: string | undefined;
  readonly heartbeatMs?: number;
  /** ms; for tests. */
  readonly now?: () => number;
}

export interface ServerOptions extends AnswerOptions {
  readonly host: string;
  readonly port: number;
}

/** What a process remembers of the requests that it has answered, to count and to limit others. */
export type Memory = Acquaintances & { readonly counts: RequestCounts };

/** Proxies end what is silent for a minute, some for half of one. */
const HEARTBEAT_MS = 15_000;
/** Requests a minute of one address without a good token; behind a proxy it is everybody's. */
const STRANGERS = 60;

/**
 * Serves the HTTP API. Closing ends streams, whose clients go on elsewhere, and waits for requests
 * under way.
 * @throws PipelineError `config_invalid` when it cannot listen there
 */
export async function openServer(parts: ServerParts, options: ServerOptions): Promise<Listening> {
  const stop = new AbortController();
  const listening = await listen(served(parts, options, stop.signal), options);
  return {
    url: listening.url,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await listening[Symbol.asyncDispose]();
    },
  };
}

/** Answers the same requests where others listen, such as a gateway that calls functions. */
export async function openAnswering(
  parts: ServerParts,
  options: AnswerOptions,
): Promise<Answering> {
  return await answering(served(parts, options, new AbortController().signal));
}

/** Of a process that has answered nobody yet. `now` in ms. */
export function newMemory(requestsPerMinute: number, now = Date.now): Memory {
  const [askers, strangers] = [limiter(requestsPerMinute, now), limiter(STRANGERS, now)];
  return { counts: requestCounts(), askers, strangers, usedAt: new Map(), hashes: new Set() };
}

function served(parts: ServerParts, options: AnswerOptions, stopping: AbortSignal): Served {
  const { heartbeatMs = HEARTBEAT_MS, now = Date.now, streams = "open", eventsUrl } = options;
  const { jobs, ledger, queue, checkNames, checks } = parts;
  const { counts, ...known } = options.memory ?? newMemory(options.requestsPerMinute, now);
  const ready = readiness(checks, now);
  const from = { jobs, ledger, queue, counts, ready, checkNames };
  return {
    routes: routesOf({ ...from, streams, eventsUrl, heartbeatMs, stopping }),
    signIn: signingIn({ ledger, ...known, now }),
    onAnswer(answered) {
      counts.answered(answered);
      parts.onAnswer(answered);
    },
  };
}
