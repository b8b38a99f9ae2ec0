import type { Counts, ReadFrom, Summary } from "../events.ts";
import { coverText } from "../invalidate/cover-text.ts";
import { bytes, count, counted, duration, table } from "./format.ts";

const HEAD = ["Kind", "Live", "Candidates", "Rendered", "Changed", "Deleted", "Failed", "Bytes"];
const NUMBERS = [1, 2, 3, 4, 5, 6, 7];

/** What a run did, as people read it: a table of pages by kind, then a few sentences. */
export function summaryText(summary: Summary): string {
  if (summary.isDryRun) {
    const lines = [...coversText(summary), dryRunText(summary)].join("\n");
    return `${stepsTable(summary)}${lines}\n`;
  }
  const sentences = [doneText(summary), ...coversText(summary), ...afterText(summary)].join("\n");
  return `${kindsTable(summary)}\n${causesTable(summary)}${sentences}\n`;
}

/** True when the run put and deleted nothing. */
function isNothingChanged({ changed, deleted }: Summary): boolean {
  return changed === 0 && deleted === 0;
}

function kindsTable(summary: Summary): string {
  const { kinds } = summary;
  const lives = kinds.flatMap(({ live }) => live ?? []);
  const live = lives.length === 0 ? undefined : lives.reduce((a, b) => a + b, 0);
  const rows = kinds.map((each) => cells(each.kind, each.live, each));
  return table([HEAD, ...rows, cells("All", live, summary)], { right: NUMBERS });
}

function cells(name: string, live: number | undefined, counts: Counts): string[] {
  const { candidates, rendered, changed, deleted, failed } = counts;
  const numbers = [candidates, rendered, changed, deleted, failed].map(count);
  return [name, live === undefined ? "" : count(live), ...numbers, bytes(counts.bytes)];
}

/** Which causes led to which pages, and how many of those had changed indeed. */
function causesTable({ causes }: Summary): string {
  if (causes.length === 0) return "";
  const head = ["Kind", "Cause", "Candidates", "Rendered", "Changed", "Deleted"];
  const rows = causes.map(({ kind, cause, candidates, rendered, changed, deleted }) => [
    kind,
    cause,
    ...[candidates, rendered, changed, deleted].map(count),
  ]);
  return `${table([head, ...rows], { right: [2, 3, 4, 5] })}\n`;
}

function doneText(summary: Summary): string {
  const { release, changed, deleted, seconds, invalidated } = summary;
  const time = duration(seconds);
  if (isNothingChanged(summary)) return `Nothing changed. (${time})`;
  const name = release === undefined ? "Done" : `Release ${release}`;
  const cdn = invalidated > 0 ? `, ${counted(invalidated, "item")} invalidated` : "";
  const what = `${counted(changed, "page")} put (${bytes(summary.bytes)}), ${count(deleted)} deleted`;
  return `${name}: ${what}${cdn}, in ${time}.`;
}

/** What was chosen to tell the CDN, or would be, and why. */
function coversText({ covers, isDryRun }: Summary): string[] {
  const lines = covers.flatMap(coverText).map((line) => `  ${line}`);
  const head = isDryRun ? "At the CDN, if all of them changed:" : "At the CDN:";
  return lines.length === 0 ? [] : [head, ...lines];
}

function afterText({ failed, unlinked, waiting, read, missed }: Summary): string[] {
  const good = "; the last good version of each stays live.";
  return [
    ...(read === undefined ? [] : [readText(read)]),
    ...(unlinked > 0
      ? [`Links in bodies that led nowhere: ${count(unlinked)}; their text stays.`]
      : []),
    ...(waiting > 0
      ? [`Waiting to be deleted: ${counted(waiting, "object")}; nightbake due says until when.`]
      : []),
    ...(missed === undefined
      ? []
      : [
          `Rows that the database's log did not tell of: ${count(missed.rows)}; see changes_missed above.`,
        ]),
    ...(failed > 0 ? [`${counted(failed, "page")} failed${good}`] : []),
  ];
}

function readText({ server, isPrimary, position, rows }: ReadFrom): string {
  const at = position === undefined ? "" : ` at ${position} or later`;
  return `${counted(rows, "row")} read from the ${isPrimary ? "primary" : "replica"} ${server}${at}.`;
}

function stepsTable({ steps }: Summary): string {
  if (steps.length === 0) return "";
  const rows = steps.map((each) => [
    each.phase,
    each.kind,
    each.action,
    each.reason,
    count(each.count),
  ]);
  return `\n${table([["Phase", "Kind", "Action", "Reason", "Pages"], ...rows], { right: [4] })}\n`;
}

function dryRunText({ steps, failed, seconds }: Summary): string {
  const sum = (action: string) =>
    steps.filter((each) => each.action === action).reduce((all, each) => all + each.count, 0);
  const [creates, updates, deletes] = [sum("create"), sum("update"), sum("delete")];
  const broken = failed > 0 ? ` ${counted(failed, "page")} failed.` : "";
  const time = `(dry run, ${duration(seconds)})`;
  if (creates + updates + deletes === 0) return `Nothing to do.${broken} ${time}`;
  const what = `create ${count(creates)}, update ${count(updates)}, delete ${count(deletes)} pages`;
  return `Would ${what}; nothing was written.${broken} ${time}`;
}
