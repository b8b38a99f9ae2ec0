import type { RunEvent } from "../events.ts";
import { errorRecord, errorText } from "./errors.ts";
import { count } from "./format.ts";
import { planTable } from "./plan-table.ts";
import { barLine, doneLine, followedText, goingLine } from "./progress-text.ts";
import { advance, IDLE, type RunState } from "./run-state.ts";
import { summaryText } from "./summary.ts";
import { plain, type Terminal } from "./terminal.ts";

/** Shows a run's events while they come. */
export interface View {
  emit(event: RunEvent): void;
  /** How far the run is. */
  state(): RunState;
  /** After an error or the last phase of all: ends the bar, so that what comes next has its line. */
  end(): void;
}

interface ViewOptions {
  readonly out: Terminal;
  readonly err: Terminal;
  readonly isJson: boolean;
  readonly isVerbose: boolean;
  /** Milliseconds. */
  now(): number;
}

/** Milliseconds between two drawings of the bar, two lines in a log, two JSON progress lines. */
const EVERY = { bar: 100, line: 5000, json: 1000 } as const;

/** Failures that are printed in full; a broken table would flood the log. `--json` has all. */
const MAX_FAILURES = 20;

/** A bar where someone watches, plain lines in a log, JSON lines on request. */
export function progressView(options: ViewOptions): View {
  const show = options.isJson ? jsonView(options) : textView(options);
  let state = IDLE;
  return {
    state: () => state,
    emit(event) {
      const before = state;
      state = advance(state, event, options.now());
      show.event(event, state, before);
    },
    end: () => show.end(state),
  };
}

interface Shower {
  event(event: RunEvent, state: RunState, before: RunState): void;
  end(state: RunState): void;
}

function jsonView({ out, isVerbose, now }: ViewOptions): Shower {
  const isTime = throttle(EVERY.json, now);
  return {
    event(event) {
      if (event.event === "phase") isTime.restart();
      if (event.event === "progress" && !isTime()) return;
      const line =
        event.event === "failed" || event.event === "warning"
          ? { ...event, error: errorRecord(event.error, { isVerbose }) }
          : event.event === "summary"
            ? { event: "summary", ...event.summary }
            : event;
      out.write(`${JSON.stringify(line)}\n`);
    },
    end() {},
  };
}

function textView({ out, err, isVerbose, now }: ViewOptions): Shower {
  const line = err.isTTY ? barProgress(err, now) : lineProgress(err, now);
  const plan = planTable((text) => say(out, text));
  function say(to: Terminal, text: string): void {
    line.clear();
    to.write(text);
  }
  return {
    event(event, state, before) {
      if (event.event === "phase" || event.event === "summary") line.finish(before);
      if (event.event === "phase") line.begin();
      if (event.event === "progress") line.show(state);
      if (event.event === "step") plan.add(event.step);
      if (event.event === "note") say(err, `${plain(event.message)}\n`);
      if (event.event === "followed") say(out, followedText(event));
      if (event.event === "warning") {
        say(err, errorText(errorRecord(event.error, { isVerbose }), err));
      }
      if (event.event === "failed") say(err, failureText(event, state.failed, { err, isVerbose }));
      if (event.event !== "summary") return;
      plan.end();
      say(out, summaryText(event.summary));
    },
    end: (state) => line.finish(state),
  };
}

function failureText(
  { kind, key, error }: Extract<RunEvent, { event: "failed" }>,
  nth: number,
  { err, isVerbose }: Pick<ViewOptions, "err" | "isVerbose">,
): string {
  if (nth > MAX_FAILURES + 1) return "";
  if (nth > MAX_FAILURES) return `${count(MAX_FAILURES)} failures are shown; --json shows all.\n`;
  const name = err.paint("bold", plain(`${kind} ${key}`));
  return `${name} ${errorText(errorRecord(error, { isVerbose }), err)}`;
}

/** What shows that a phase goes on, and what stays of it. */
interface Going {
  begin(): void;
  show(state: RunState): void;
  finish(state: RunState): void;
  clear(): void;
}

function barProgress(err: Terminal, now: () => number): Going {
  const isTime = throttle(EVERY.bar, now);
  let isDrawn = false;
  const clear = () => {
    if (isDrawn) err.write("\r\x1b[2K");
    isDrawn = false;
  };
  return {
    begin: isTime.reset,
    show(state) {
      if (!isTime()) return;
      err.write(`\r\x1b[2K${barLine(state, now(), err.columns)}`);
      isDrawn = true;
    },
    finish(state) {
      clear();
      const text = doneLine(state, now());
      if (text) err.write(`${text}\n`);
    },
    clear,
  };
}

function lineProgress(err: Terminal, now: () => number): Going {
  const isTime = throttle(EVERY.line, now);
  const write = (text: string) => {
    if (text) err.write(`${text}\n`);
  };
  return {
    begin: isTime.restart,
    show(state) {
      if (isTime()) write(goingLine(state, now()));
    },
    finish: (state) => write(doneLine(state, now())),
    clear() {},
  };
}

/** True at most once in `everyMs`. After `reset` at once, after `restart` when that time is over. */
function throttle(
  everyMs: number,
  now: () => number,
): (() => boolean) & { reset(): void; restart(): void } {
  let last = Number.NEGATIVE_INFINITY;
  const isTime = () => {
    if (now() - last < everyMs) return false;
    last = now();
    return true;
  };
  const reset = () => {
    last = Number.NEGATIVE_INFINITY;
  };
  const restart = () => {
    last = now();
  };
  return Object.assign(isTime, { reset, restart });
}
