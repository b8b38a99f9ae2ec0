import { expect, test } from "vitest";
import { lookups } from "../../src/invalidate/changed.ts";
import { cover } from "../../src/invalidate/cover.ts";
import { reportOf } from "../../src/invalidate/cover-report.ts";
import { coverText } from "../../src/invalidate/cover-text.ts";
import { article, articles, countsOf, edited } from "./changes.ts";

test("tells what was chosen, what was not and why, and the price", () => {
  const ann = articles(300);
  const live = [...ann, ...articles(7000, "bob", 1000)];
  const changed = [...ann.slice(10), article(1500, "bob"), article(1501, "bob")].map(edited);
  const counts = countsOf(live, lookups(changed));

  const text = coverText(
    reportOf(cover(changed, counts, { useTags: true, monthItems: 1200, budgetUsd: 1 })),
  );

  expect(text).toEqual([
    "3 items for 292 changed objects: $0.015, 1 wave, 1 call, about 27 s",
    "  evicts up to 10 unchanged pages, 0.1 % of the site",
    "  #author-ann: 290 changed, 10 unchanged",
    "  2 items for single objects",
    "  beyond the month's budget by $0.015; nothing is left out",
    "  not chosen: every object by path: 584 items, $2.92",
    "  not chosen: #article: 292 changed and 7008 unchanged, beyond the bound",
    "  not chosen: /*: 292 changed and 7008 unchanged, beyond the bound",
    "  not chosen: /articles/*: 292 changed and 7008 unchanged, beyond the bound",
    "  not chosen: #author-bob: 2 changed and 6998 unchanged, beyond the bound",
  ]);
});

test("says so when there is nothing to invalidate", () => {
  const counts = { live: 1, tagged: new Map(), below: new Map() };
  const created = { route: "/a/", before: undefined, after: ["a-1"] };

  expect(coverText(reportOf(cover([created], counts, { useTags: true })))).toEqual([
    "Nothing to invalidate: no old copy of anything that changed.",
  ]);
});
