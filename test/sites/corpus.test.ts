import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cdnKey } from "./cdn-key.ts";
import { type ArticleRow, buildCorpus, type CorpusSite, NOW } from "./corpus-site.ts";
import { htmlErrors, lenient, strict } from "./html-rules.ts";
import { type PageFacts, pageFacts } from "./page-facts.ts";
import { type Located, located, sitemapErrors } from "./sitemaps.ts";

const ORIGIN = "https://example.com";
/** Of this suite's own; the protocol allows 50,000. */
const MAX_URLS = 1000;
/** The rows whose slug makes no route. */
const isBad = ({ slug }: ArticleRow) => slug.startsWith("/");
/** Enough to see what is wrong. */
const SHOWN = 40;

let site: CorpusSite;
let pages: ReadonlyMap<string, PageFacts>;
let published: readonly ArticleRow[];
/** Tags that a folder on some machine could not tell apart, e.g. Analytics and analytics. */
let clashing: readonly string[];

beforeAll(async () => {
  site = await buildCorpus();
  const keys = site.keys.filter((key) => key.endsWith(".html"));
  const read = async (key: string) => [key, pageFacts(key, await site.read(key))] as const;
  pages = new Map(await Array.fromAsync(keys, read));
  published = site.articles.filter(
    ({ status, published_at }) => status === "published" && Date.parse(published_at) * 1000 <= NOW,
  );
  const tags = new Set(published.flatMap((row) => row.tags));
  const folded = Map.groupBy(tags, (tag) => tag.toLowerCase());
  clashing = [...folded.values()].filter((group) => group.length > 1).flat();
}, 300_000);

afterAll(async () => await site?.[Symbol.asyncDispose]());

describe("the corpus, built into a folder", () => {
  test("has a page for each published article that can have one, headed by its title", () => {
    const titles = published
      .filter((row) => !isBad(row))
      .map((row) => [keyOfArticle(row), [row.title.trim()]] as const);
    const found = keysIn("articles/").map((key) => [key, pages.get(key)?.h1] as const);

    expect(titles.length).toBeGreaterThan(4000);
    expect(found).toEqual(sorted(titles));
  });

  test("fails the two slugs that begin with a slash and the tags that differ only in case", () => {
    const rows = published.filter(isBad).map(({ id }) => ({
      kind: "article",
      key: String(id),
      code: "route_invalid",
      at: { table: "articles", key: String(id), column: "slug" },
    }));
    const tags = clashing.map((tag) => ({
      kind: "tag",
      key: tag,
      code: "route_taken",
      at: { kind: "tag", key: tag, route: `/tags/${tag}/` },
    }));
    const found = site.failed.map(({ kind, key, error: { code, at } }) => ({
      kind,
      key,
      code,
      at,
    }));

    expect([rows.length, tags.length]).toEqual([2, 4]);
    expect(sorted(found)).toEqual(sorted([...rows, ...tags]));
  });

  test("counts in its summary what failed and what is live", () => {
    const { failed, kinds } = site.summary;
    const counts = new Map(kinds.map((each) => [each.kind, [each.failed, each.live]]));

    expect(failed).toBe(6);
    expect(Object.fromEntries(counts)).toEqual({
      article: [2, keysIn("articles/").length],
      activity: [0, keysIn("people/").length],
      tag: [4, keysIn("tags/").length],
      asset: [0, keysIn("assets/").length],
      sitemap: [0, keysIn("sitemaps/").length + 1],
      content: [0, 2],
      home: [0, 1],
      "not-found": [0, 1],
      robots: [0, 1],
    });
    expect(site.summary.kinds.reduce((sum, { live }) => sum + (live ?? 0), 0)).toBe(
      site.keys.length,
    );
  });

  test("lists every published article once under each of its tags", () => {
    const tags = [...new Set(published.flatMap((row) => row.tags))].filter(
      (tag) => !clashing.includes(tag),
    );
    const listed = tags.map((tag) => [
      tag,
      sorted(listing(`tags/${tag}/`, ({ entries }) => entries)),
    ]);
    const wanted = tags.map((tag) => {
      const own = published.filter((row) => row.tags.includes(tag) && !isBad(row));
      return [tag, sorted(own.map(pathOfArticle))];
    });

    expect(tags.length).toBeGreaterThan(70);
    expect(listed).toEqual(wanted);
  });

  test("has a stream for each person who did something, with all of it", () => {
    const streams = [...site.activities.keys()].map((handle) => {
      const events = listing(`people/${handle}/activity/`, ({ events: count }) => [count]);
      return [handle, events.reduce((sum, count) => sum + count, 0)];
    });
    const people = new Set(keysIn("people/").map((key) => key.split("/")[1]));

    expect(streams).toEqual([...site.activities]);
    expect([...people].sort()).toEqual([...site.activities.keys()].sort());
  });

  test("shows drafts nowhere", () => {
    const drafts = site.articles.filter((row) => !published.includes(row));
    const keys = new Set(drafts.map(keyOfArticle));
    const open = new Set(published.map(({ title }) => title.trim()));
    const titles = new Set(drafts.map(({ title }) => title.trim()).filter((t) => !open.has(t)));
    const linked = problems(({ addresses }, url) =>
      addresses.filter((address) => keys.has(keyOf(address, url) ?? "")),
    );
    const listed = problems(({ key, h2 }) =>
      key.startsWith("articles/") ? [] : h2.filter((title) => titles.has(title.trim())),
    );

    expect(drafts).toHaveLength(87);
    expect(site.keys.filter((key) => keys.has(key))).toEqual([]);
    expect({ linked, listed }).toEqual({ linked: [], listed: [] });
  });
});

