import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import {
  type ChangedObject,
  foldersOf,
  type LiveCounts,
  lookups,
} from "../src/invalidate/changed.ts";
import { type Cover, cover } from "../src/invalidate/cover.ts";
import { reportOf } from "../src/invalidate/cover-report.ts";
import { coverText } from "../src/invalidate/cover-text.ts";
import { type CoverSite, coverSite, edited, type Shown } from "./cover-site.ts";

const HELP = `Shows what invalidation costs for typical changes of the demo site, and how long planning takes.

  node bench/cover.ts [--copies N]... [--month N] [--no-tags] [--explain]

  --copies   the corpus so many times, with the same authors and tags (default: 1, 24)
  --month    items that were asked for earlier in the month (default 1000: none is free any more)
  --no-tags  as if the distribution knew no cache tags
  --explain  prints what was chosen and what was not

Pages are modelled on the corpus' rows: articles with three neighbours on each side, tags with
windows by year of fifty entries, activity with a hundred. Nothing is rendered. An edit changes an
article, its neighbours and its windows. The time is CPU of this process, without counting what is live.
`;
const HEAD = [
  "",
  "changed",
  "items",
  "USD",
  "by path",
  "unchanged",
  "share",
  "waves",
  "calls",
  "s",
  "plan ms",
];
const WIDTHS = [30, 8, 7, 8, 9, 10, 7, 6, 6, 6, 8];
const { values } = parseArgs({
  options: {
    copies: { type: "string", multiple: true, default: ["1", "24"] },
    month: { type: "string", default: "1000" },
    "no-tags": { type: "boolean", default: false },
    explain: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else for (const copies of values.copies) await measure(Number(copies));

async function measure(copies: number): Promise<void> {
  const site = await coverSite(copies);
  say(`corpus × ${copies}: ${site.live.length} pages, load ${loadavg()[0]?.toFixed(1)}`);
  say(HEAD.map((name, at) => name.padStart(WIDTHS[at] ?? 0)).join(" "));
  for (const [name, changed] of scenarios(site)) {
    const counts = count(site, changed);
    const startedUs = cpuUs();
    const covered = cover(changed, counts, {
      useTags: !values["no-tags"],
      monthItems: Number(values.month),
    });
    say(line(name, covered, (cpuUs() - startedUs) / 1000));
    if (values.explain)
      say(
        coverText(reportOf(covered))
          .map((each) => `    ${each}`)
          .join("\n"),
      );
  }
}

function scenarios({
  live,
  articles,
  activity,
}: CoverSite): readonly (readonly [string, readonly ChangedObject[]])[] {
  const [largest = "", typical = ""] = authors(articles);
  const rename = (author: string) => [
    ...articles.flatMap((each) => (each.author === author ? [each.page] : [])),
    ...(activity.get(author) ?? []),
  ];
  const step = Math.floor(articles.length / 100);
  const spread = articles.filter((_, at) => (at * 7919) % articles.length < step);
  const start = Math.floor(articles.length / 2);
  const topic = articles.filter(({ tags }) => tags.includes("release")).slice(0, step);
  const tagged = spread.slice(0, 20 * Math.ceil(step / 40));
  return [
    ["rename of the largest author", rename(largest).map(edited)],
    ["rename of a typical author", rename(typical).map(edited)],
    ["template of articles", articles.map(({ page }) => edited(page))],
    ["template of tag pages", live.filter(({ tags }) => tags[1] === "tag").map(edited)],
    ["base template", live.map(edited)],
    ["1 % of articles, random", edits(spread)],
    ["1 % of articles, by date", edits(articles.slice(start, start + step))],
    ["1 % of articles, one topic", edits(topic)],
    [
      "a new tag",
      [
        ...tagged.map(({ page }) => edited(page)),
        { route: "/tags/new/", before: undefined, after: ["tag-new", "tag"] },
      ],
    ],
  ];
}

/** Two authors by number of articles: the first, and the one in the middle of those with several. */
function authors(articles: readonly Shown[]): readonly (string | undefined)[] {
  const groups = [...Map.groupBy(articles, ({ author }) => author)];
  const several = groups
    .filter(([, own]) => own.length > 1)
    .sort((a, b) => b[1].length - a[1].length);
  return [several[0]?.[0], several[Math.floor(several.length / 2)]?.[0]];
}

function edits(articles: readonly Shown[]): readonly ChangedObject[] {
  const pages = articles.flatMap(({ page, beside }) => [page, ...beside]);
  return [...new Set(pages)].map(edited);
}

/** What the ledger would answer. */
function count({ live }: CoverSite, changed: readonly ChangedObject[]): LiveCounts {
  const asked = lookups(changed);
  const created = changed.flatMap(({ before, route, after }) =>
    before === undefined && after ? [{ route, tags: after }] : [],
  );
  const tagged = new Map(asked.tags.map((tag) => [tag, 0]));
  const below = new Map(asked.folders.map((folder) => [folder, 0]));
  for (const { route, tags } of [...live, ...created]) {
    for (const tag of tags) bump(tagged, tag);
    for (const folder of foldersOf(route)) bump(below, folder);
  }
  return { live: live.length + created.length, tagged, below };
}

function bump(counts: Map<string, number>, name: string): void {
  const known = counts.get(name);
  if (known !== undefined) counts.set(name, known + 1);
}

function line(name: string, covered: Cover, planMs: number): string {
  const { objects, load, usd, byPath, share, waves, calls, seconds } = covered;
  const cells = [
    name,
    objects,
    load.items,
    usd.toFixed(3),
    byPath.usd.toFixed(2),
    load.evicted,
    `${(share * 100).toFixed(2)} %`,
    waves.length,
    calls,
    seconds,
    planMs.toFixed(1),
  ];
  return cells.map((cell, at) => String(cell).padStart(WIDTHS[at] ?? 0)).join(" ");
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
