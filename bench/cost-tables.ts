import { TERMS } from "../src/invalidate/terms.ts";
import {
  ASSUMED,
  itemsOf,
  itemsUsd,
  PRICES,
  type RunCost,
  runCost,
  standingUsd,
  storedUsd,
  verifyUsd,
} from "./cost-model.ts";

type Row = readonly [label: string, ...cells: string[]];

/** The tables of docs/reference/costs.md by their names, for sites of so many pages. */
export function costTables(sizes: readonly number[], share: number): ReadonlyMap<string, string> {
  const table = (name: string, rows: readonly Row[]) =>
    [name, markdown(name, sizes, rows)] as const;
  const each = (label: string, cell: (pages: number) => string): Row => [label, ...sizes.map(cell)];
  const changed = (pages: number) => Math.ceil(pages * share);
  return new Map([
    table(
      "First build",
      runRows(each, (pages) => runCost(pages, { changed: pages, evicted: 0 })),
    ),
    table(
      `A night, ${percent(share)} of the pages change`,
      runRows(each, (pages) => nightCost(pages, share)),
    ),
    table(
      "A change of the base template",
      runRows(each, (pages) => runCost(pages, { changed: pages, items: 1 })),
    ),
    table("Items of the nights of a month", [
      each("about one topic a night: items", (n) => count(monthItems(changed(n), "together"))),
      each("USD", (n) => usd(itemsUsd(monthItems(changed(n), "together")))),
      each("all over the site: items", (n) => count(monthItems(changed(n), "scattered"))),
      each("USD", (n) => usd(itemsUsd(monthItems(changed(n), "scattered")))),
      each("by path, without cache tags: items", (n) => count(2 * ASSUMED.nights * changed(n))),
      each("USD", (n) => usd(itemsUsd(2 * ASSUMED.nights * changed(n)))),
      each("one `/*` a night, USD of fetching all again", (n) => usd(everythingUsd(n))),
    ]),
    table("A month", monthRows(each, share)),
  ]);
}

type Each = (label: string, cell: (pages: number) => string) => Row;

function runRows(each: Each, cost: (pages: number) => RunCost): readonly Row[] {
  return [
    each("PUTs", (n) => count(cost(n).puts)),
    each("… USD", (n) => usd(cost(n).putUsd)),
    each("functions, all together", (n) => time(cost(n).seconds)),
    each("… USD", (n) => usd(cost(n).lambdaUsd)),
    each("edges fetch again, USD", (n) => usd(cost(n).refetchUsd)),
    each("messages, USD", (n) => usd(cost(n).queueUsd)),
    each("**USD, items apart**", (n) => `**${usd(cost(n).totalUsd)}**`),
  ];
}

function nightCost(pages: number, share: number): RunCost {
  const changed = Math.ceil(pages * share);
  return runCost(pages, { changed, items: itemsOf(changed).scattered });
}

function monthRows(each: Each, share: number): readonly Row[] {
  const part = (name: keyof ReturnType<typeof month>) => (n: number) => usd(month(n, share)[name]);
  return [
    each("nights", part("nights")),
    each("a change of the base template", part("template")),
    each("pages kept", part("now")),
    each("versions kept for rollbacks", part("versions")),
    each("looking at the store weekly", part("verify")),
    each("ticks, polling, logs, alarms", part("standing")),
    each("**without items**", (n) => `**${part("without")(n)}**`),
    each("**with items, about one topic a night**", (n) => `**${part("together")(n)}**`),
    each("**with items, all over the site**", (n) => `**${part("scattered")(n)}**`),
  ];
}

/** A month of nights and one change of the base template, US dollars. */
function month(pages: number, share: number) {
  const changed = Math.ceil(pages * share);
  const nights = ASSUMED.nights * nightCost(pages, share).totalUsd;
  const template = runCost(pages, { changed: pages, items: 1 }).totalUsd;
  const { now, versions } = storedUsd(pages, ASSUMED.nights * changed + pages);
  const verify = verifyUsd(pages);
  const standing = Object.values(standingUsd()).reduce((sum, each) => sum + each, 0);
  const without = nights + template + now + versions + verify + standing;
  const withItems = (kind: "together" | "scattered") =>
    without + itemsUsd(monthItems(changed, kind) + 1);
  const together = withItems("together");
  const scattered = withItems("scattered");
  return { nights, template, now, versions, verify, standing, without, together, scattered };
}

function monthItems(changed: number, kind: "together" | "scattered"): number {
  return ASSUMED.nights * itemsOf(changed)[kind];
}

function everythingUsd(pages: number): number {
  return ASSUMED.nights * runCost(pages, { changed: 0, evicted: pages }).refetchUsd;
}

/** What is no part of a pipeline, or of not every one: names and USD. */
export function besides(): string {
  const { natHour, natGb, endpointHour, proxyHour, request, sentGb, call } = PRICES;
  const hours = ASSUMED.days * 24;
  const rows: readonly (readonly [string, string])[] = [
    ["a NAT gateway, a month", `${usd(natHour * hours)} and ${natGb} a GB`],
    ["an interface endpoint in one zone, a month", usd(endpointHour * hours)],
    ["RDS Proxy for a database of 2 vCPU, a month", usd(2 * proxyHour * hours)],
    ["a million requests of readers: CloudFront, and its function", usd(1e6 * (request + call))],
    ["… 10 KB to each of them", usd(10 * sentGb)],
    ["an item beyond the first 1,000 of a month", String(TERMS.itemUsd)],
  ];
  return ["| | USD |", "|---|---:|", ...rows.map(([name, cell]) => `| ${name} | ${cell} |`)].join(
    "\n",
  );
}

function markdown(name: string, sizes: readonly number[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line([name, ...sizes.map((pages) => `${count(pages)} pages`)]),
    line(["---", ...sizes.map(() => "---:")]).replaceAll(" ", ""),
    ...rows.map(line),
  ].join("\n");
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

/** Whole dollars from a hundred on: the assumptions are no better. */
function usd(value: number): string {
  if (value !== 0 && value < 0.005) return "< 0.01";
  const digits = value >= 100 ? 0 : 2;
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString("en-US", format);
}

function time(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
