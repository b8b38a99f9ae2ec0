import { PipelineError } from "../error.ts";

/** `unknown`: the check could not be done, and the message says why. */
export type State = "ok" | "warning" | "problem" | "unknown";

/** What one check saw. */
export interface Finding {
  readonly state: State;
  /** A full sentence. */
  readonly message: string;
  /** What to do, as a sentence or as the statement to run; absent where nothing is to be done. */
  readonly remedy?: string | undefined;
  /** What it is about within the check's place: a table, a list, a setting. */
  readonly about?: string | undefined;
}

/** One thing to look at, as a value; `look` only reads, but for an object of its own in a bucket. */
export interface Check {
  /** Permanent: `grants`, `indexes` …; programs refer to it. */
  readonly name: string;
  /** `primary db.example.com:3306/site`, `s3://bucket/` … */
  readonly place: string;
  look(): Promise<readonly Finding[]>;
}

/** A finding with the check that made it. */
export interface Told extends Finding {
  readonly check: string;
  readonly place: string;
}

export function ok(message: string, more: Partial<Finding> = {}): Finding {
  return { state: "ok", message, ...more };
}

export function warning(message: string, remedy: string, more: Partial<Finding> = {}): Finding {
  return { state: "warning", message, remedy, ...more };
}

export function problem(message: string, remedy?: string, more: Partial<Finding> = {}): Finding {
  return { state: "problem", message, remedy, ...more };
}

export function unknown(message: string, remedy?: string): Finding {
  return { state: "unknown", message, remedy };
}

/** Does one check; what keeps it from being done is a finding, too. A bug is thrown. */
export async function examine(check: Check): Promise<readonly Told[]> {
  const { name, place } = check;
  const findings = await check.look().catch((error: unknown) => [undone(error)]);
  return findings.map((each) => ({ check: name, place, ...each }));
}

function undone(error: unknown): Finding {
  if (!(error instanceof PipelineError)) throw error;
  return unknown(`This could not be looked at. ${error.message}`, error.hint);
}
