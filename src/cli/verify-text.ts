import { type Checked, type Finding, FLAWS, type Flaw } from "../verify/finding.ts";
import { count, counted } from "./format.ts";
import { plain, type Terminal } from "./terminal.ts";

/** Findings of one kind that are shown; `--json` tells all. */
const EXAMPLES = 10;

const WORDS: Readonly<Record<Flaw, string>> = {
  missing: "missing in the store",
  altered: "altered by another hand",
  headers: "with wrong headers",
  stale: "served otherwise by the CDN",
  unreachable: "not answered for by the CDN",
  foreign: "foreign",
};

/** Shows findings: as JSON when they come, else the first of each kind at the end. */
export function openFindings(
  out: Terminal,
  { isJson }: { readonly isJson: boolean },
): { readonly add: (findings: readonly Finding[]) => void; readonly end: () => void } {
  const kept: Finding[] = [];
  const counts = new Map<Flaw, number>();
  const isExample = ({ flaw }: Finding) => {
    const nth = (counts.get(flaw) ?? 0) + 1;
    counts.set(flaw, nth);
    return nth <= EXAMPLES;
  };
  return {
    add(findings) {
      if (isJson) for (const each of findings) out.write(`${JSON.stringify(recordOf(each))}\n`);
      else kept.push(...findings.filter(isExample));
    },
    end() {
      for (const each of kept) out.write(findingText(each));
    },
  };
}

/** A finding as a line of `--json`. */
function recordOf({ flaw, object, page, detail }: Finding) {
  const place = page && { kind: page.kind, route: page.route };
  return { event: "finding", flaw, object, ...place, detail };
}

/** One line: `missing  posts/p1/index.html (/posts/p1/): no object`. */
function findingText({ flaw, object, page, detail }: Finding): string {
  const where = page === undefined ? "" : ` (${page.route})`;
  return `${plain(`${flaw.padEnd(11)} ${object}${where}: ${detail}`)}\n`;
}

/** What was looked at, and what is wrong with how many. */
export function checkedText(checked: Checked, edge: string | undefined): string {
  const { listed, pages, read, fetched, waiting, found } = checked;
  const through = edge === undefined ? "" : `, ${count(fetched)} fetched from ${plain(edge)}`;
  const looked = `${counted(listed, "object")} listed, ${counted(pages, "page")} live, ${count(read)} read${through}.`;
  const waits = waiting === 0 ? "" : ` ${counted(waiting, "object")} of runs under way or cut off.`;
  const isCut = FLAWS.some((flaw) => found[flaw] > EXAMPLES);
  const more = isCut ? ` ${EXAMPLES} of each kind are shown; --json tells all.` : "";
  return `${looked}${waits}\n${foundText(found, "Nothing is wrong.")}${more}\n`;
}

/** What a repair left. */
export function repairedText({ pages, found }: Checked): string {
  return `${counted(pages, "page")} looked at again. ${foundText(found, "All of them are right now.")}\n`;
}

function foundText(found: Checked["found"], none: string): string {
  const wrong = FLAWS.filter((flaw) => found[flaw] > 0);
  if (wrong.length === 0) return none;
  return `Found: ${wrong.map((flaw) => `${count(found[flaw])} ${WORDS[flaw]}`).join(", ")}.`;
}
