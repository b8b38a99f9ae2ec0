import type { Jobs } from "../jobs/job.ts";
import type { Queue } from "../jobs/queue.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Names } from "../pipeline.ts";
import { type Answered, type Listening, listen } from "./fastify-server.ts";
import { type Check, readiness } from "./health.ts";
import { requestCounts } from "./metrics.ts";
import { limiter } from "./rate.ts";
import { routesOf } from "./routes.ts";
import { signingIn } from "./sign-in.ts";

export type { Answered, Listening } from "./fastify-server.ts";
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

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** That one token may make. */
  readonly requestsPerMinute: number;
  readonly heartbeatMs?: number;
  /** ms; for tests. */
  readonly now?: () => number;
}

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
  const { heartbeatMs = HEARTBEAT_MS, now = Date.now, requestsPerMinute } = options;
  const { jobs, ledger, queue, checkNames, checks } = parts;
  const counts = requestCounts();
  const stop = new AbortController();
  const ready = readiness(checks, now);
  const desk = {
    jobs,
    ledger,
    queue,
    counts,
    ready,
    checkNames,
    heartbeatMs,
    stopping: stop.signal,
  };
  const [askers, strangers] = [limiter(requestsPerMinute, now), limiter(STRANGERS, now)];
  const listening = await listen(
    {
      routes: routesOf(desk),
      signIn: signingIn({ ledger, askers, strangers, now }),
      onAnswer(answered) {
        counts.answered(answered);
        parts.onAnswer(answered);
      },
    },
    options,
  );
  return {
    url: listening.url,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await listening[Symbol.asyncDispose]();
    },
  };
}
