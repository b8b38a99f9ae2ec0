import {
  appendOnly,
  byMonth,
  byYear,
  firstOf,
  instant,
  int,
  json,
  link,
  list,
  oneOf,
  table,
  text,
} from "../../src/site.ts";

/** The corpus as tables and lists, like the demo site's. */
export const articles = table("articles", {
  key: "id",
  columns: {
    id: int(),
    slug: text({ max: 300 }),
    title: text({ max: 255 }),
    summary: text(),
    body_md: text(),
    author_handle: text({ max: 100 }),
    author_name: text({ max: 200 }),
    tags: json<readonly string[]>(),
    main_tag: text({ max: 100 }).nullable().from(firstOf("tags")),
    published_at: instant(),
    updated_at: instant(),
    expires_at: instant().nullable(),
    status: oneOf("draft", "published"),
    source_repo: text({ max: 200 }),
    licence: text({ max: 50 }),
  },
});

const users = table("users", {
  key: "handle",
  columns: { handle: text({ max: 100 }), name: text({ max: 200 }), joined_at: instant() },
});

const activities = table("activities", {
  key: "id",
  columns: {
    id: int(),
    actor_handle: text({ max: 100 }),
    verb: oneOf("published", "edited", "commented", "renamed", "deleted"),
    object_type: oneOf("article"),
    object_slug: text({ max: 300 }),
    object_title: text({ max: 255 }),
    occurred_at: instant(),
    message: text(),
  },
});

const friendships = table("friendships", {
  key: ["user_handle", "friend_handle"],
  columns: {
    user_handle: text({ max: 100 }),
    friend_handle: text({ max: 100 }),
    since: instant(),
  },
});

const copied = ["slug", "title", "status", "published_at", "expires_at"];

export const articleTags = table("article_tags", {
  key: ["tag", "article_id"],
  columns: {
    tag: text({ max: 100 }),
    article_id: int(),
    slug: text({ max: 300 }),
    title: text({ max: 255 }),
    status: oneOf("draft", "published"),
    published_at: instant(),
    expires_at: instant().nullable(),
  },
  fill: {
    of: articles,
    each: "tags",
    as: "tag",
    copy: { article_id: "id", ...Object.fromEntries(copied.map((name) => [name, name])) },
  },
});

export const demoTables = [articles, users, activities, friendships, articleTags];

const visible = {
  show: { status: "published" },
  from: "published_at",
  until: "expires_at",
} as const;

const recent = list(articles, {
  order: ["published_at", "id"],
  ...visible,
  see: ["slug", "title"],
  item: link("article", "id"),
  cut: byMonth("published_at"),
});

const byAuthor = list(articles, {
  by: "author_handle",
  order: ["published_at", "id"],
  ...visible,
  see: ["slug", "title"],
  cut: byYear("published_at"),
});

const byTag = list(articleTags, {
  by: "tag",
  order: ["published_at", "article_id"],
  ...visible,
  see: ["slug", "title"],
  cut: byYear("published_at"),
});

const byActor = list(activities, {
  by: "actor_handle",
  order: ["occurred_at", "id"],
  see: ["verb", "object_title", "occurred_at"],
  cut: appendOnly(),
});

export const demoLists = [recent, byAuthor, byTag, byActor];
