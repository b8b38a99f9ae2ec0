import { PipelineError } from "../error.ts";
import type { KeptJob } from "../ledger/ledger.ts";
import { canonical, merged } from "./coalesce.ts";
import { type JobRequest, LANES, STATES, type Work } from "./job.ts";
import { eventAt } from "./kept.ts";

/** A debounce that nobody bounds ends after so many times its length. */
const LONGEST_DEBOUNCES = 10;

/** What is kept of a request to compare it with another under its key. */
export function askedOf({ work, lane }: JobRequest): string {
  return `${lane} ${canonical(work)}`;
}

/** What becomes of a request, given the jobs that wait and the one its key knows. */
export function decideRequest(
  request: JobRequest,
  now: number,
  known: {
    readonly waiting: readonly KeptJob[];
    readonly same: { readonly job: KeptJob; readonly asked: string } | undefined;
  },
) {
  if (known.same !== undefined) {
    if (known.same.asked !== askedOf(request)) throw requestConflict();
    return { result: false };
  }
  const event = eventAt(now, "queued", {
    by: request.by,
    lane: request.lane,
    work: request.work,
  });
  for (const waiting of known.waiting) {
    const job = joined(waiting, request, now);
    if (job !== undefined) return { job, events: [event], result: false };
  }
  return { job: fresh(request, now), events: [event], result: true };
}

/** The waiting job with the request in it; undefined when it cannot take it in. */
function joined(job: KeptJob, request: JobRequest, now: number): KeptJob | undefined {
  if (job.lane !== LANES.indexOf(request.lane)) return undefined;
  const work = merged(JSON.parse(job.work) as Work, request.work);
  if (work === undefined) return undefined;
  const { startAt, latestAt } = waitOf(request, now);
  const latest = Math.min(job.latestAt, latestAt);
  return {
    ...job,
    work: JSON.stringify(work),
    requests: job.requests + 1,
    latestAt: latest,
    // One that is tried again after a failure is not hastened.
    startAt: job.attempts > 0 ? job.startAt : Math.min(startAt, latest),
  };
}

function fresh(request: JobRequest, now: number): KeptJob {
  return {
    id: 0,
    lane: LANES.indexOf(request.lane),
    state: STATES.indexOf("waiting"),
    work: JSON.stringify(request.work),
    attempts: 0,
    requests: 1,
    requestedAt: now,
    ...waitOf(request, now),
    startedAt: undefined,
    finishedAt: undefined,
    holder: undefined,
    heldUntil: undefined,
    isStopping: false,
    code: undefined,
    progress: undefined,
    outcome: undefined,
    error: undefined,
  };
}

function waitOf({ debounceMs = 0, longestWaitMs }: JobRequest, now: number) {
  const longest = longestWaitMs ?? debounceMs * LONGEST_DEBOUNCES;
  const latestAt = now + longest * 1000;
  return { startAt: Math.min(now + debounceMs * 1000, latestAt), latestAt };
}

function requestConflict(): PipelineError {
  const message = "The idempotency key came with another request before.";
  return new PipelineError("request_conflict", message, {
    hint: "Use a new key for a new request; the same key repeats the same request.",
  });
}
