import type { Job, JobError, JobEvent } from "../jobs/job.ts";

/**
 * A job as the API tells it: instants as RFC 3339 has them, what is not known left out. Its events are
 * at this server unless another is named.
 */
export function jobAnswer(job: Job, eventsUrl = "") {
  const { id, state, lane, work, requests, attempts, progress, outcome, error } = job;
  return {
    id,
    state,
    lane,
    work,
    requests,
    attempts,
    isStopping: job.isStopping || undefined,
    requestedAt: moment(job.requestedAt),
    startAt: state === "waiting" ? moment(job.startAt) : undefined,
    startedAt: moment(job.startedAt),
    finishedAt: moment(job.finishedAt),
    progress,
    outcome,
    error: error && told(error),
    links: { self: `/v1/jobs/${id}`, events: `${eventsUrl}/v1/jobs/${id}/events` },
  };
}

/** One server-sent event; its id is the job's own count, so that any clone can go on behind it. */
export function eventText({ id, at, event, data }: JobEvent): string {
  // JSON has no line ends, so the data is one line.
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify({ time: moment(at), ...told(data) })}\n\n`;
}

/** What nobody expected may name anything of the server's, so its message is not told. */
function told<T extends Partial<JobError>>(error: T): T {
  return error.code === "bug"
    ? { ...error, message: "Something failed that nobody foresaw." }
    : error;
}

/** `2026-11-23T18:48:07.000123Z` of µs. */
function moment(at: number | undefined): string | undefined {
  if (at === undefined) return undefined;
  const micros = String(Math.floor(at) % 1000).padStart(3, "0");
  return new Date(Math.floor(at / 1000)).toISOString().replace("Z", `${micros}Z`);
}
