import type { CoverReport } from "./cover-report.ts";
import type { Rejected } from "./rejected.ts";

/** Groups that are named before the rest is counted. */
const MOST = 10;

/** Tells people what was chosen, what was not, and the price: one line each, no line break. */
export function coverText(cover: CoverReport): readonly string[] {
  const { objects, load, groups, groupCount, waves, calls, usd, overBudgetUsd, byPath } = cover;
  if (objects === 0) return ["Nothing to invalidate: no old copy of anything that changed."];
  const { items, evicted } = load;
  const way = `${count(waves, "wave")}, ${count(calls, "call")}, about ${cover.seconds} s`;
  const others = items - groupCount;
  return [
    `${count(items, "item")} for ${count(objects, "changed object")}: ${dollars(usd)}, ${way}`,
    `  evicts up to ${count(evicted, "unchanged page")}, ${percent(cover.share)} of the site`,
    ...groups
      .slice(0, MOST)
      .map((group) => `  ${group.item}: ${group.changed} changed, ${group.evicted} unchanged`),
    ...(groupCount > MOST ? [`  and ${groupCount - MOST} more such items`] : []),
    ...(others > 0 ? [`  ${count(others, "item")} for single objects`] : []),
    ...(overBudgetUsd > 0
      ? [`  beyond the month's budget by ${dollars(overBudgetUsd)}; nothing is left out`]
      : []),
    `  not chosen: every object by path: ${count(byPath.items, "item")}, ${dollars(byPath.usd)}`,
    ...cover.rejected.map((each) => `  not chosen: ${each.item}: ${why(each)}`),
  ];
}

function why({ changed, alone, evicted, why: reason }: Rejected): string {
  const what = `${changed} changed and ${evicted} unchanged`;
  if (reason === "share") return `${what}, beyond the bound`;
  if (reason === "price")
    return `${what}, costs more than the ${count(alone - 1, "item")} it saves`;
  return `${what}, saves nothing beside what was chosen`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

function dollars(usd: number): string {
  return `$${usd.toFixed(usd > 0 && usd < 1 ? 3 : 2)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
