import { PipelineError } from "../error.ts";

/** So many deletes are everyday work on a site of any size, whatever their share. */
const EVERYDAY_DELETES = 10;
/** The share of a small site that everyday work may take. */
const MOST_OF_THE_SITE = 0.5;

/** How many pages are live, and how many of them a plan deletes. */
export interface DeleteCount {
  readonly live: number;
  readonly deletes: number;
  /** The operator said `--allow-deletes`. */
  readonly allowed: boolean;
  /** Share of the live pages, 0 to 1, that a plan may delete; 0.2 by default. */
  readonly maxShare?: number;
}

/**
 * Refuses a plan that deletes too much of the site, so that a half-read source never empties it.
 *
 * Ten deletes pass whatever their share, on a small site half of its pages: one of 4 may lose 2,
 * one of 30 may lose 10, one of 1,000 may lose 200. Losing every page is refused at any `maxShare`.
 * @throws PipelineError `deletes_refused` with the numbers
 */
export function checkDeletes({ live, deletes, allowed, maxShare = 0.2 }: DeleteCount): void {
  const everyday = Math.min(EVERYDAY_DELETES, live * MOST_OF_THE_SITE);
  const most = Math.min(Math.floor(Math.max(everyday, live * maxShare)), live - 1);
  if (allowed || deletes === 0 || deletes <= most) return;
  const message = `This run would delete ${deletes} of ${live} live pages; ${most} are allowed.`;
  const hint =
    "Check that the source is complete; if the pages are meant to go, run again with --allow-deletes.";
  throw new PipelineError("deletes_refused", message, { hint });
}

/**
 * Refuses a run when tables are empty that held rows at the last build.
 * @throws PipelineError `source_empty` with every such table
 */
export function checkEmpty(tablesThatWereNot: readonly string[]): void {
  if (tablesThatWereNot.length === 0) return;
  const message = `Tables that held rows at the last build are empty: ${tablesThatWereNot.join(", ")}.`;
  const hint =
    "Check the database and its import; if they are meant to be empty, run again with --allow-deletes.";
  const problems = tablesThatWereNot.map((place) => ({ place, message: "The table is empty." }));
  throw new PipelineError("source_empty", message, { hint, problems });
}
