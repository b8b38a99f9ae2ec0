import type { RunEvent, RunPhase } from "../events.ts";
import { PHASES } from "../site.ts";
import { count } from "./format.ts";
import { plain } from "./terminal.ts";

/** How far a run has come, from its events so far. */
export interface RunState {
  /** Undefined before the first phase, and after the summary. */
  readonly phase: RunPhase | undefined;
  readonly done: number;
  readonly total: number | undefined;
  /** Milliseconds of the view's clock when the phase began. */
  readonly since: number;
  readonly failed: number;
  /** True once a page was put or deleted. */
  readonly hasPublished: boolean;
}

/** Before the first event. */
export const IDLE: RunState = {
  phase: undefined,
  done: 0,
  total: undefined,
  since: 0,
  failed: 0,
  hasPublished: false,
};

/** What each phase does, as a line begins with it. */
const LABELS: Readonly<Record<string, string>> = {
  scan: "Scanning",
  check: "Checking",
  list: "Listing",
  count: "Counting",
  sample: "Reading",
  adopt: "Adopting",
  assets: "Assets",
  new: "New pages",
  changed: "Changed pages",
  lists: "Lists",
  feeds: "Feeds and sitemaps",
  deletes: "Deletes",
  invalidate: "Invalidating",
  record: "Recording",
};

/** The state after one more event, which came at `now`. */
export function advance(state: RunState, event: RunEvent, now: number): RunState {
  switch (event.event) {
    case "phase":
      return { ...state, phase: event.phase, done: 0, total: event.total, since: now };
    case "progress": {
      const { done, total = state.total } = event;
      const hasPublished = state.hasPublished || (isPublishing(state.phase) && done > 0);
      return { ...state, done, total, hasPublished };
    }
    case "failed":
      return { ...state, failed: state.failed + 1 };
    case "summary":
      return { ...state, phase: undefined };
    default:
      return state;
  }
}

/** The phase's name as people read it. */
export function label(phase: RunPhase): string {
  return LABELS[phase] ?? plain(phase.replace(/^read /, "Reading ").replace(/^write /, "Writing "));
}

/** What a run that was stopped has left undone, as full sentences. */
export function leftover({ phase, done, total, hasPublished }: RunState): string {
  const kept = hasPublished
    ? "What was published is complete; the rest is as it was."
    : "Nothing was published.";
  if (phase === undefined) return kept;
  const far =
    total === undefined
      ? `${count(done)} done`
      : `${count(done)} of ${count(total)} done, ${count(Math.max(0, total - done))} left`;
  const later = PHASES.slice(isPublishing(phase) ? PHASES.indexOf(phase) + 1 : PHASES.length);
  const notBegun = later.length > 0 ? ` Not begun: ${later.map(label).join(", ")}.` : "";
  return `Stopped at "${label(phase)}" (${far}).${notBegun} ${kept}`;
}

function isPublishing(phase: RunPhase | undefined): phase is (typeof PHASES)[number] {
  return (PHASES as readonly (RunPhase | undefined)[]).includes(phase);
}
