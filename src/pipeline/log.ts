import { PipelineError } from "../error.ts";
import type { Feed } from "../source/feed.ts";
import type { Position } from "../source/source.ts";
import { toldBetween } from "../source/told-between.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";

/** The log of the database that rows are read from. */
export interface Log {
  readonly feed: Feed;
  /** Digest of where the database is: the positions of another one mean nothing. */
  readonly of: string;
  /** Builds ask it first, and look at no row where it tells of no change. */
  readonly replacesScan: boolean;
}

/** The ledger's note of a position that all known rows show. */
const SHOWN = "shown";
/** Reading for longer than that costs as much as a scan. */
const READ_MS = 5_000;

/** Where the log is before rows are read, for builds of everything that ask it; the rows are to show it. */
export async function logPosition(
  { log }: Pick<Wired, "log">,
  options: BuildOptions,
): Promise<Position | undefined> {
  if (!log?.replacesScan || !isWhole(options)) return undefined;
  try {
    return await log.feed.position();
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    options.emit({ event: "warning", error });
    return undefined;
  }
}

/**
 * True when the log tells that no row of the site has changed since a position that all known rows
 * show. What it cannot tell, or says only of some table, is a change.
 */
export async function isUnchanged(run: Run): Promise<boolean> {
  const { wired, options, context, shown } = run;
  const before = noted(context.notes);
  const { log, source } = wired;
  if (log === undefined || shown === undefined || options.isScan) return false;
  if (before?.of !== log.of) return false;
  // Asked after the rows were opened: it is at or after all that they show.
  const upTo = await source.position();
  if (upTo === undefined) return false;
  const { signal } = options;
  const limits = { maxChanges: 0, ms: READ_MS, signal };
  const told = await toldBetween(log.feed, { after: before.position, upTo, ...limits });
  return told.changes?.length === 0;
}

/**
 * What a release notes of the log. All but builds of everything leave what was noted when they began:
 * nobody compared the other rows, and of two runs the older may end last. So does a build with bad
 * rows that are no page, which every build has to tell.
 */
export function shownNote(run: Run): Readonly<Record<string, string>> {
  const value = newNote(run) ?? run.context.notes.get(SHOWN);
  return value === undefined ? {} : { [SHOWN]: value };
}

/** A build that had nothing to do notes how far it looked: the next has less of the log to read. */
export async function keepShown(run: Run): Promise<void> {
  const { notes } = run.context;
  const value = newNote(run);
  if (value === undefined || value === notes.get(SHOWN)) return;
  await run.wired.ledger.setNoteIfUnwritten(SHOWN, value, notes);
}

/** All pages of all rows, as they are now. */
export function isWhole({ only, targets, changes, plan }: BuildOptions): boolean {
  return [only, targets, changes, plan].every((each) => each === undefined);
}

function newNote({ wired: { log }, options, shown, tally }: Run): string | undefined {
  if (log === undefined || shown === undefined) return undefined;
  if (!isWhole(options) || tally.hasBadRows()) return undefined;
  return JSON.stringify({ position: shown, of: log.of });
}

function noted(notes: ReadonlyMap<string, string>): { position: Position; of: string } | undefined {
  const text = notes.get(SHOWN);
  return text === undefined ? undefined : JSON.parse(text);
}
