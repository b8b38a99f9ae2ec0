import type { KeptEvent, KeptJob } from "../ledger/ledger.ts";
import {
  type Job,
  type JobError,
  type JobEvent,
  type JobEventName,
  type JobOutcome,
  type JobProgress,
  LANES,
  STATES,
  type Work,
} from "./job.ts";

/** A job out of the ledger. @throws TypeError when a newer release wrote what this one does not know */
export function jobOf(kept: KeptJob): Job {
  const { id, lane, state, work, heldUntil: _, latestAt: __, ...same } = kept;
  return {
    ...same,
    id: String(id),
    lane: known(LANES, lane),
    state: known(STATES, state),
    work: JSON.parse(work) as Work,
    progress: parsed<JobProgress>(kept.progress),
    outcome: parsed<JobOutcome>(kept.outcome),
    error: parsed<JobError>(kept.error),
  };
}

export function eventOf({ event, data, ...kept }: KeptEvent): JobEvent {
  return { ...kept, event: event as JobEventName, data: JSON.parse(data) as JobEvent["data"] };
}

/** An event to be kept. */
export function eventAt(at: number, event: JobEventName, data: object = {}): Omit<KeptEvent, "id"> {
  return { at, event, data: JSON.stringify(data) };
}

/** What a job's id stands for in the ledger; undefined for what is no id. */
export function numberOf(id: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : undefined;
}

function known<T>(names: readonly T[], at: number): T {
  const name = names[at];
  if (name === undefined) throw new TypeError(`A job has the number ${at}, which has no name.`);
  return name;
}

function parsed<T>(json: string | undefined): T | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as T);
}
