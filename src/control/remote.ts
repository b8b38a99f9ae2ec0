import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, PipelineError } from "../error.ts";
import type { JobEvent } from "../jobs/job.ts";
import type { RebuildBody } from "./rebuild-request.ts";
import { sentEvents } from "./sse-reader.ts";

/** A server of the HTTP API somewhere else. */
export interface Remote {
  /** `https://bake.example.com` */
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
}

/** A job's event as it came; the instant is in `data.time`. */
export type RemoteEvent = Pick<JobEvent, "event" | "data"> & { readonly id: string };

/** After these there are no more. */
const LAST: ReadonlySet<string> = new Set(["done", "failed", "cancelled"]);
/** A request is tried so often; a stream that stops is asked for again for some minutes. */
const TRIES = { request: 5, stream: 40 } as const;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [250, 10_000];
/** Four heartbeats. */
const SILENCE_MS = 60_000;

/**
 * Asks for a rebuild, once however often it has to be tried.
 * @returns the job's id
 * @throws PipelineError as the server says, `server_unavailable`, `server_rejected`
 */
export async function requestRebuild(remote: Remote, body: RebuildBody): Promise<string> {
  const key = randomUUID();
  return await patiently(remote, TRIES.request, async () => {
    const response = await ask(remote, "v1/rebuilds", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(body),
    });
    const { id } = (await jsonOf(response)) as { id?: unknown };
    if (typeof id !== "string") throw notNightbake(remote);
    return id;
  });
}

/**
 * The events of a job from the first to the last, each once; it comes back where it was when the
 * connection is lost, to whichever clone answers then.
 * @throws PipelineError as {@link requestRebuild}
 */
export async function* jobEvents(remote: Remote, job: string): AsyncGenerator<RemoteEvent> {
  const path = `v1/jobs/${job}/events`;
  let last = "";
  for (let failures = 0; ; failures += 1) {
    try {
      for await (const { id, event, data } of await stream(remote, path, last)) {
        last = id;
        failures = 0;
        yield { id, event: event as JobEvent["event"], data: JSON.parse(data) };
        if (LAST.has(event)) return;
      }
    } catch (error) {
      if (failures >= TRIES.stream || !isPassing(error)) throw translated(error, remote);
    }
    await pause(remote, failures);
  }
}

async function stream(remote: Remote, path: string, last: string) {
  const watch = new AbortController();
  const headers = last === "" ? {} : { "last-event-id": last };
  const response = await ask(remote, path, { headers, signal: watch.signal });
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
    throw notNightbake(remote);
  }
  return sentEvents(heard(response, watch));
}

/** The body's pieces; a connection on which nothing comes any more is given up. */
async function* heard(response: Response, watch: AbortController): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => watch.abort(new Error("Nothing came for a minute.")), SILENCE_MS);
  try {
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
    watch.abort();
  }
}

async function ask({ url, token, signal }: Remote, path: string, init: RequestInit) {
  const response = await fetch(new URL(path, `${url}/`), {
    ...init,
    headers: { ...init.headers, authorization: `Bearer ${token}` },
    // A token goes nowhere but where its owner sends it.
    redirect: "manual",
    signal: init.signal ? AbortSignal.any([signal, init.signal]) : signal,
  });
  if (response.ok) return response;
  throw await refusalOf(response);
}

/** What the server says is wrong, in its own words and with its own code. */
async function refusalOf(response: Response): Promise<PipelineError> {
  const { status } = response;
  const { code, detail, hint, at, problems } = (await jsonOf(response)) as {
    code?: ErrorCode;
    detail?: string;
    hint?: string;
    at?: PipelineError["at"];
    problems?: PipelineError["problems"];
  };
  if (code === undefined || detail === undefined) {
    const passes = status === 429 || status >= 500;
    const message = `The server answered ${status}, and not as Nightbake does.`;
    return new PipelineError(passes ? "server_unavailable" : "server_rejected", message);
  }
  return new PipelineError(code, detail, {
    ...(hint !== undefined && { hint }),
    ...(at && { at }),
    ...(problems && { problems }),
  });
}

async function jsonOf(response: Response): Promise<object> {
  const value: unknown = await response.json().catch(() => undefined);
  return typeof value === "object" && value !== null ? value : {};
}

async function patiently<T>(remote: Remote, tries: number, act: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await act();
    } catch (error) {
      if (failures + 1 >= tries || !isPassing(error)) throw translated(error, remote);
    }
    await pause(remote, failures);
  }
}

async function pause({ signal }: Remote, failures: number): Promise<void> {
  const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10));
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}

/** An error of ours says it; what is none is the network's. */
function isPassing(error: unknown): boolean {
  return error instanceof PipelineError ? error.retryable : true;
}

function translated(error: unknown, { url, signal }: Remote): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof PipelineError) return error;
  return new PipelineError("server_unavailable", `The server at ${url} does not answer.`, {
    hint: "Check the URL, and that `nightbake serve` runs there.",
    cause: error instanceof Error ? (error.cause ?? error) : error,
  });
}

function notNightbake({ url }: Remote): PipelineError {
  const message = `The server at ${url} answers, but not as Nightbake does.`;
  return new PipelineError("server_rejected", message, {
    hint: "Check the URL; both sides should be of the same release.",
  });
}
