import { statSync } from "node:fs";
import type { Config } from "../config.ts";
import { PipelineError } from "../error.ts";
import type { RunEvent, RunPhase } from "../events.ts";
import type { LoadCounts, LoadProgress } from "../source/load.ts";
import { markForeign } from "./baked.ts";
import { COMMON, type Command, configOf, type Io } from "./command.ts";
import { count, duration, table } from "./format.ts";
import { progressView } from "./progress.ts";

/** `nightbake load DIR` */
export const loadCommand: Command = {
  name: "load",
  summary: "Makes the source equal to a folder of NDJSON files.",
  details:
    "Each table of the site definition takes TABLE.ndjson or TABLE.ndjson.gz: one row a line. Tables are\n" +
    "created, rows inserted, updated and deleted until the source holds what the files hold.",
  positionals: ["DIR"],
  options: COMMON,
  examples: [
    { line: "load ../shared/corpus", says: "into the embedded source" },
    { line: "load rows --json", says: "counts for a program" },
  ],
  async run(args, io) {
    const config = configOf(args, io);
    const [dir = ""] = args.positionals;
    checkFolder(dir);
    const unmark = config.databaseUrl === undefined ? markForeign(config) : () => {};
    try {
      await loadRows(config, dir, io, { isJson: args.has("json"), isQuiet: false });
    } catch (error) {
      unmark();
      throw error;
    }
    return 0;
  },
};

function checkFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PipelineError("input_invalid", "There is no such folder to load from.", {
    at: { folder },
  });
}

/**
 * Loads the rows of `dir` and says what changed; `isQuiet` leaves the counts out.
 * @throws PipelineError `input_invalid`, `source_unavailable`, `source_rejected`, `interrupted`
 */
export async function loadRows(
  config: Config,
  dir: string,
  io: Io,
  options: { readonly isJson: boolean; readonly isQuiet: boolean },
): Promise<void> {
  const startedAt = io.now();
  const view = progressView({ ...io, isJson: options.isJson, isVerbose: false });
  const { openLoad } = await import("../wiring.ts");
  let counts: readonly LoadCounts[];
  try {
    await using load = await openLoad(config);
    counts = await load.run(dir, { onProgress: loadEvents(view.emit), signal: io.signal });
  } finally {
    view.end();
  }
  if (options.isQuiet) return;
  const seconds = (io.now() - startedAt) / 1000;
  if (options.isJson)
    io.out.write(`${JSON.stringify({ event: "loaded", seconds, tables: counts })}\n`);
  else io.out.write(loadText(counts, seconds));
}

/** What a load did, one line a table. */
function loadText(counts: readonly LoadCounts[], seconds: number): string {
  const head = ["Table", "Inserted", "Updated", "Deleted", "Unchanged"];
  const rows = counts.map((each) => [
    each.table,
    ...[each.inserted, each.updated, each.deleted, each.unchanged].map(count),
  ]);
  return `${table([head, ...rows], { right: [1, 2, 3, 4] })}\nLoaded in ${duration(seconds)}.\n`;
}

/** Tells a load's progress as events: a phase for reading each table, and one for writing it. */
function loadEvents(emit: (event: RunEvent) => void): (progress: LoadProgress) => void {
  let phase: RunPhase | undefined;
  return ({ table: name, rows: done, total }) => {
    const now: RunPhase = `${total === undefined ? "read" : "write"} ${name}`;
    const known = total === undefined ? {} : { total };
    if (now !== phase) emit({ event: "phase", phase: now, ...known });
    phase = now;
    emit({ event: "progress", phase: now, done, ...known });
  };
}
