import { deserialize, serialize } from "node:v8";
import { type ErrorCode, PipelineError, type Problem } from "../error.ts";
import type { CauseCounts } from "../events.ts";
import type { Failure } from "../plan/context.ts";
import type { PageId, Step } from "../site.ts";
import type { Run } from "./run.ts";
import type { Tally } from "./tally.ts";

/** What was done in a shard. Processes of one run have the same Node, so its own form of values will do. */
interface Report {
  readonly bytes: readonly (readonly [kind: string, bytes: number])[];
  readonly causes: readonly CauseCounts[];
  readonly failures: readonly Failed[];
  readonly missing: readonly Step[];
  readonly settled: readonly PageId[];
  /** Undefined when they are too many to keep. */
  readonly feeds: ReadonlyMap<string, readonly Uint8Array[]> | undefined;
  readonly unlinked: number;
  readonly notes: readonly string[];
}

/** A {@link Failure} whose error can be written down. */
interface Failed {
  readonly page: PageId | undefined;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly at: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** The tally of a shard as bytes; takes what it misses. */
export function encodeReport(tally: Tally, notes: readonly string[]): Uint8Array {
  const report: Report = {
    bytes: tally.kinds().map(({ kind, bytes }) => [kind, bytes] as const),
    causes: tally.causes(),
    failures: tally.failures().map(toFailed),
    missing: tally.takeMissing(),
    settled: tally.settled(),
    feeds: tally.feedKeys(),
    unlinked: tally.unlinked,
    notes,
  };
  return serialize(report);
}

/** Adds what was done in a shard to what the run did. Gives how many pages it was about. */
export function addReport({ tally, options }: Run, bytes: Uint8Array): number {
  const report = deserialize(bytes) as Report;
  for (const { kind, cause, ...counts } of report.causes) addCounts(tally, { kind, cause }, counts);
  for (const [kind, size] of report.bytes) if (size > 0) tally.add(kind, "bytes", size);
  for (const failed of report.failures) tally.fail(toFailure(failed));
  tally.miss(report.missing);
  tally.settle(report.settled);
  if (report.feeds === undefined) tally.touchFeeds(undefined);
  for (const [kind, keys] of report.feeds ?? [])
    tally.touchFeeds(keys.map((key) => ({ kind, key })));
  tally.unlinked += report.unlinked;
  for (const message of report.notes) options.emit({ event: "note", message });
  return report.causes.reduce((sum, { candidates }) => sum + candidates, 0);
}

function addCounts(
  tally: Tally,
  of: { readonly kind: string; readonly cause: string },
  counts: Omit<CauseCounts, "kind" | "cause">,
): void {
  for (const [what, count] of Object.entries(counts)) {
    if (count > 0) tally.addCaused(of, what as keyof typeof counts, count);
  }
}

function toFailed({ page, error }: Failure): Failed {
  const { code, message, hint, at, problems } = error;
  return { page, code, message, hint, at, problems };
}

function toFailure({ page, code, message, hint, at, problems }: Failed): Failure {
  const details = { at, problems, ...(hint === undefined ? {} : { hint }) };
  return { page, error: new PipelineError(code, message, details) };
}
