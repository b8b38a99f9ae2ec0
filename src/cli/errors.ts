import { PipelineError } from "../error.ts";
import { plain, type Terminal } from "./terminal.ts";

/** An error as one line of `--json`; `code` is "bug" for what nobody foresaw. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at?: PipelineError["at"];
  readonly problems?: PipelineError["problems"];
  readonly causes?: readonly string[];
}

/** The parts of an error that people and programs are shown. Causes only when asked for. */
export function errorRecord(error: unknown, options: { isVerbose: boolean }): ErrorRecord {
  const causes = options.isVerbose ? { causes: causesOf(error) } : {};
  if (!(error instanceof PipelineError)) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const hint = "This is a mistake in Nightbake; please report it with the lines above.";
    return { code: "bug", message, hint, ...causes };
  }
  const { code, message, hint, at, problems } = error;
  return { code, message, hint, at, problems, ...causes };
}

/** Several errors that came as one: what failed first, then what failed while stopping. */
function separate(error: unknown): readonly unknown[] {
  if (error instanceof AggregateError) return error.errors.flatMap(separate);
  if (error instanceof SuppressedError) {
    return [...separate(error.suppressed), ...separate(error.error)];
  }
  return [error];
}

/** 3 when the operator stopped the run, or it failed after it had begun to publish; else 2. */
export function exitCodeOf(error: unknown, run: { readonly hasPublished: boolean }): 2 | 3 {
  return run.hasPublished || separate(error).some(isInterruption) ? 3 : 2;
}

function isInterruption(error: unknown): boolean {
  return error instanceof PipelineError && error.code === "interrupted";
}

/** Prints errors: code, message, places, hint; with `isVerbose` their causes too. */
export function printErrors(
  error: unknown,
  to: { readonly out: Terminal; readonly err: Terminal },
  options: { readonly isJson: boolean; readonly isVerbose: boolean },
): void {
  for (const each of separate(error)) {
    const record = errorRecord(each, options);
    if (options.isJson) to.out.write(`${JSON.stringify({ event: "error", ...record })}\n`);
    else to.err.write(errorText(record, to.err));
  }
}

/** The error as lines, its first word the code. */
export function errorText(record: ErrorRecord, to: Pick<Terminal, "paint">): string {
  const { code, message, hint, at = {}, problems = [], causes = [] } = record;
  const shown = code === "bug" ? message : plain(message);
  const lines = [
    `${to.paint("red", code)}: ${shown}`,
    ...problems.map(
      ({ place, message }) => `  ${to.paint("bold", plain(place))}: ${plain(message)}`,
    ),
    ...(Object.keys(at).length > 0 ? [`  at ${placeText(at)}`] : []),
    ...(hint ? [`  ${hint}`] : []),
    ...causes.map((each) => to.paint("dim", `  because: ${plain(each)}`)),
  ];
  return `${lines.join("\n")}\n`;
}

/** `table=articles key=42` */
function placeText(at: PipelineError["at"]): string {
  return Object.entries(at)
    .map(([name, value]) => `${name}=${plain(value)}`)
    .join(" ");
}

function causesOf(error: unknown): readonly string[] {
  const causes: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  // Ten are plenty, and a cycle ends.
  for (; cause !== undefined && causes.length < 10; cause = (cause as Error).cause) {
    if (!(cause instanceof Error)) return [...causes, String(cause)];
    causes.push(`${cause.name}: ${cause.message}`);
  }
  return causes;
}
