import { describe, expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import {
  around,
  byYear,
  count,
  defineSite,
  instant,
  int,
  json,
  link,
  list,
  listPage,
  markdown,
  newest,
  one,
  oneOf,
  page,
  path,
  type Refs,
  redirects,
  rowPage,
  type SiteDefinition,
  table,
  tag,
  text,
} from "../../src/index.ts";

const users = table("users", {
  key: "handle",
  columns: { handle: text({ max: 50 }), name: text() },
});
const articles = table("articles", {
  key: "id",
  columns: {
    id: int(),
    slug: text({ max: 50 }),
    title: text(),
    author: text({ max: 50 }),
    reviewer: int(),
    topic: text({ max: 50 }).nullable(),
    tags: json(),
    status: oneOf("draft", "published"),
    published_at: instant(),
    expires_at: instant().nullable(),
  },
});
const byTopic = list(articles, {
  order: ["published_at", "id"],
  item: link("article", "id"),
  cut: byYear("published_at"),
});

function problemsOf(pages: SiteDefinition["pages"], origin = "https://example.com") {
  try {
    defineSite({ origin, title: "T", pages });
  } catch (error) {
    if (error instanceof PipelineError) return error.problems.map(({ place }) => place);
    throw error;
  }
  return [];
}

const article = rowPage(articles, {
  see: ["title"],
  route: (a) => path`/articles/${a.slug}/`,
  template: "article",
});

describe("a definition that types allow and cannot work is refused, naming every place", () => {
  test("a sound one passes", () => {
    const home = page({ route: "/", template: "home", reads: { latest: newest(byTopic, 5) } });

    expect(problemsOf({ article, home })).toEqual([]);
  });

  test("several problems come at once", () => {
    const broken = rowPage(articles, {
      see: ["title"],
      route: () => path`articles/`,
      template: "article",
      lastmod: "title",
    });

    expect(problemsOf({ article: broken }, "example.com/")).toEqual([
      "origin",
      "pages.article.route",
      "pages.article.route",
      "pages.article.lastmod",
    ]);
  });

  test.each([
    ["newest", newest(byTopic, 5)],
    ["number", count(byTopic)],
  ])("the %s of a list on every row's page", (_, latest) => {
    const reads = { latest };
    const broken = rowPage(articles, {
      see: ["title"],
      route: (a) => path`/articles/${a.slug}/`,
      template: "article",
      reads,
    });

    expect(problemsOf({ article: broken })).toEqual(["pages.article.reads.latest"]);
  });

  test("unless it is said to be meant", () => {
    const fanout = { fanout: "accepted" } as const;
    const reads = { latest: newest(byTopic, 5, fanout), total: count(byTopic, fanout) };
    const meant = rowPage(articles, {
      see: ["title"],
      route: (a) => path`/articles/${a.slug}/`,
      template: "article",
      reads,
    });

    expect(problemsOf({ article: meant })).toEqual([]);
  });

  test("redirects that a table cannot declare, and a second kind of them", () => {
    const columns = { from: text({ max: 50 }), to: text({ max: 50 }) };
    const sound = table("moved", { key: "from", columns });
    const other = table("other", { key: ["from", "to"], columns });
    const numbered = table("numbered", { key: "id", columns: { id: int(), to: json() } });
    const parts = { template: "redirect" };
    const declared = { table: sound, from: "from", to: "to" } as const;

    expect(problemsOf({ article, moved: redirects({ ...parts, table: declared }) })).toEqual([]);
    expect(
      problemsOf({ moved: redirects({ ...parts, table: { ...declared, table: other } }) }),
    ).toEqual(["pages.moved.table.from"]);
    const wrong = redirects({ ...parts, table: { table: numbered, from: "id", to: "to" } });
    expect(problemsOf({ wrong })).toEqual(
      expect.arrayContaining(["pages.wrong.table.from", "pages.wrong.table.to"]),
    );
    expect(problemsOf({ one: redirects(parts), two: redirects(parts) })).toEqual(["pages.two"]);
  });

  test("a route from a column that may be NULL", () => {
    const broken = rowPage(articles, {
      see: ["title"],
      route: (a) => path`/articles/${a.topic}/`,
      template: "article",
    });

    expect(problemsOf({ article: broken })).toEqual(["pages.article.route"]);
  });

  test("an order that leaves ties, and a cut by another column", () => {
    const loose = list(articles, { order: ["published_at"], cut: byYear("expires_at") });
    const all = listPage(loose, { route: () => path`/all/`, template: "listing" });

    expect(problemsOf({ article, all })).toEqual(["list articles.order", "list articles.cut"]);
  });

  test("two lists of one name", () => {
    const other = list(articles, { order: ["published_at", "id"], cut: byYear("published_at") });
    const first = listPage(byTopic, { route: () => path`/a/`, template: "listing" });
    const second = listPage(other, { route: () => path`/b/`, template: "listing" });

    expect(problemsOf({ article, first, second })).toEqual(["list articles"]);
  });

  test("an entry that leads to a kind that is not there", () => {
    const home = page({ route: "/", template: "home", reads: { latest: newest(byTopic, 5) } });

    expect(problemsOf({ home })).toEqual(["list articles.item"]);
  });

  test.each([
    ["out of its folder", path`/../${{ ref: "slug" }}/`],
    ["with an empty part", path`/a//${{ ref: "slug" }}/`],
    ["with a query", path`/a?${{ ref: "slug" }}/`],
    ["whose slug would be the file's extension", path`/${{ ref: "slug" }}`],
  ])("a route %s", (_, template) => {
    const broken = rowPage(articles, {
      see: ["title"],
      route: () => template,
      template: "article",
    });

    expect(problemsOf({ article: broken })).toEqual(["pages.article.route"]);
  });

  test("a page in the place of the store's marker", () => {
    const marker = page({ route: "/.nightbake.json", template: "x" });

    expect(problemsOf({ marker })).toEqual(["pages.marker.route"]);
  });

  test("caching that no header can say, and a language that is none", () => {
    const cache = { maxAge: 1.5, sMaxAge: -1, staleIfError: 31_536_001, maxage: 3 };
    const home = page({ route: "/", template: "home", cache, language: "not a language" });

    expect(problemsOf({ home })).toEqual([
      "pages.home.cache.maxAge",
      "pages.home.cache.sMaxAge",
      "pages.home.cache.staleIfError",
      "pages.home.cache.maxage",
      "pages.home.language",
    ]);
    const sound = page({ route: "/", template: "home", cache: { maxAge: 0 }, language: "de" });
    expect(problemsOf({ sound })).toEqual([]);
  });

  test("a shown JSON value, which has no one form to compare", () => {
    const broken = rowPage(articles, {
      show: { tags: ["a"] },
      see: ["title"],
      route: (a) => path`/articles/${a.slug}/`,
      template: "article",
    });

    expect(problemsOf({ article: broken })).toEqual(["pages.article.show"]);
  });

  test("unless a shown word is NULL, where its column may be", () => {
    const moods = table("moods", {
      key: "id",
      columns: { id: int(), mood: oneOf("sad", "glad").nullable() },
    });
    const route = (row: Refs<{ id: number }>) => path`/moods/${row.id}/`;
    const mood = rowPage(moods, { show: { mood: null }, see: [], route, template: "mood" });

    expect(problemsOf({ mood })).toEqual([]);
  });

  test("a shown value that its column never holds", () => {
    const show = { status: "publish" } as unknown as { readonly status: "published" };
    const broken = rowPage(articles, {
      show,
      see: ["title"],
      route: (a) => path`/articles/${a.slug}/`,
      template: "article",
    });

    expect(problemsOf({ article: broken })).toEqual(["pages.article.show"]);
  });

  test("a name that could not stand in SQL", () => {
    const evil = table("a; drop table users", { key: "id", columns: { id: int() } });
    const kind = rowPage(evil, { see: ["id"], route: (a) => path`/x/${a.id}/`, template: "x" });

    expect(problemsOf({ kind })).toEqual(["table a; drop table users"]);
  });
});

describe("what types refuse (checked by tsc)", () => {
  test("columns that are not there", () => {
    const wrong = { template: "x", route: () => path`/x/` };
    // @ts-expect-error: no such column to see
    rowPage(articles, { ...wrong, see: ["titel"] });
    // @ts-expect-error: no such column in the route
    rowPage(articles, { ...wrong, see: [], route: (a) => path`/${a.slugg}/` });
    // @ts-expect-error: no such column in a tag
    rowPage(articles, { ...wrong, see: [], tags: (a) => [tag("a", a.autor)] });
    // @ts-expect-error: no such column of the joined table
    one(users, { key: "author", see: ["nam"] });
    const byAutor = one(users, { key: "autor", see: ["name"] });
    // @ts-expect-error: no such own column to join by
    rowPage(articles, { ...wrong, see: [], reads: { a: byAutor } });
    // @ts-expect-error: a body must be seen to be rendered
    rowPage(articles, { ...wrong, see: ["slug"], html: { body: markdown("title") } });
    // @ts-expect-error: no such key column
    table("t", { key: "idd", columns: { id: int() } });
    // @ts-expect-error: no such member of what is said of caches
    page({ route: "/", template: "x", cache: { maxage: 60 } });
    // @ts-expect-error: no such order column
    list(articles, { order: ["publishd_at", "id"], cut: byYear("published_at") });
    // @ts-expect-error: no such partition
    list(articles, { by: "topik", order: ["id"], cut: byYear("published_at") });

    expect(true).toBe(true);
  });

  test("values of another type", () => {
    const wrong = { template: "x", see: [] as const, route: () => path`/x/` };
    // @ts-expect-error: a number is no user's handle
    rowPage(articles, { ...wrong, reads: { a: one(users, { key: "reviewer", see: ["name"] }) } });
    // @ts-expect-error: no such status
    rowPage(articles, { ...wrong, show: { status: "publish" } });
    const byAuthor = list(articles, { by: "author", order: ["id"], cut: byYear("published_at") });
    const near = { part: "reviewer", before: 1, after: 1 } as const;
    // @ts-expect-error: a number is no author
    rowPage(articles, { ...wrong, reads: { near: around(byAuthor, near) } });
    const computed = (a: Refs<{ slug: string }>) =>
      // @ts-expect-error: columns are references, so nothing can be computed
      path`/${a.slug.toLowerCase()}/`;

    expect(computed).toThrow(TypeError);
  });
});
