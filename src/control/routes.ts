import { PipelineError } from "../error.ts";
import { type Job, type Jobs, LANES, STATES } from "../jobs/job.ts";
import type { Queue } from "../jobs/queue.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Names } from "../pipeline.ts";
import { eventStream, knownEvents } from "./event-stream.ts";
import type { Answer, Asked, Route } from "./http.ts";
import { jobAnswer } from "./job-answer.ts";
import { allMetrics, type RequestCounts } from "./metrics.ts";
import { METRICS_TYPE } from "./prometheus.ts";
import { REBUILD, type RebuildBody, requestOf, scopesOf } from "./rebuild-request.ts";
import { scopeMissing } from "./sign-in.ts";

/** What the routes answer from. */
export interface Desk {
  readonly jobs: Jobs;
  readonly ledger: Pick<Ledger, "releases" | "tokens">;
  readonly queue: Pick<Queue, "counts">;
  readonly counts: RequestCounts;
  readonly ready: () => Promise<Answer>;
  /** @throws PipelineError `input_invalid` for names that the site does not have */
  readonly checkNames: (names: Names) => void;
  /** Brief ones end with what is known: where an answer goes out whole, waiting would be for nothing. */
  readonly streams: "open" | "brief";
  readonly heartbeatMs: number;
  /** The server that streams events, when it is not this one. */
  readonly eventsUrl: string | undefined;
  /** Aborted when the server stops: streams end, and their clients go to another. */
  readonly stopping: AbortSignal;
}

/** Jobs in a list whose length nobody said. */
const FEW_JOBS = 50;
/** Of one token at one clone: each asks the ledger several times a second. */
const MOST_STREAMS = 50;
/** Printable ASCII, so that it can be looked for in logs. */
const KEY = /^[\x21-\x7e]{1,200}$/;

const LIST = {
  type: "object",
  additionalProperties: false,
  properties: {
    state: { enum: STATES },
    lane: { enum: LANES },
    limit: { type: "string", pattern: "^([1-9]\\d?|1\\d\\d|200)$" },
    before: { type: "string", pattern: "^\\d{1,19}$" },
  },
};

/** What is asked for says which of them, see `scopesOf`. */
const ASKING = ["rebuild", "build"] as const;
const ANYBODY: Route["scopes"] = [];

/** All that the API answers, in the order of its documentation. */
export function routesOf(desk: Desk): readonly Route[] {
  return [
    post("/v1/rebuilds", ASKING, (asked) => rebuild(desk, asked), { body: REBUILD }),
    get("/v1/jobs", ["read"], (asked) => list(desk, asked), { querystring: LIST }),
    get("/v1/jobs/:id", ["read"], async ({ params }) => ok(desk, await jobOf(desk, params))),
    post("/v1/jobs/:id/cancel", ASKING, (asked) => cancel(desk, asked)),
    get("/v1/jobs/:id/events", ["read"], (asked) => events(desk, asked)),
    get("/health/live", ANYBODY, async () => ({ status: 200, json: { status: "ok" } })),
    get("/health/ready", ANYBODY, () => desk.ready()),
    get("/metrics", ["metrics"], () => metrics(desk)),
  ];
}

type Answering = Route["answer"];

function get(path: string, scopes: Route["scopes"], answer: Answering, schema = {}): Route {
  return { method: "GET", path, scopes, answer, schema };
}

function post(path: string, scopes: Route["scopes"], answer: Answering, schema = {}): Route {
  return { method: "POST", path, scopes, answer, schema };
}

/** 202: it is not done yet. The job may have others' requests in it, too. */
async function rebuild({ jobs, checkNames, eventsUrl }: Desk, asked: Asked): Promise<Answer> {
  const request = requestOf(asked.body as RebuildBody);
  mustHave(asked, scopesOf(request));
  if (request.work.is === "rebuild") checkNames(request.work);
  const idempotencyKey = keyOf(asked.headers["idempotency-key"]);
  const { job, isNew } = await jobs.submit({ ...request, idempotencyKey, by: asked.token.name });
  const json = { ...jobAnswer(job, eventsUrl), isNew };
  return { status: 202, headers: { location: `/v1/jobs/${job.id}` }, json };
}

