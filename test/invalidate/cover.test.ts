import { describe, expect, test } from "vitest";
import { type ChangedObject, lookups } from "../../src/invalidate/changed.ts";
import { type CoverOptions, cover } from "../../src/invalidate/cover.ts";
import { article, articles, countsOf, edited, itemsOf, type Live } from "./changes.ts";

/** Covers edits of some of what is live; everything is known of the rest. */
function coverOf(
  changed: readonly ChangedObject[],
  live: readonly Live[],
  options: Partial<CoverOptions> = {},
) {
  return cover(changed, countsOf(live, lookups(changed)), { useTags: true, ...options });
}

const tag: Live = { route: "/tags/x/", tags: ["tag-x", "tag"] };
const feed: Live = { route: "/feed.xml", tags: ["feed-1", "feed"] };
/** 900 pages of others, so that the bound leaves room. */
const others = articles(900, "bob", 10_000);

describe("one object", () => {
  test("a page goes by its own tag, which is one item for both forms of its address", () => {
    const covered = coverOf([edited(article(1))], [article(1), tag, ...others]);

    expect(itemsOf(covered)).toEqual(["#article-1"]);
    expect(covered).toMatchObject({ objects: 1, usd: 0, calls: 1, load: { evicted: 0 } });
  });

  test("without tags it goes by both paths", () => {
    const covered = coverOf([edited(article(1))], [article(1), tag], { useTags: false });

    expect(itemsOf(covered)).toEqual(["/articles/1/", "/articles/1/index.html"]);
  });

  test("a file has one path, which is as cheap as a tag and surer", () => {
    expect(itemsOf(coverOf([edited(feed)], [feed, ...others]))).toEqual(["/feed.xml"]);
  });

  test.each([
    ["/a+b/", "/a%2Bb/"],
    ["/a%2Bb/", "/a%252Bb/"],
    ["/É/", "/%C3%89/"],
    ["/a*/", "/a%2A/"],
  ])("the path of %s is %s", (route, path) => {
    const covered = coverOf([edited({ route, tags: [] })], [feed]);

    expect(itemsOf(covered)).toEqual([path, `${path}index.html`]);
  });

  test("one that was never live needs nothing", () => {
    const { route, tags } = article(1);
    const covered = coverOf([{ route, before: undefined, after: tags }], [article(1)]);

    expect(covered).toMatchObject({ waves: [], objects: 0, usd: 0, seconds: 0 });
  });

  test("one whose old tags nobody knows goes by path", () => {
    const { route, tags } = article(1);

    const covered = coverOf([{ route, before: [], after: tags }], [article(1), ...others]);
    expect(itemsOf(covered)).toEqual(["/articles/1/", "/articles/1/index.html"]);
  });

  test("one that goes is evicted by its own tag, unless that lives on at another route", () => {
    const { route, tags } = article(1);
    const gone = [{ route, before: tags, after: undefined }];
    const elsewhere = { route: "/articles/new/", tags };

    expect(itemsOf(coverOf(gone, others))).toEqual(["#article-1"]);
    expect(itemsOf(coverOf(gone, [elsewhere, ...others], { evictedUsd: 0.1 }))).toEqual([
      "/articles/1/",
      "/articles/1/index.html",
    ]);
  });

  test("one that moves goes by its own tag at the old route, and needs nothing at the new one", () => {
    const { route, tags } = article(1);
    const moved = { route: "/articles/new/", tags };
    const changes = [
      { route, before: tags, after: undefined },
      { route: moved.route, before: undefined, after: tags },
    ];

    expect(itemsOf(coverOf(changes, [moved, ...others]))).toEqual(["#article-1"]);
  });

  test("tags beyond the fifty that CloudFront looks at count for nothing", () => {
    const filler = Array.from({ length: 49 }, (_, at) => `t-${at}`);
    const live = articles(20).map(({ route, tags: [own = ""] }) => {
      return { route, tags: [own, ...filler.map((each) => `${each}${own}`), "all"] };
    });

    expect(itemsOf(coverOf(live.map(edited), [...live, ...others]))).toHaveLength(20);
  });
});

