import { setTimeout as sleep } from "node:timers/promises";
import type { JobEvent } from "../jobs/job.ts";
import { eventText } from "./job-answer.ts";

/** How soon a client comes back when its stream ends early, ms; and what is sent while nothing happens. */
const RETRY_MS = 1000;
const HEARTBEAT = ": nothing new\n\n";
/** Far less than the 6 MB that an answer of a function may have. */
const MOST_KNOWN = 2000;

/** What a stream of events follows beside them. */
export interface StreamOptions {
  /** A comment is sent when so long nothing was: proxies end what is silent. */
  readonly heartbeatMs: number;
  /** Asked at each of them: false ends the stream, and the client has to ask again. */
  readonly mayGoOn: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

/**
 * Events as `text/event-stream` has them (HTML Standard, "Server-sent events"), the first thing
 * being how soon to come back. Ends with the events, or early with the signal.
 */
export async function* eventStream(
  eventsUntil: (end: AbortSignal) => AsyncIterable<JobEvent>,
  options: StreamOptions,
): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`;
  const end = new AbortController();
  const iterator = eventsUntil(AbortSignal.any([options.signal, end.signal]))[
    Symbol.asyncIterator
  ]();
  let next = iterator.next();
  try {
    for (;;) {
      const step = await before(next, options);
      if (step === undefined) {
        if (options.signal.aborted || !(await options.mayGoOn())) return;
        yield HEARTBEAT;
        continue;
      }
      if (step.done) return;
      yield eventText(step.value);
      next = iterator.next();
    }
  } finally {
    end.abort();
    // Nobody is left to be told how that ends.
    next.catch(() => undefined);
  }
}

/**
 * The same events as far as they are known, {@link MOST_KNOWN} of them. Whoever comes back behind them
 * gets the next, so that a client of streams needs nothing else.
 */
export async function* knownEvents(
  eventsUntil: (end: AbortSignal) => AsyncIterable<JobEvent>,
): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`;
  let left = MOST_KNOWN;
  // What has ended is not waited for.
  for await (const event of eventsUntil(AbortSignal.abort())) {
    yield eventText(event);
    left -= 1;
    if (left === 0) return;
  }
}

/** What comes, unless the time for a heartbeat does first, or the end. */
async function before<T>(next: Promise<T>, { heartbeatMs, signal }: StreamOptions) {
  const stop = new AbortController();
  const silence = sleep(heartbeatMs, undefined, { signal: AbortSignal.any([signal, stop.signal]) });
  try {
    return await Promise.race([next, silence.catch(() => undefined)]);
  } finally {
    stop.abort();
  }
}
