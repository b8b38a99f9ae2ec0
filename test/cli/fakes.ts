import type { Io } from "../../src/cli/command.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { readConfig } from "../../src/config.ts";
import type { Summary } from "../../src/events.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** A terminal that keeps what is written to it. */
export interface Page extends Terminal {
  text(): string;
}

export function page(options: { isTTY?: boolean; columns?: number } = {}): Page {
  let text = "";
  return {
    isTTY: options.isTTY ?? false,
    columns: options.columns ?? 80,
    write(more) {
      text += more;
    },
    paint: (_, part) => part,
    text: () => text,
  };
}

/** A clock that goes when it is told to; milliseconds. */
export function clock(): { now: () => number; pass(ms: number): void } {
  let at = 0;
  return {
    now: () => at,
    pass(ms) {
      at += ms;
    },
  };
}

export interface FakeIo extends Io {
  readonly out: Page;
  readonly err: Page;
  readonly abort: AbortController;
  readonly cwd: string;
}

/** Everything around a command, in a new empty folder. */
export function fakeIo(env: Record<string, string> = {}): FakeIo {
  const cwd = temporary();
  const abort = new AbortController();
  return {
    out: page(),
    err: page(),
    signal: abort.signal,
    abort,
    cwd,
    now: clock().now,
    config: (options) => readConfig({ env, cwd, options }),
  };
}

export function temporary(): string {
  return temporaryFolder("nightbake-cli-");
}

/** A summary of a run that did nothing, but for `parts`. */
export function summary(parts: Partial<Summary> = {}): Summary {
  return {
    release: undefined,
    isDryRun: false,
    candidates: 0,
    rendered: 0,
    changed: 0,
    deleted: 0,
    failed: 0,
    bytes: 0,
    seconds: 0.5,
    invalidated: 0,
    covers: [],
    unlinked: 0,
    waiting: 0,
    kinds: [],
    causes: [],
    found: [],
    steps: [],
    ...parts,
  };
}
