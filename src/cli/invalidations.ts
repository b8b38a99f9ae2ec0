import { PipelineError } from "../error.ts";
import { coverText } from "../invalidate/cover-text.ts";
import { didYouMean } from "../nearest.ts";
import type { Invalidations, KeptCover, Wired } from "../pipeline.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, type ExitCode, type Io } from "./command.ts";
import { count, counted, duration, instant, table } from "./format.ts";
import { lookBack } from "./look-back.ts";
import { plain } from "./terminal.ts";

/** `nightbake invalidations [ACTION]` */
export const invalidationsCommand: Command = {
  name: "invalidations",
  summary: "Lists what the CDN was not told yet or has not completed; retries and explains it.",
  details:
    "ACTION is list (the default), retry or explain. Pages that changed wait until a run plans what the CDN is told\n" +
    "of them; that is frozen into batches, and each stays here until the CDN says that it has completed. Every run\n" +
    "sends what is left. `retry` does so at once, and gives batches that were refused a new id. `explain` says what\n" +
    "was chosen, what was not and the price, of the last 30 days.",
  positionals: ["[ACTION]"],
  options: COMMON,
  examples: [
    { line: "invalidations", says: "what is open, since when, and this month's bill" },
    { line: "invalidations retry", says: "after a refusal was dealt with" },
    { line: "invalidations explain --json", says: "what was chosen and why, for a program" },
  ],
  async run(args, io) {
    const [action = "list"] = args.positionals;
    const act = ACTIONS[action];
    if (act === undefined) throw unknownAction(action);
    return await lookBack(args, io, (wired) => act(wired, { args, io }));
  },
};

interface Asked {
  readonly args: Args;
  readonly io: Io;
}

const ACTIONS: Readonly<Record<string, (wired: Wired, asked: Asked) => Promise<ExitCode>>> = {
  list,
  retry,
  explain,
};

async function list(wired: Wired, { args, io }: Asked): Promise<ExitCode> {
  const now = Date.now() * 1000;
  const { covers, ...open } = await stateOf(wired, now);
  if (!args.has("json")) return print(io, [listText(open, now)]);
  const batches = open.batches.map((batch) => {
    return { event: "batch", ...batch, since: batch.since && instant(batch.since) };
  });
  const { waiting, month } = open;
  return print(io, [...batches, { event: "invalidations", waiting, month }].map(line));
}

async function explain(wired: Wired, { args, io }: Asked): Promise<ExitCode> {
  const { covers } = await stateOf(wired, Date.now() * 1000);
  if (args.has("json")) return print(io, covers.map(coverLine));
  const texts = covers.map(({ madeAt, doneAt, cover }) => {
    const state = doneAt === undefined ? "not completed yet" : `done ${instant(doneAt)}`;
    const lines = coverText(cover).map((each) => `  ${plain(each)}`);
    return `${[`${instant(madeAt)}, ${state}`, ...lines].join("\n")}\n`;
  });
  return print(io, texts.length === 0 ? ["Nothing was invalidated yet.\n"] : texts);
}

async function retry(wired: Wired, { args, io }: Asked): Promise<ExitCode> {
  const { retryInvalidations } = await import("../pipeline.ts");
  const { batches, items } = await retryInvalidations(wired, { signal: io.signal });
  if (args.has("json")) return print(io, [line({ event: "retried", batches, items })]);
  const what = `${counted(batches, "batch", "batches")} with ${counted(items, "item")}`;
  return print(io, [batches === 0 ? "Nothing was left to send.\n" : `${what} completed.\n`]);
}

async function stateOf(wired: Wired, now: number): Promise<Invalidations> {
  const { invalidationsOf } = await import("../pipeline.ts");
  return await invalidationsOf(wired, now);
}

function listText({ waiting, batches, month }: Omit<Invalidations, "covers">, now: number): string {
  const head = ["Batch", "State", "Age", "Items", "Price"];
  const rows = batches.map(({ id, state, since, items, usd, refusal }) => [
    id,
    refusal === undefined ? state : `${state}: ${plain(refusal)}`,
    since === undefined ? "" : duration(Math.max(0, now - since) / 1_000_000),
    count(items),
    `up to $${usd.toFixed(2)}`,
  ]);
  const shown = rows.length === 0 ? "" : `${table([head, ...rows], { right: [3, 4] })}\n`;
  const rest =
    waiting === 0
      ? ""
      : `${counted(waiting, "change")} not planned yet; the next run, or \`retry\`, does.\n`;
  const none = rows.length === 0 && waiting === 0 ? "The CDN knows of everything.\n" : "";
  return `${shown}${rest}${none}This month: ${counted(month.items, "item")}, $${month.usd.toFixed(2)}.\n`;
}

function coverLine({ id, madeAt, doneAt, items, cover }: KeptCover): string {
  const done = doneAt && instant(doneAt);
  return line({ event: "cover", id, madeAt: instant(madeAt), doneAt: done, items, ...cover });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function print(io: Io, texts: readonly string[]): ExitCode {
  for (const text of texts) io.out.write(text);
  return 0;
}

function unknownAction(action: string): PipelineError {
  const names = Object.keys(ACTIONS);
  const message = `There is no action ${action}.${didYouMean(action, names)}`;
  return new PipelineError("config_invalid", message, { hint: `There are ${names.join(", ")}.` });
}