async function list({ jobs, eventsUrl }: Desk, { query }: Asked): Promise<Answer> {
  const { limit, ...rest } = query as { limit?: string; before?: string };
  const listed = await jobs.list({
    ...rest,
    limit: limit === undefined ? FEW_JOBS : Number(limit),
  });
  return { status: 200, json: { jobs: listed.map((job) => jobAnswer(job, eventsUrl)) } };
}

/** 202 for a job that runs: it stops after the work in hand. What has ended stays as it is. */
async function cancel(desk: Desk, asked: Asked): Promise<Answer> {
  const job = await jobOf(desk, asked.params);
  mustHave(asked, scopesOf(job));
  const cancelled = (await desk.jobs.cancel(job.id)) ?? job;
  return ok(desk, cancelled, cancelled.isStopping ? 202 : 200);
}

async function events(desk: Desk, asked: Asked): Promise<Answer> {
  const { params, headers, token, gone } = asked;
  const { heartbeatMs, counts, stopping } = desk;
  if (counts.streamsOf(token.name) >= MOST_STREAMS) throw tooManyStreams();
  const { id } = await jobOf(desk, params);
  const after = lastEventId(headers["last-event-id"]);
  const told = (end: AbortSignal) => counted(desk.jobs.events(id, after, end), counts);
  if (desk.streams === "brief") return streamed(knownEvents(told));
  const signal = AbortSignal.any([gone, stopping]);
  const mayGoOn = async () => {
    const kept = (await desk.ledger.tokens()).find(({ name }) => name === token.name);
    return kept !== undefined && kept.revokedAt === undefined;
  };
  countStream(counts, token.name, gone);
  return streamed(eventStream(told, { heartbeatMs, mayGoOn, signal }));
}

function streamed(stream: AsyncIterable<string>): Answer {
  return { status: 200, headers: { "content-type": "text/event-stream" }, stream };
}

/** From now on until its client has gone. */
function countStream(counts: RequestCounts, who: string, gone: AbortSignal): void {
  if (gone.aborted) return;
  counts.streamOpened(who);
  gone.addEventListener("abort", () => counts.streamClosed(who), { once: true });
}

async function* counted<T>(events: AsyncIterable<T>, counts: RequestCounts): AsyncGenerator<T> {
  for await (const event of events) {
    counts.eventSent();
    yield event;
  }
}

async function metrics({ counts, ...from }: Desk): Promise<Answer> {
  const text = await allMetrics(from, counts);
  return { status: 200, headers: { "content-type": METRICS_TYPE }, text };
}

function ok({ eventsUrl }: Desk, job: Job, status = 200): Answer {
  return { status, json: jobAnswer(job, eventsUrl) };
}

/** @throws PipelineError `not_found` */
async function jobOf({ jobs }: Desk, { id = "" }: Asked["params"]): Promise<Job> {
  const job = /^\d{1,15}$/.test(id) ? await jobs.job(id) : undefined;
  if (job !== undefined) return job;
  throw new PipelineError("not_found", "There is no such job, or it was forgotten.", {
    hint: "GET /v1/jobs lists those that are kept.",
  });
}

/** What a route's own scope does not say. @throws PipelineError `scope_missing` */
function mustHave({ token }: Asked, scopes: ReturnType<typeof scopesOf>): void {
  const missing = scopes.find((each) => !token.scopes.includes(each));
  if (missing !== undefined) throw scopeMissing(token, [missing]);
}

/** @throws PipelineError `request_invalid` */
function keyOf(text: string | undefined): string | undefined {
  if (text === undefined || KEY.test(text)) return text;
  throw new PipelineError("request_invalid", "The Idempotency-Key is no key.", {
    hint: "Send 1 to 200 printable ASCII characters without spaces, such as a UUID.",
  });
}

function tooManyStreams(): PipelineError {
  const message = `The token follows ${MOST_STREAMS} jobs at this server already.`;
  return new PipelineError("rate_limited", message, {
    hint: "End a stream whose job need not be followed any more, or use another token.",
  });
}

/** @throws PipelineError `request_invalid` */
function lastEventId(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new PipelineError("request_invalid", "The Last-Event-ID is no event's.", {
    hint: "Send the id of the last event that came, or none for all of them.",
  });
}
