import type { Job } from "./job.ts";
import type { Message } from "./queue.ts";

/** Says that a job waits. Another start is another message, so that none is kept from it by an old one. */
export function jobMessage({ id, lane, startAt }: Job, nowMs: number): Message {
  const delayMs = Math.max(0, Math.ceil(startAt / 1000 - nowMs));
  return { id: `job-${id}-${startAt}`, lane, body: { is: "job", job: id }, delayMs };
}
