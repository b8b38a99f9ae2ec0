import { type Checked, type Finding, FLAWS, type Flaw } from "../verify/finding.ts";
import { count, counted } from "./format.ts";
import { plain } from "./terminal.ts";

const WORDS: Readonly<Record<Flaw, string>> = {
  missing: "missing in the store",
  altered: "altered by another hand",
  headers: "with wrong headers",
  stale: "served otherwise by the CDN",
  unreachable: "not answered for by the CDN",
  foreign: "foreign",
};

/** One line: `missing  posts/p1/index.html (/posts/p1/): no object`. */
export function findingText({ flaw, object, page, detail }: Finding): string {
  const where = page === undefined ? "" : ` (${page.route})`;
  return `${plain(`${flaw.padEnd(11)} ${object}${where}: ${detail}`)}\n`;
}

/** What was looked at, and what is wrong with how many. */
export function checkedText(
  { listed, pages, read, fetched, waiting, found }: Checked,
  { edge, examples }: { readonly edge: string | undefined; readonly examples: number },
): string {
  const through = edge === undefined ? "" : `, ${count(fetched)} fetched from ${plain(edge)}`;
  const looked = `${counted(listed, "object")} listed, ${counted(pages, "page")} live, ${count(read)} read${through}.`;
  const waits = waiting === 0 ? "" : ` ${counted(waiting, "object")} of runs under way or cut off.`;
  const wrong = FLAWS.filter((flaw) => found[flaw] > 0);
  if (wrong.length === 0) return `${looked}${waits}\nNothing is wrong.\n`;
  const sums = wrong.map((flaw) => `${count(found[flaw])} ${WORDS[flaw]}`).join(", ");
  const isCut = wrong.some((flaw) => found[flaw] > examples);
  const more = isCut ? ` ${examples} of each kind are shown; --json tells all.` : "";
  return `${looked}${waits}\nFound: ${sums}.${more}\n`;
}
