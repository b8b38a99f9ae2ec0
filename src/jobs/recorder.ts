import type { RunEvent } from "../events.ts";
import type { KeptEvent } from "../ledger/ledger.ts";
import { PHASES } from "../site.ts";
import { errorOf } from "./attempt.ts";
import type { JobEventName, JobProgress } from "./job.ts";
import { eventAt } from "./kept.ts";

/** Events about pages that fail, and notes, of one attempt: a site may have a million bad rows. */
const MOST_TOLD = 200;

/** Turns what a run tells into events of its job, until they are taken to be kept. */
export interface Recorder {
  readonly emit: (event: RunEvent) => void;
  /** What is to be done is known, and some of it may be live by now. */
  readonly hasPlanned: () => boolean;
  /** What was told since the last time. */
  take(): {
    readonly events: readonly Omit<KeptEvent, "id">[];
    readonly progress: JobProgress | undefined;
  };
}

export function openRecorder(now: () => number): Recorder {
  let events: Omit<KeptEvent, "id">[] = [];
  let progress: JobProgress | undefined;
  let told = 0;
  const said = new Set<JobEventName>();
  const add = (event: JobEventName, data: object = {}) => {
    said.add(event);
    events.push(eventAt(now(), event, data));
  };
  const once = (event: JobEventName) => {
    if (!said.has(event)) add(event);
  };
  const some = (event: JobEventName, data: object) => {
    told += 1;
    if (told <= MOST_TOLD) add(event, data);
  };
  return {
    hasPlanned: () => said.has("planned"),
    emit(event) {
      if (event.event === "phase") {
        const { phase, total } = event;
        if (PHASES.some((each) => each === phase)) once("planned");
        if (phase === "invalidate" && said.has("planned")) once("published");
        progress = { phase, done: 0, ...(total !== undefined && { total }) };
      } else if (event.event === "progress") {
        const { phase, done, total } = event;
        progress = { phase, done, ...(total !== undefined && { total }) };
      } else if (event.event === "failed") {
        const { kind, key, error } = event;
        some("failed-row", { kind, key, ...errorOf(error) });
      } else if (event.event === "warning") some("note", errorOf(event.error));
      else if (event.event === "note") some("note", { message: event.message });
      else if (event.event === "summary" && event.summary.changed + event.summary.deleted > 0) {
        once("published");
        if (event.summary.invalidated > 0) add("invalidated", { items: event.summary.invalidated });
      }
    },
    take() {
      const taken = { events, progress };
      if (progress !== undefined) taken.events.push(eventAt(now(), "progress", progress));
      events = [];
      progress = undefined;
      return taken;
    },
  };
}
