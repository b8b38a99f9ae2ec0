import type { Config } from "../config.ts";
import { PipelineError } from "../error.ts";
import type { Bar } from "../ledger/ledger.ts";
import { didYouMean } from "../nearest.ts";
import type { Shelf } from "../pipeline.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type ExitCode } from "./command.ts";
import { counted } from "./format.ts";
import { named, readLines, writeLines } from "./line-file.ts";
import { type Asked, follow, foresee } from "./takedown-rest.ts";
import { listed, listText, pageText, told } from "./takedown-text.ts";

/** `nightbake takedown [ACTION] [ROUTE…]` */
export const takedownCommand: Command = {
  name: "takedown",
  summary: "Takes pages off at once, whatever their rows say, and keeps them away until lifted.",
  details:
    "With routes alone the pages there are barred, their objects deleted, the CDN purged, in this order and without\n" +
    "waiting for anything; it works while the database is down and while another run publishes. Then all that links to\n" +
    "them or lists them is rebuilt; if that cannot be done now (exit code 3) the next build does it. A list goes with\n" +
    "its archive. --erase also removes all versions of the objects from the bucket and all rendered bodies that are\n" +
    "kept on this machine, and no rollback brings the pages back.\n" +
    "ACTION is list, lift (ROUTE… come back), export FILE or import FILE; FILE may be -. What is taken down is an input\n" +
    "of builds that only the ledger has: keep an export.",
  positionals: ["[ACTION]", "[ROUTE…]"],
  options: {
    erase: { says: "Removes old versions, too." },
    reason: { value: "TEXT", says: "Why, for those who ask later." },
    "dry-run": { says: "Says what would go and what would be rebuilt; changes nothing." },
    ...COMMON,
  },
  examples: [
    { line: 'takedown /articles/x/ --reason "court order 12"', says: "off at once, and kept away" },
    { line: "takedown /articles/x/ /tags/x/ --erase", says: "with all old versions" },
    { line: "takedown list", says: "what is taken down, since when and why" },
    { line: "takedown lift /articles/x/", says: "it may come back" },
    { line: "takedown export bars.ndjson", says: "into a file, as a backup" },
  ],
  async run(args, io) {
    const [action = "list", ...rest] = args.positionals;
    const config = configOf(args, io);
    if (action.startsWith("/"))
      return await takeAway({ args, io, config, routes: args.positionals });
    const act = ACTIONS[action];
    if (act === undefined) throw unknownAction(action);
    checkOptions(args, action);
    return await act({ args, io, config, routes: rest });
  },
};

const ACTIONS: Readonly<Record<string, (asked: Asked) => Promise<ExitCode>>> = {
  list,
  lift: liftAll,
  export: exportTo,
  import: importFrom,
};

async function takeAway(asked: Asked): Promise<ExitCode> {
  const { args, io, config, routes } = asked;
  const { barPages, pagesToBar, removePages } = await import("../pipeline.ts");
  const isDry = args.has("dry-run");
  const why = {
    reason: args.value("reason") ?? "",
    isErased: args.has("erase"),
    since: Date.now() * 1000,
  };
  const bars = await onShelf(config, async (shelf) => {
    const found = await pagesToBar(shelf, routes, why);
    if (!isDry) await barPages(shelf, found);
    return found;
  });
  if (isDry) return await foresee(asked, { bars, will: "be taken down" });
  return await follow(asked, async (tell) => {
    const { signal } = io;
    const isAwaited = await onShelf(config, (shelf) => removePages(shelf, { signal }));
    for (const bar of bars) tell(told("takendown", bar), pageText(bar, "is taken down"));
    if (isAwaited) tell({ event: "note", message: AWAITED }, `${AWAITED}\n`);
  });
}

const AWAITED =
  "A run was killed while it put such a page and may have brought it back; the next run removes it again.";

async function liftAll(asked: Asked): Promise<ExitCode> {
  const { args, config, routes } = asked;
  const { lift, liftable } = await import("../pipeline.ts");
  if (routes.length === 0) throw withoutRoutes();
  const isDry = args.has("dry-run");
  const bars = await onShelf(config, (shelf) => (isDry ? liftable : lift)(shelf, routes));
  const lifted = bars.map((bar): Bar & { readonly state: "lifted" } => ({
    ...bar,
    state: "lifted",
  }));
  if (isDry) return await foresee(asked, { bars: lifted, will: "come back" });
  return await follow(asked, async (tell) => {
    for (const bar of bars) tell(told("lifted", bar), pageText(bar, "may come back"));
  });
}

async function list({ args, io, config }: Asked): Promise<ExitCode> {
  const { takedownsOf } = await import("../pipeline.ts");
  const bars = await onShelf(config, takedownsOf);
  if (!args.has("json")) io.out.write(listText(bars));
  else for (const bar of bars) io.out.write(`${JSON.stringify(listed(bar))}\n`);
  return 0;
}

async function exportTo({ io, config, routes: [file] }: Asked): Promise<ExitCode> {
  const { exportTakedowns } = await import("../pipeline.ts");
  await onShelf(config, ({ ledger }) => writeLines(exportTakedowns(ledger), named(file), io.out));
  return 0;
}

async function importFrom({ args, io, config, routes: [file] }: Asked): Promise<ExitCode> {
  const { importTakedowns } = await import("../pipeline.ts");
  const lines = await readLines(named(file));
  const options = { file: named(file), signal: io.signal };
  const pages = await onShelf(config, (shelf) => importTakedowns(shelf, lines, options));
  const text = `${counted(pages, "page")} taken down; the next build rebuilds what links there.\n`;
  io.out.write(args.has("json") ? `${JSON.stringify({ event: "imported", pages })}\n` : text);
  return 0;
}

/** Opens what a takedown needs, gives it to `work`, and closes it again. */
async function onShelf<T>(config: Config, work: (shelf: Shelf) => Promise<T>): Promise<T> {
  const { openShelf } = await import("../wiring.ts");
  await using shelf = await openShelf(config);
  return await work(shelf);
}

/** Who writes --dry-run must not find that something was done. */
function checkOptions(args: Args, action: string): void {
  const wrong = ["erase", "reason", ...(action === "lift" ? [] : ["dry-run"])].find(args.has);
  if (wrong === undefined) return;
  const message = `--${wrong} means nothing with takedown ${action}.`;
  throw new PipelineError("config_invalid", message, {
    hint: "`nightbake takedown --help` shows what goes together.",
  });
}

function withoutRoutes(): PipelineError {
  return new PipelineError("config_invalid", "ROUTE is missing.", {
    hint: "Name routes as `nightbake takedown list` shows them.",
  });
}

function unknownAction(action: string): PipelineError {
  const names = Object.keys(ACTIONS);
  const message = `There is no action ${action}.${didYouMean(action, names)}`;
  const hint = `There are ${names.join(", ")}; routes begin with a slash.`;
  return new PipelineError("config_invalid", message, { hint });
}
