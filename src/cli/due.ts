import { PipelineError } from "../error.ts";
import type { Due, Leaving, Lingering } from "../explain.ts";
import { COMMON, type Command } from "./command.ts";
import { instant, table } from "./format.ts";
import { look } from "./look.ts";
import { plain } from "./terminal.ts";

const LIMIT = 20;
const DAY = 86_400_000_000;

/** `nightbake due` */
export const dueCommand: Command = {
  name: "due",
  summary: "Says which rows and pages the clock changes next, and which objects it deletes.",
  details:
    "Moments come from the ledger, so a row that was edited since the last build is told as it was then.\n" +
    "A moment that is over is done by the next build or rebuild.\n" +
    "Objects that no page needs any more wait until no browser shows what linked to them.\n" +
    "Objects that a run which was cut off may yet write are looked at once it cannot any more.",
  positionals: [],
  options: {
    within: { value: "TIME", says: "How far ahead to look: 90m, 24h, 7d (default: any time)." },
    limit: { value: "N", says: `Rows, and objects, to show at most (default ${LIMIT}).` },
    ...COMMON,
  },
  examples: [
    { line: "due", says: "what comes next" },
    { line: "due --within 24h --json", says: "the coming day, for a program" },
  ],
  run(args, io) {
    const within = timeOf(args.value("within"));
    const limit = countOf(args.value("limit"));
    return look(args, io, async (wired) => {
      const { dueNext, leavingNext, lingeringNext, openLook } = await import("../explain.ts");
      await using opened = await openLook(wired);
      const { context } = opened;
      const until = within === undefined ? Number.MAX_SAFE_INTEGER : context.now + within;
      const rows: Due[] = [];
      const tell = (event: string, what: object) =>
        io.out.write(`${JSON.stringify({ event, ...what })}\n`);
      for await (const due of dueNext(context, { until, limit })) {
        if (args.has("json")) tell("due", due);
        else rows.push(due);
      }
      const leaving = await leavingNext(context, { until, limit });
      const lingering = await lingeringNext(context, { until, limit });
      if (args.has("json")) {
        for (const each of leaving) tell("leaving", each);
        for (const each of lingering) tell("lingering", each);
      } else {
        const objects = objectsText("Deleted", leaving) + objectsText("Looked at", lingering);
        io.out.write(`${dueText(rows)}${objects}`);
      }
      return 0;
    });
  },
};

/** The rows by moment, one a line. */
function dueText(rows: readonly Due[]): string {
  if (rows.length === 0) return "Nothing is scheduled, and nothing expires.\n";
  const head = ["When", "Table", "Key", "Pages", "Lists"];
  const cells = rows.map(({ at, isOver, table: name, key, pages, lists }) => [
    `${instant(at)}${isOver ? " (over)" : ""}`,
    name,
    plain(key),
    pages.map(({ kind, route = "", becomes }) => `${kind} ${plain(route)} ${becomes}`).join(", "),
    plain(lists.join(", ")),
  ]);
  return table([head, ...cells]);
}

/** Objects that wait, one a line; nothing when none does. */
function objectsText(what: string, objects: readonly (Leaving | Lingering)[]): string {
  if (objects.length === 0) return "";
  const cells = objects.map(({ object, at, isOver }) => [
    at === undefined ? "once links are evicted" : `${instant(at)}${isOver ? " (over)" : ""}`,
    plain(object),
  ]);
  return `\n${table([[what, "Object"], ...cells])}`;
}

/** µs */
function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const units: Readonly<Record<string, number>> = { m: DAY / 1440, h: DAY / 24, d: DAY };
  const size = units[unit];
  if (number !== undefined && size !== undefined) return Number(number) * size;
  throw new PipelineError("config_invalid", `--within ${text} is no time.`, {
    hint: "Write a number of minutes, hours or days: 90m, 24h, 7d.",
  });
}

function countOf(text = String(LIMIT)): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new PipelineError("config_invalid", `--limit ${text} is no number of rows.`, {
    hint: "Write a whole number from 1 on.",
  });
}
