import {
  appendOnly,
  around,
  byMonth,
  byYear,
  contentPages,
  defineSite,
  firstOf,
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
  redirects,
  rowPage,
  sitemap,
  table,
  tag,
  text,
} from "nightbake";

const status = oneOf("draft", "published");
const slug = text({ max: 400 });
const handle = text({ max: 200 });
const tagText = text({ max: 100 });

const articles = table("articles", {
  key: "id",
  columns: {
    id: int(),
    slug,
    title: text(),
    summary: text(),
    body_md: text(),
    author_handle: handle,
    author_name: text(),
    tags: json<readonly string[]>(),
    main_tag: tagText.nullable().from(firstOf("tags")),
    published_at: instant(),
    expires_at: instant().nullable(),
    updated_at: instant(),
    status,
    source_repo: text().nullable(),
    licence: text().nullable(),
  },
});

const users = table("users", {
  key: "handle",
  columns: { handle, name: text(), joined_at: instant() },
});

const activities = table("activities", {
  key: "id",
  columns: {
    id: int(),
    actor_handle: handle,
    verb: oneOf("published", "edited", "commented", "renamed", "deleted"),
    object_type: text(),
    object_slug: slug,
    object_title: text(),
    occurred_at: instant(),
    message: text(),
  },
});

/** A listing table: an article's row once for each of its tags, so that no query joins. */
const tagged = table("article_tags", {
  key: ["tag", "article_id"],
  columns: {
    tag: tagText,
    article_id: int(),
    title: text(),
    summary: text(),
    status,
    published_at: instant(),
    expires_at: instant().nullable(),
  },
  fill: {
    of: articles,
    each: "tags",
    as: "tag",
    copy: {
      article_id: "id",
      title: "title",
      summary: "summary",
      status: "status",
      published_at: "published_at",
      expires_at: "expires_at",
    },
  },
});

const visible = {
  show: { status: "published" },
  from: "published_at",
  until: "expires_at",
} as const;

const byTag = list(tagged, {
  ...visible,
  by: "tag",
  order: ["published_at", "article_id"],
  see: ["title", "summary", "published_at"],
  item: link("article", "article_id"),
  cut: byYear("published_at", { max: 50 }),
});

const recent = list(articles, {
  ...visible,
  order: ["published_at", "id"],
  see: ["title", "summary", "published_at", "author_name"],
  item: link("article", "id"),
  cut: byMonth("published_at", { max: 50 }),
});

const byActor = list(activities, {
  by: "actor_handle",
  order: ["occurred_at", "id"],
  links: (a) => ({ object: path`/articles/${a.object_slug}/` }),
  head: 50,
  cut: appendOnly({ max: 100 }),
});

export default defineSite({
  origin: "https://example.com",
  title: "Nightbake",
  description: "Bake the bread at night, sell it in the morning.",
  pages: {
    article: rowPage(articles, {
      ...visible,
      see: [
        "id",
        "slug",
        "title",
        "summary",
        "body_md",
        "author_handle",
        "author_name",
        "tags",
        "main_tag",
        "published_at",
        "updated_at",
      ],
      route: (a) => path`/articles/${a.slug}/`,
      reads: {
        author: one(users, { key: "author_handle", see: ["name"] }),
        near: around(byTag, { part: "main_tag", at: ["published_at", "id"], before: 3, after: 3 }),
      },
      html: { body: markdown("body_md") },
      links: (a) => ({
        author_activity: path`/people/${a.author_handle}/activity/`,
        main_tag: path`/tags/${a.main_tag}/`,
      }),
      tags: (a) => [tag("author", a.author_handle)],
      lastmod: "updated_at",
      template: "article",
    }),
    tag: listPage(byTag, { route: (part) => path`/tags/${part}/`, template: "listing" }),
    activity: listPage(byActor, {
      route: (person) => path`/people/${person}/activity/`,
      reads: { person: one(users, { key: "part", see: ["name"] }) },
      template: "activity",
    }),
    home: page({
      route: "/",
      reads: { latest: newest(recent, 20) },
      links: { about: "/about/", made: "/how-it-works/" },
      template: "home",
    }),
    content: contentPages({ folder: "pages", template: "content" }),
    redirect: redirects({ template: "redirect" }),
    "not-found": page({ route: "/404.html", template: "404", inSitemap: false }),
    robots: page({ route: "/robots.txt", template: "robots", inSitemap: false }),
    sitemap: sitemap({ route: "/sitemap.xml", template: "sitemap-index", part: "sitemap" }),
  },
});