describe("every page of the corpus", () => {
  test("is valid HTML", { timeout: 300_000 }, async () => {
    const found: string[] = [];
    for (const key of pages.keys()) {
      const rules = key.startsWith("articles/") ? lenient : strict;
      const errors = htmlErrors(rules, await site.read(key));
      if (found.length < SHOWN) found.push(...errors.map((error) => `${key}:${error}`));
    }

    expect(pages.size).toBeGreaterThan(6000);
    expect(found).toEqual([]);
  });

  test("holds nothing that could run, and no error for a parser to mend", () => {
    expect(problems(({ dangers }) => dangers)).toEqual([]);
  });

  test("has a language, a title and one h1", () => {
    const found = problems(({ lang, title, h1 }) => {
      const named = h1.length === 1 && h1[0]?.trim() !== "" && title !== "";
      return lang === "en" && named ? [] : [JSON.stringify({ lang, title, h1 })];
    });

    expect(found).toEqual([]);
  });

  test("names its own address as the canonical one, and only 404.html is kept from indexes", () => {
    const found = problems(({ key, canonical, robots }) => {
      if (key === "404.html")
        return canonical === undefined && robots === "noindex" ? [] : ["listed"];
      const isEncoded = /^https:\/\/example\.com\/(?:[\w\-.~/]|%[0-9A-F]{2})*$/.test(
        canonical ?? "",
      );
      const isOwn = isEncoded && robots === undefined && cdnKey(canonical ?? "", ORIGIN) === key;
      return isOwn ? [] : [`canonical ${canonical}, robots ${robots}`];
    });

    expect(pages.has("404.html")).toBe(true);
    expect(found).toEqual([]);
  });

  test("links on this site only to files that are there", () => {
    expect(deadLinks(() => true)).toEqual([]);
  });
});

describe("the sitemaps of the corpus", () => {
  let sitemaps: ReadonlyMap<string, string>;
  let urls: readonly Located[];

  beforeAll(async () => {
    const keys = [...keysIn("sitemaps/"), "sitemap.xml"];
    const read = async (key: string) => [key, await site.read(key)] as const;
    sitemaps = new Map(await Array.fromAsync(keys, read));
    urls = [...sitemaps].flatMap(([key, xml]) => (key === "sitemap.xml" ? [] : located(xml)));
  });

  test("are valid by the protocol, and hold 1,000 addresses at most", async () => {
    const files = [...sitemaps].map(([fileName, contents]) => ({ fileName, contents }));
    const sizes = files.map(({ contents }) => located(contents).length);

    expect(await sitemapErrors(files)).toEqual([]);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_URLS);
  });

  test("are in the index once each, and robots.txt names the index", async () => {
    const named = located(sitemaps.get("sitemap.xml") ?? "").map(({ loc }) => loc);
    const files = keysIn("sitemaps/").map((key) => `${ORIGIN}/${key}`);

    expect(named.toSorted()).toEqual(files);
    expect(await site.read("robots.txt")).toContain(`\nSitemap: ${ORIGIN}/sitemap.xml\n`);
  });

  test("hold the canonical address of every page but 404.html, once", () => {
    const canonical = [...pages.values()].flatMap((page) => page.canonical ?? []);

    expect(urls.length).toBe(pages.size - 1);
    expect(urls.map(({ loc }) => loc).sort()).toEqual(canonical.sort());
  });

  test("date articles by their rows and lists by the newest that they show", () => {
    const rows = new Map(published.map((row) => [keyOfArticle(row), row.updated_at]));
    const found = urls.flatMap(({ loc, lastmod }) => {
      const key = cdnKey(loc, ORIGIN) ?? "";
      const newest = pages.get(key)?.times.toSorted().at(-1);
      // The times of a tag's entries are days.
      const wanted = /^(?:tags|people)\//.test(key) ? newest : rows.get(key);
      const shown = key.startsWith("tags/") ? lastmod?.slice(0, 10) : lastmod;
      return shown === wanted ? [] : [{ loc, lastmod, wanted }];
    });

    expect(found).toEqual([]);
  });
});