describe("many objects", () => {
  test("renaming an author with 5,000 articles is one item", () => {
    const own = articles(5000);
    const covered = coverOf(own.map(edited), [...own, ...others], { monthItems: 1000 });

    expect(itemsOf(covered)).toEqual(["#author-ann"]);
    expect(covered).toMatchObject({ objects: 5000, usd: 0.005, calls: 1, seconds: 27 });
    expect(covered.byPath).toEqual({ items: 10_000, usd: 50 });
    expect(covered.load.evicted).toBe(0);
  });

  test("all pages of a kind go by the kind's tag, one left as it was goes with them", () => {
    const own = [...articles(60), ...others];
    const covered = coverOf(own.slice(1).map(edited), [...own, ...articlesOf("tag", 50)]);

    expect(itemsOf(covered)).toEqual(["#article"]);
    expect(covered.load).toEqual({ items: 1, wildcards: 0, evicted: 1 });
    expect(covered.share).toBeCloseTo(1 / 1010);
  });

  test("without tags a folder goes by one wildcard", () => {
    const own = articles(300);
    const live = [...own, ...articlesOf("tag", 300)];

    expect(itemsOf(coverOf(own.map(edited), live, { useTags: false }))).toEqual(["/articles/*"]);
  });

  test("everything goes by one item when everything changed", () => {
    const live = Array.from({ length: 12 }, (_, n) => articlesOf(`kind${n}`, 10)).flat();

    expect(itemsOf(coverOf(live.map(edited), live))).toEqual(["/*"]);
  });

  test("a tag that pages got just now is on no old copy", () => {
    const live = articles(100, "new");
    const changes = live.map(({ route, tags }) => {
      return { route, before: [...tags.slice(0, 2), "author-old"], after: tags };
    });

    expect(itemsOf(coverOf(changes, [...live, ...others]))).toEqual(["#author-old"]);
  });

  test("a page made twice is evicted by what both old copies carry", () => {
    const live = articles(100);
    const twice = live.flatMap(({ route, tags }) => [
      { route, before: [...tags.slice(0, 2), "author-first"], after: [...tags, "second"] },
      { route, before: [...tags, "second"], after: tags },
    ]);
    const covered = coverOf(twice, [...live, ...articlesOf("tag", 500)]);

    expect(itemsOf(covered)).toEqual(["#article"]);
    expect(covered.objects).toBe(100);
  });

  test("a page made and made again in one run has an old copy", () => {
    const { route, tags } = article(1);
    const changes = [
      { route, before: undefined, after: tags },
      { route, before: tags, after: tags },
    ];

    expect(itemsOf(coverOf(changes, [article(1), ...others]))).toEqual(["#article-1"]);
  });

  test("what is not counted is not used", () => {
    const own = articles(100);
    const counts = { live: 1000, tagged: new Map(), below: new Map() };

    expect(itemsOf(cover(own.map(edited), counts, { useTags: true }))).toHaveLength(100);
  });

  test("counting is asked for where several share a tag or a folder, and where one goes", () => {
    const { route, tags } = tag;
    const gone = { route, before: tags, after: undefined };
    const changes = [...articles(2).map(edited), gone, edited(feed)];

    expect(lookups(changes)).toEqual({
      tags: ["article", "author-ann", "tag-x"],
      folders: ["/", "/articles/"],
    });
  });
});

