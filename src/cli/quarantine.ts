import { PipelineError } from "../error.ts";
import { didYouMean } from "../nearest.ts";
import type { Held, Wired } from "../pipeline.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, type ExitCode, type Io } from "./command.ts";
import { counted, instant } from "./format.ts";
import { named, readLines, writeLines } from "./line-file.ts";
import { look } from "./look.ts";
import { plain } from "./terminal.ts";

/** `nightbake quarantine [ACTION] [FILE]` */
export const quarantineCommand: Command = {
  name: "quarantine",
  summary: "Lists the pages that fail; exports or imports their last good versions.",
  details:
    "ACTION is list (the default), export or import; FILE may be - for standard output or input. A page whose row\n" +
    "or template fails keeps its last good version, which no build can make again: each line of FILE holds one, with\n" +
    "its route, headers and body. Imported into a new ledger and store, before the first build, they are live as they\n" +
    "were; that build keeps those that still fail, replaces the others and deletes those whose rows are gone. All\n" +
    "lines are checked before anything is published.",
  positionals: ["[ACTION]", "[FILE]"],
  options: COMMON,
  examples: [
    { line: "quarantine", says: "what fails, why, since when, and what readers see instead" },
    { line: "quarantine export held.ndjson", says: "into a file, as a backup" },
    { line: "quarantine import held.ndjson", says: "into a new ledger and store" },
  ],
  async run(args, io) {
    const [action = "list", file] = args.positionals;
    const act = ACTIONS[action];
    if (act === undefined) throw unknownAction(action);
    return await look(args, io, (wired) => act(wired, { args, io, file }));
  },
};

interface Asked {
  readonly args: Args;
  readonly io: Io;
  readonly file: string | undefined;
}

const ACTIONS: Readonly<Record<string, (wired: Wired, asked: Asked) => Promise<ExitCode>>> = {
  list,
  export: exportTo,
  import: importFrom,
};

async function list(wired: Wired, { args, io }: Asked): Promise<ExitCode> {
  const { quarantineOf } = await import("../pipeline.ts");
  const held = await quarantineOf(wired);
  const isJson = args.has("json");
  for (const page of held) {
    const since = page.since === undefined ? undefined : instant(page.since);
    const value = { event: "quarantined", ...page, since };
    io.out.write(isJson ? `${JSON.stringify(value)}\n` : textOf(page));
  }
  if (held.length === 0 && !isJson) io.out.write("No page fails.\n");
  return 0;
}

/** Two lines a page: what is wrong, and what readers see. */
function textOf({ kind, key, code, message, at, since, live }: Held): string {
  const place = Object.entries(at).map(([name, value]) => `${name} ${value}`);
  const where = place.length === 0 ? "" : ` (${place.join(", ")})`;
  const begun = since === undefined ? "" : `since ${instant(since)}; `;
  const shown =
    live === undefined
      ? "it never was live"
      : `${live.route} is its last good version, of release ${live.release}`;
  const what = plain(`${kind} ${key}: ${code}: ${message}${where}`);
  return `${what}\n  ${plain(begun + shown)}\n`;
}

async function exportTo(wired: Wired, { io, file }: Asked): Promise<ExitCode> {
  const { exportQuarantine } = await import("../pipeline.ts");
  await writeLines(exportQuarantine(wired), named(file), io.out);
  return 0;
}

async function importFrom(wired: Wired, { args, io, file }: Asked): Promise<ExitCode> {
  const { importQuarantine } = await import("../pipeline.ts");
  const lines = await readLines(named(file));
  const options = { file: named(file), signal: io.signal, emit: () => {} };
  const pages = await importQuarantine(wired, lines, options);
  if (args.has("json")) io.out.write(`${JSON.stringify({ event: "imported", pages })}\n`);
  else io.out.write(`${counted(pages, "page")} live as they were; the next build tries them.\n`);
  return 0;
}

function unknownAction(action: string): PipelineError {
  const names = Object.keys(ACTIONS);
  const message = `There is no action ${action}.${didYouMean(action, names)}`;
  return new PipelineError("config_invalid", message, { hint: `There are ${names.join(", ")}.` });
}
