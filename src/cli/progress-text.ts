import type { RunEvent } from "../events.ts";
import { count, counted, duration, rate } from "./format.ts";
import { label, type RunState } from "./run-state.ts";

const BAR_WIDTH = 24;

type Followed = Extract<RunEvent, { event: "followed" }>;

/** The line that is drawn over itself: `New pages  ████░░░░  1,234/5,000  25%  310/s  12 s left`. */
export function barLine(state: RunState, now: number, columns: number): string {
  const { phase, done, total, since } = state;
  if (phase === undefined) return "";
  const seconds = (now - since) / 1000;
  const cells = [
    label(phase),
    ...(total
      ? [bar(done / total), `${count(done)}/${count(total)}`, percent(done / total)]
      : [count(done)]),
    rate(done, seconds),
    total ? timeLeft(done, total, seconds) : "",
  ];
  const line = cells.filter((each) => each !== "").join("  ");
  // A line that wraps could not be drawn over.
  return line.slice(0, Math.max(0, columns - 1));
}

/** The line a log gets while a phase goes on: `New pages: 1,234 of 5,000 (25%), 310/s, 12 s left`. */
export function goingLine(state: RunState, now: number): string {
  const { phase, done, total, since } = state;
  if (phase === undefined) return "";
  const seconds = (now - since) / 1000;
  const share = total ? ` of ${count(total)} (${percent(done / total)})` : "";
  const rest = [rate(done, seconds), total ? timeLeft(done, total, seconds) : ""];
  return [`${label(phase)}: ${count(done)}${share}`, ...rest.filter((each) => each !== "")].join(
    ", ",
  );
}

/** The line that stays of a phase: `New pages: 5,000 in 12.1 s (413/s)`; empty when it did nothing. */
export function doneLine(state: RunState, now: number): string {
  const { phase, done, total, since } = state;
  // Without a total the count is only as new as the last report.
  if (phase === undefined || done === 0 || total === undefined) return "";
  const seconds = (now - since) / 1000;
  const speed = rate(done, seconds);
  return `${label(phase)}: ${count(done)} in ${duration(seconds)}${speed ? ` (${speed})` : ""}`;
}

/** What `follow` says after each release: `Published 1 row 0.12 s after its commit.` */
export function followedText({ rows, isBulk, seconds }: Followed): string {
  const what = `${counted(rows, "row")}${isBulk ? " of a mass update" : ""}`;
  return `Published ${what} ${duration(seconds)} after ${rows === 1 ? "its" : "the first"} commit.\n`;
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR_WIDTH);
  return "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
}

/** Never 100% before the end. */
function percent(share: number): string {
  return `${Math.floor(Math.min(1, share) * 100)}%`;
}

function timeLeft(done: number, total: number, seconds: number): string {
  if (done === 0 || done >= total) return "";
  return `${duration(Math.ceil((seconds * (total - done)) / done))} left`;
}
