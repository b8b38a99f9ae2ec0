import type { Why } from "../explain.ts";
import { COMMON, type Command } from "./command.ts";
import { instant } from "./format.ts";
import { look } from "./look.ts";
import { plain } from "./terminal.ts";

/** `nightbake why ROUTE` */
export const whyCommand: Command = {
  name: "why",
  summary:
    "Explains a page: what it reads, which read last changed and when, what the next build would do.",
  details:
    "Also says why a page is not rebuilt, and why there is none at a route. It plans a dry run, so it costs\n" +
    "what one costs, and writes nothing.",
  positionals: ["ROUTE"],
  options: COMMON,
  examples: [
    { line: "why /articles/x/", says: "as people read it" },
    { line: "why /articles/x/ --json | jq .next", says: "for a program" },
  ],
  run(args, io) {
    const [route = ""] = args.positionals;
    return look(args, io, async (wired) => {
      const { why } = await import("../explain.ts");
      const { signal } = io;
      const told = await why(wired, route.startsWith("/") ? route : `/${route}`, { signal });
      if (args.has("json")) io.out.write(`${JSON.stringify({ event: "why", ...told })}\n`);
      else io.out.write(plainLines(whyLines(told)));
      return 0;
    });
  },
};

/** The answer, line by line. */
function whyLines(told: Why): readonly string[] {
  const { route, page, none, failure, reads } = told;
  if (page === undefined) return [`There is no page at ${route}.`, ...none];
  return [
    `${route} is ${page.kind} ${page.key}.`,
    putLine(told),
    ...(failure === undefined
      ? []
      : [`It cannot be made: ${failure} Its last good version stays.`]),
    ...nextLines(told),
    ...(reads.length > 0 ? ["", "It is made from:"] : []),
    ...reads.map(({ name, isChanged }) => `${isChanged ? "*" : " "} ${name}`),
  ];
}

function putLine({ put }: Why): string {
  if (put === undefined) return "It is not live yet.";
  const { release, at, reason, found } = put;
  const when = at === undefined ? "" : ` of ${instant(at)}`;
  const rest = found.filter((name) => name !== reason);
  const behind = rest.length === 0 ? "" : ` (${rest.join(", ")})`;
  return `Release ${release}${when} put it${reason === undefined ? "" : `, because of ${reason}`}${behind}.`;
}

function nextLines({ next, reads, failure, put }: Why): readonly string[] {
  if (next !== undefined) {
    const { action, reason, rows, pages } = next;
    return [
      `The next build will ${action} it, because of ${reason}:`,
      ...rows.map(({ row, did }) => `  ${row} did ${did}`),
      ...pages.map((page) => `  ${page.route}: ${page.action}, because of ${page.reason}`),
    ].map((line, at, all) => (at === 0 && all.length === 1 ? line.replace(/:$/, ".") : line));
  }
  if (failure !== undefined || reads.length === 0) return [];
  return [
    `The next build leaves it alone: all ${reads.length} reads are as they were in release ${put?.release}.`,
  ];
}

function plainLines(lines: readonly string[]): string {
  return lines.map((line) => `${plain(line)}\n`).join("");
}
