import { PipelineError } from "../error.ts";
import { didYouMean } from "../nearest.ts";
import type { OpenedHistory } from "../wiring-ledger.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type ExitCode, type Io } from "./command.ts";
import { counted } from "./format.ts";
import { named, readLines, writeLines } from "./line-file.ts";
import { plain } from "./terminal.ts";

/** `nightbake redirects ACTION [FILE]` */
export const redirectsCommand: Command = {
  name: "redirects",
  summary: "Lists the redirect pages; exports or imports the route history they follow from.",
  details:
    "ACTION is list, export or import; FILE may be - for standard output or input. A page whose slug changed\n" +
    "leaves its old route to the route history, which only the ledger knows: a build from scratch that is\n" +
    "given it makes the same redirects. Each line of FILE is a former route and the page that had it:\n" +
    '{"from":"/articles/x/","kind":"article","key":[42]}. An import adds to what is there, all lines or none;\n' +
    "the next build makes the pages. Other redirects are declared in content/redirects.txt or in a table.",
  positionals: ["ACTION", "[FILE]"],
  options: COMMON,
  examples: [
    { line: "redirects list", says: "every redirect page that is live, and where it leads" },
    { line: "redirects export history.ndjson", says: "into a file, as a backup" },
    { line: "redirects import history.ndjson", says: "into a new ledger, before its first build" },
  ],
  async run(args, io) {
    const [action = "", file] = args.positionals;
    const act = ACTIONS[action];
    if (act === undefined) throw unknownAction(action);
    const config = configOf(args, io);
    const { openHistory } = await import("../wiring-ledger.ts");
    await using opened = await openHistory(config);
    return await act(opened, { args, io, file });
  },
};

interface Asked {
  readonly args: Args;
  readonly io: Io;
  readonly file: string | undefined;
}

const ACTIONS: Readonly<
  Record<string, (opened: OpenedHistory, asked: Asked) => Promise<ExitCode>>
> = { list, export: exportTo, import: importFrom };

async function list(opened: OpenedHistory, { args, io }: Asked): Promise<ExitCode> {
  const { liveRedirects } = await import("../pipeline.ts");
  let count = 0;
  for await (const { from, to } of liveRedirects(opened)) {
    count += 1;
    if (args.has("json")) {
      io.out.write(`${JSON.stringify({ event: "redirect", from, to })}\n`);
    } else io.out.write(`${plain(from)} ${plain(to)}\n`);
  }
  if (count === 0 && !args.has("json")) io.out.write("There is no redirect page.\n");
  return 0;
}

async function exportTo({ ledger }: OpenedHistory, { io, file }: Asked): Promise<ExitCode> {
  const { exportHistory } = await import("../pipeline.ts");
  await writeLines(exportHistory(ledger), named(file), io.out);
  return 0;
}

async function importFrom(opened: OpenedHistory, { args, io, file }: Asked): Promise<ExitCode> {
  const { importHistory } = await import("../pipeline.ts");
  const count = await importHistory(opened, await readLines(named(file)), named(file));
  if (args.has("json")) io.out.write(`${JSON.stringify({ event: "imported", routes: count })}\n`);
  else io.out.write(`${counted(count, "former route")} read; the next build makes the pages.\n`);
  return 0;
}

function unknownAction(action: string): PipelineError {
  const names = Object.keys(ACTIONS);
  const message = `There is no action ${action}.${didYouMean(action, names)}`;
  return new PipelineError("config_invalid", message, { hint: `There are ${names.join(", ")}.` });
}