describe("the bound and the budget", () => {
  /** 1,000 pages by Ann of which 900 changed, among 9,000 others. */
  const own = articles(1000);
  const live = [...own, ...articlesOf("tag", 9000)];
  const changes = own.slice(100).map(edited);

  test("few unchanged pages go along when that is cheaper", () => {
    const covered = coverOf(changes, live, { monthItems: 1000 });

    expect(covered.load).toEqual({ items: 1, wildcards: 0, evicted: 100 });
    expect(covered.share).toBe(0.01);
  });

  test("none go along when they weigh more than the items they save", () => {
    const covered = coverOf(changes, live, { monthItems: 1000, evictedUsd: 0.1 });

    expect(covered.load).toEqual({ items: 900, wildcards: 0, evicted: 0 });
    expect(covered.rejected).toContainEqual({
      item: "#author-ann",
      alone: 900,
      changed: 900,
      evicted: 100,
      why: "price",
    });
  });

  test("their share stays within the bound, whatever that costs", () => {
    const covered = coverOf(changes, live, { monthItems: 1000, maxShare: 0.009, budgetUsd: 1 });

    expect(covered).toMatchObject({ load: { evicted: 0 }, usd: 4.5, overBudgetUsd: 3.5 });
    expect(covered.rejected.map(({ item, why }) => [item, why])).toContainEqual(["/*", "share"]);
  });

  test("a budget widens the cover as far as the bound lets it", () => {
    const terms = { monthItems: 1000, evictedUsd: 0.1 };
    const covered = coverOf(changes, live, { ...terms, budgetUsd: 1 });

    expect(covered).toMatchObject({ load: { items: 1, evicted: 100 }, overBudgetUsd: 0 });
  });

  test("one that cannot be kept is told, and everything is evicted all the same", () => {
    const some = [article(1), tag, feed];
    const covered = coverOf(some.map(edited), [...some, ...others], {
      monthItems: 3000,
      budgetUsd: 10,
    });

    expect(itemsOf(covered)).toHaveLength(3);
    expect(covered.usd).toBeCloseTo(0.015);
    expect(covered.overBudgetUsd).toBeCloseTo(0.015);
  });

  test("an item weighs its price, and one that is free a fifth of it", () => {
    const some = [...articles(21), ...others];
    const evicted = (monthItems: number, evictedUsd: number) =>
      coverOf(articles(20).map(edited), some, { monthItems, evictedUsd, waveUsd: 0 }).load.evicted;

    // Nineteen items are saved by evicting one page that did not change.
    expect([evicted(1000, 0.094), evicted(1000, 0.096)]).toEqual([1, 0]);
    expect([evicted(0, 0.018), evicted(0, 0.02)]).toEqual([1, 0]);
  });

  test("the month's free items are free, the others are not", () => {
    const usd = (count: number) =>
      coverOf(singles(count).map(edited), [...singles(count), ...others], { monthItems: 990 }).usd;

    expect(usd(10)).toBe(0);
    expect(usd(30)).toBeCloseTo(0.1);
  });
});

describe("waves", () => {
  test("each holds what may be in progress, the first less by what others have in progress", () => {
    const own = singles(5000);
    const inProgress = { items: 1500, wildcards: 0 };
    const covered = coverOf(own.map(edited), [...own, ...others], { inProgress });

    expect(covered.waves.map(({ length }) => length)).toEqual([500, 2000, 2000, 500]);
    expect(covered).toMatchObject({ calls: 6, seconds: 112 });
    expect(new Set(itemsOf(covered)).size).toBe(5000);
  });

  test("wildcards have a limit of their own", () => {
    const live = Array.from({ length: 30 }, (_, n) => articlesOf(`kind${n}`, 200)).flat();
    const changes = live.filter(({ tags }) => tags[1] !== "kind0").map(edited);
    const covered = coverOf(changes, [...live, ...others], {
      useTags: false,
      inProgress: { items: 0, wildcards: 7 },
    });

    const wildcards = covered.waves.map((wave) => wave.filter((item) => item.endsWith("*")));
    expect(wildcards.map(({ length }) => length)).toEqual([5, 12, 12]);
    expect(covered.load).toEqual({ items: 29, wildcards: 29, evicted: 0 });
  });
});

/** So many pages of a kind below its own folder. */
function articlesOf(kind: string, count: number): readonly Live[] {
  return Array.from({ length: count }, (_, n) => {
    return { route: `/${kind}s/${n}/`, tags: [`${kind}-${n}`, kind] };
  });
}

/** Pages that share nothing but the site. */
function singles(count: number): readonly Live[] {
  return Array.from({ length: count }, (_, n) => ({ route: `/${n}/`, tags: [`own-${n}`] }));
}
