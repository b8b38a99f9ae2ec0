import type { Config, ConfigOptions } from "../config.ts";
import type { Args, OptionSpec, Takes } from "./args.ts";
import type { Terminal } from "./terminal.ts";

/** A word after `nightbake`; one file each. */
export interface Command extends Takes {
  /** What it does, in one line. */
  readonly summary: string;
  /** What else there is to know, in short paragraphs. */
  readonly details?: string;
  readonly examples: readonly Example[];
  /** Does it. What it throws is printed and gives the exit code (`exitCodeOf`). */
  run(args: Args, io: Io): Promise<ExitCode>;
}

interface Example {
  /** What stands after `nightbake`, e.g. `build --dry-run`. */
  readonly line: string;
  readonly says: string;
}

/**
 * 0 done. 1 done, some pages failed. 2 nothing published.
 * 3 stopped half-way, the store is consistent.
 */
export type ExitCode = 0 | 1 | 2 | 3;

/** What a command may touch of the process around it. */
export interface Io {
  /** What was asked for. */
  readonly out: Terminal;
  /** Progress, failures, errors. */
  readonly err: Terminal;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Milliseconds, from any beginning. */
  now(): number;
  /** @throws PipelineError `config_invalid` */
  config(options: ConfigOptions): Config;
}

/** Options of every command that reads the configuration. */
export const COMMON = {
  config: { value: "FILE", says: "The site definition (default site.config.ts)." },
  out: { value: "DIR", says: "The output folder (default dist, or OUT_DIR)." },
  json: { says: "Writes JSON, one object a line." },
  verbose: { says: "Shows the causes of errors." },
  help: { short: "h", says: "Shows this help." },
} as const satisfies Record<string, OptionSpec>;

/** The configuration with the options of {@link COMMON}. */
export function configOf(args: Args, io: Io): Config {
  return io.config({ out: args.value("out"), config: args.value("config") });
}
