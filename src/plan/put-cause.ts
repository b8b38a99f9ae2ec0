import { causeOf, type RecordedRead, type Step } from "../site.ts";

/** Causes that are no declared read, by their codes; 0 is for what nobody knows. */
const CAUSES = ["", "absent", "route", "window", "store", "unfinished", "clock", "page"];
/** Reads follow, the first (what the page is made with) at this code. */
const FIRST_READ = CAUSES.length;
/** The ledger has six bits for a code. */
const MAX_CODE = 63;

/** Why a page was put, as a small number that the ledger keeps beside it; 0 when none is left for it. */
export function putCause(step: Step, reads: readonly RecordedRead[]): number {
  const cause = causeOf(step);
  const at = MAKING.has(cause) ? 0 : reads.findIndex(({ key }) => isSameRead(key, step.reason));
  if (at < 0) return Math.max(0, CAUSES.indexOf(cause));
  return FIRST_READ + at > MAX_CODE ? 0 : FIRST_READ + at;
}

/**
 * The cause that a code stands for: `absent`, `route` …, or the name of the read that had changed
 * among the page's reads as they are now; undefined when nobody knows.
 */
export function causeNamed(
  code: number | undefined,
  reads: readonly Pick<RecordedRead, "key">[],
): string | undefined {
  if (code === undefined || code === 0) return undefined;
  return CAUSES[code] ?? reads[code - FIRST_READ]?.key;
}

/** Classes of what a page's first read stands for. */
const MAKING = new Set(["template", "asset", "definition", "runtime"]);

/** A row that was not there is another name of the same read. */
function isSameRead(key: string, reason: string): boolean {
  return key === reason || key.replace(/^absent:/, "row:") === reason.replace(/^absent:/, "row:");
}
