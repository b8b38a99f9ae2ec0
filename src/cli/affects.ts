import type { Affects, Reach } from "../explain.ts";
import { COMMON, type Command } from "./command.ts";
import { count, counted, table } from "./format.ts";
import { look } from "./look.ts";
import { planTable } from "./plan-table.ts";
import { priceText } from "./price-text.ts";
import { plain } from "./terminal.ts";

/** `nightbake affects TABLE/KEY` */
export const affectsCommand: Command = {
  name: "affects",
  summary: "Says which pages a change of a row would touch, and the price, before anybody saves.",
  details:
    "Plans as if the row's columns held something else, and as if it went (which is also what it leaves\n" +
    "behind when it moves in lists or is hidden). Nothing is rendered or written; sitemaps are not counted.",
  positionals: ["ROW"],
  options: {
    column: {
      value: "NAMES",
      says: "Only these columns, with commas between, e.g. title,summary.",
    },
    pages: { says: "Lists every page with its reason." },
    ...COMMON,
  },
  examples: [
    { line: "affects users/ann", says: "a row of a table" },
    { line: "affects article:42 --column title", says: "the row of a page, one column" },
  ],
  run(args, io) {
    const [row = ""] = args.positionals;
    const columns = args.value("column")?.split(",").filter(Boolean) ?? [];
    return look(args, io, async (wired) => {
      const { affects, openLook } = await import("../explain.ts");
      await using opened = await openLook(wired);
      const { isCaching } = wired.cdn;
      const told = await affects(opened.context, row, { columns, isCaching });
      if (args.has("json")) io.out.write(`${JSON.stringify({ event: "affects", ...told })}\n`);
      else io.out.write(affectsText(told, { withPages: args.has("pages") }));
      return 0;
    });
  },
};

function affectsText(told: Affects, { withPages }: { readonly withPages: boolean }): string {
  const { row, exists, columns, ignored, edited, gone } = told;
  const name = `Row ${plain(row)}`;
  const none = exists ? "" : `${name} is not there; pages that read its absence are counted.\n`;
  const idle = ignored.map(
    (column) => `${plain(column)}: no page declares it, so it changes nothing.\n`,
  );
  const parts = [
    ...(edited ? [reachText(`An edit of ${columns.join(", ")}`, edited, withPages)] : []),
    ...(gone ? [reachText("Its going, moving in lists or being hidden", gone, withPages)] : []),
  ];
  return [none, ...idle, parts.join("\n")].join("");
}

function reachText(what: string, { pages, price }: Reach, withPages: boolean): string {
  if (pages.length === 0) return `${what} would touch no page.\n`;
  const kinds = [
    ...Map.groupBy(pages, ({ kind, action, reason }) =>
      [kind, action, reason.split(":")[0]].join(" "),
    ),
  ];
  const rows = kinds.map(([, own]) => {
    const [{ kind, action, reason } = EMPTY] = own;
    return [kind, action, reason.split(":")[0] ?? "", count(own.length)];
  });
  const head = `${what} would touch ${counted(pages.length, "page")}: ${priceText(price)}.\n`;
  const summary = table([["Kind", "Action", "Cause", "Pages"], ...rows], { right: [3] });
  return `${head}${summary}${withPages ? pagesText(pages) : ""}`;
}

const EMPTY: Reach["pages"][number] = { kind: "", route: "", action: "check", reason: "" };

function pagesText(pages: Reach["pages"]): string {
  let text = "\n";
  const shown = planTable((more) => {
    text += more;
  });
  for (const page of pages) shown.add(page);
  shown.end();
  return text;
}