describe("the schema of sitemaps", () => {
  const loc = "<loc>https://example.com/</loc>";
  const set = (inner: string) =>
    `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${inner}</urlset>`;
  const cases: Readonly<Record<string, string>> = {
    "no address": set("<url><lastmod>2026-01-02</lastmod></url>"),
    "two addresses": set(`<url>${loc}${loc}</url>`),
    "no pages": set(""),
    "a route for an address": set("<url><loc>/articles/</loc></url>"),
    "an address that is not encoded": set("<url><loc>https://example.com/ü</loc></url>"),
    "an instant for a date": set(`<url>${loc}<lastmod>1735689600</lastmod></url>`),
    "an unknown element": set(`<url>${loc}<title>x</title></url>`),
    "another namespace": `<urlset xmlns="https://example.com/"><url>${loc}</url></urlset>`,
    "an ampersand": set("<url><loc>https://example.com/?a&b</loc></url>"),
  };

  test.each(Object.entries(cases))("refuses %s", async (_, contents) => {
    expect(await sitemapErrors([{ fileName: "sitemap.xml", contents }])).not.toEqual([]);
  });

  test("takes what the protocol allows", async () => {
    const full = `<url>${loc}<lastmod>2026-01-02T03:04:05Z</lastmod><changefreq>daily</changefreq><priority>0.5</priority></url>`;
    const contents = set(`<url>${loc}</url>${full}`);

    expect(await sitemapErrors([{ fileName: "sitemap.xml", contents }])).toEqual([]);
  });
});

function keysIn(folder: string): readonly string[] {
  return site.keys.filter((key) => key.startsWith(folder));
}

/** What a list shows in all: on its archive pages, or on its head if it has none. */
function listing<T>(folder: string, read: (page: PageFacts) => readonly T[]): readonly T[] {
  const archive = keysIn(folder).filter((key) => /^\d+\//.test(key.slice(folder.length)));
  const keys = archive.length > 0 ? archive : [`${folder}index.html`];
  return keys.flatMap((key) => {
    const page = pages.get(key);
    return page === undefined ? [] : read(page);
  });
}

function deadLinks(counts: (key: string) => boolean): readonly string[] {
  const files = new Set(site.keys);
  return problems(({ addresses }, url) =>
    addresses.filter((address) => {
      const key = keyOf(address, url);
      return key !== undefined && !files.has(key) && counts(key);
    }),
  );
}

/** What `check` finds on any page, with the page; the first of it. */
function problems(check: (page: PageFacts, url: string) => readonly string[]): readonly string[] {
  return [...pages.values()]
    .flatMap((page) =>
      check(page, page.canonical ?? `${ORIGIN}/404.html`).map((found) => `${page.key}: ${found}`),
    )
    .slice(0, SHOWN);
}

/** The key behind an address on this site; what no browser could follow is its own key. */
function keyOf(address: string, url: string): string | undefined {
  try {
    return cdnKey(address, url);
  } catch {
    return `unreadable ${address}`;
  }
}

/** A slug that ends in "/" names the same folder as without. */
function keyOfArticle({ slug }: ArticleRow): string {
  return `articles/${slug.replace(/\/$/, "")}/index.html`;
}

/** As a browser requests it: every byte but RFC 3986's unreserved ones and "/" is encoded. */
function pathOfArticle(row: ArticleRow): string {
  const bytes = [...Buffer.from(keyOfArticle(row).replace(/index\.html$/, ""))].map((byte) => {
    const char = String.fromCharCode(byte);
    return /[\w\-.~/]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `/${bytes.join("")}`;
}

function sorted<T>(values: readonly T[]): readonly T[] {
  return values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
