import type { DatabaseSync } from "node:sqlite";
import {
  appendOnly,
  around,
  byYear,
  contentPages,
  count,
  defineSite,
  instant,
  int,
  link,
  list,
  listPage,
  markdown,
  newest,
  one,
  oneOf,
  page,
  path,
  rowPage,
  sitemap,
  table,
  tag,
  text,
} from "../../src/index.ts";
import type { Failure, PlanContext } from "../../src/plan/context.ts";
import { planExistence } from "../../src/plan/exist.ts";
import { planFeeds } from "../../src/plan/feeds.ts";
import { decodeKey, encodeKey, type Kind, keyName, type Row } from "../../src/site.ts";
import { applyPlan, finishPlan, type PlanWorld, planRows, planWorld } from "./plan-world.ts";

/** The moment of all plans: 2024-06-01. */
export const NOW = at("2024-06-01");
export const HOUR = 3_600_000_000;

const name = text({ max: 60 });

export const people = table("people", {
  key: "handle",
  columns: { handle: name, name: text() },
});

export const posts = table("posts", {
  key: "id",
  columns: {
    id: int(),
    slug: name,
    title: text(),
    body: text().nullable(),
    author: name.nullable(),
    topic: name,
    /** A topic to show posts of. */
    section: name.nullable(),
    status: oneOf("draft", "published"),
    at: instant(),
    until: instant().nullable(),
  },
});

const visible = { show: { status: "published" }, from: "at", until: "until" } as const;

/** Two posts on the head page; three a page in the archive of a year. */
export const byTopic = list(posts, {
  ...visible,
  by: "topic",
  order: ["at", "id"],
  see: ["title", "at"],
  item: link("post", "id"),
  links: (post) => ({ author: path`/people/${post.author}/` }),
  head: 2,
  cut: byYear("at", { max: 3 }),
});

/** Two posts on the head page, three a page in the archive. */
export const stream = list(posts, {
  ...visible,
  name: "stream",
  order: ["at", "id"],
  see: ["title"],
  head: 2,
  cut: appendOnly({ max: 3 }),
});

/** One of each kind. */
export const SITE = defineSite({
  origin: "https://small.example",
  title: "Small",
  pages: {
    post: rowPage(posts, {
      ...visible,
      see: ["title", "body"],
      route: (post) => path`/posts/${post.slug}/`,
      reads: {
        author: one(people, { key: "author", see: ["name"] }),
        near: around(byTopic, { part: "section", before: 2, after: 1 }),
        fellows: count(byTopic, { part: "section", fanout: "accepted" }),
        latest: newest(byTopic, 1, { part: "section", fanout: "accepted" }),
      },
      links: (post) => ({ topic: path`/topics/${post.topic}/` }),
      html: { text: markdown("body") },
      tags: (post) => [tag("Author", post.author), tag("topic", post.topic)],
      lastmod: "at",
      template: "post",
    }),
    person: rowPage(people, {
      see: ["name"],
      route: (person) => path`/people/${person.handle}/`,
      template: "person",
    }),
    topic: listPage(byTopic, {
      route: (part) => path`/topics/${part}/`,
      reads: { posts: count(byTopic, { part: "part", fanout: "accepted" }) },
      tags: (part) => [tag("topic", part)],
      template: "list",
    }),
    stream: listPage(stream, { route: () => path`/stream/`, template: "list" }),
    home: page({
      route: "/",
      reads: { latest: newest(stream, 2), posts: count(stream) },
      links: { about: "/about/", topic: "/topics/x/" },
      template: "home",
    }),
    text: contentPages({ folder: "pages", template: "text" }),
    sitemap: sitemap({ route: "/sitemap.xml", template: "index", part: "urls", max: 4 }),
  },
});

export const ABOUT = { name: "about", title: "About", description: "Us", body: "*We*" };

/** A day's first moment, µs. */
export function at(day: string): number {
  return Date.parse(day) * 1000;
}

/** A post of its own, published an hour after the one before. */
export function post(id: number, parts: Row = {}): Row {
  const made = {
    slug: `p${id}`,
    title: `T${id}`,
    body: null,
    author: "ann",
    topic: "x",
    section: "x",
  };
  const moment = { status: "published", at: at("2024-01-01") + id * HOUR, until: null };
  return { id, ...made, ...moment, ...parts };
}

const ANN: Row = { handle: "ann", name: "Ann" };

/** Inserts rows, or replaces those with their keys. */
export function put(world: PlanWorld, table: { readonly name: string }, rows: readonly Row[]) {
  world.change((database) => {
    for (const row of rows) insert(database, table.name, row);
  });
}

/** The site with posts of these ids, of which no ledger knows. */
export async function postsWorld(ids: readonly number[]): Promise<PlanWorld> {
  const world = await planWorld(SITE, NOW);
  put(
    world,
    posts,
    ids.map((id) => post(id)),
  );
  return world;
}

function insert(database: DatabaseSync, name: string, row: Row): void {
  const [columns, values] = [Object.keys(row), Object.values(row)];
  const marks = columns.map(() => "?").join(", ");
  const sql = `INSERT OR REPLACE INTO ${name} (${columns.join(", ")}) VALUES (${marks})`;
  database.prepare(sql).run(...(values as (string | number | null | Uint8Array)[]));
}

export function drop(world: PlanWorld, ...ids: readonly number[]): void {
  world.change((database) => {
    for (const id of ids) database.prepare("DELETE FROM posts WHERE id = ?").run(id);
  });
}

/** A world with Ann, these posts and all their pages live. */
export async function openPosts(rows: readonly Row[]): Promise<PlanWorld> {
  const world = await planWorld(SITE, NOW);
  put(world, people, [ANN]);
  put(world, posts, rows);
  await applyAll(world);
  return world;
}

/** A world with these posts, and the pages of their lists live as if they had been made. */
export async function openLists(rows: readonly Row[]): Promise<PlanWorld> {
  const world = await planWorld(SITE, NOW);
  put(world, posts, rows);
  const made = { hash: Buffer.of(1), etag: undefined, bytes: 1, release: 1, lastmod: undefined };
  await world.plan("lists", async (context) => {
    for (const kind of SITE.kinds.filter(({ is }) => is === "list")) {
      await planExistence(kind, context);
    }
    const steps = await context.ledger.staged(context.run, { limit: 10_000 });
    const pages = steps.map((step) => ({ ...step, ...made, trace: Buffer.alloc(2) }));
    await context.ledger.confirm(context.run, pages);
  });
  return world;
}

/** Makes every page live that the rows ask for, sitemaps included. */
export async function applyAll(world: PlanWorld): Promise<void> {
  await world.plan("apply", async (plain) => {
    const { context } = telling(plain);
    const { notes } = await planRows(context, { isVerify: true });
    await applyPlan(context);
    await planFeeds(context, "all");
    await applyPlan(context);
    await finishPlan(context, notes);
  });
}

/** The same context with one text, which keeps what it is told instead of throwing. */
export function telling(plain: PlanContext) {
  const failures: Failure[] = [];
  const same: string[] = [];
  const context: PlanContext = {
    ...plain,
    content: new Map([["pages", [ABOUT]]]),
    onFailure: (failure) => failures.push(failure),
    onTouched: () => {},
    onSame: (kind, cause, pages) => same.push(`${pages} ${kind} by ${cause}`),
  };
  return { context, failures, same };
}

/** The failures in words. */
export function told(failures: readonly Failure[]): readonly string[] {
  return failures.map(({ page, error }) => {
    const who = page === undefined ? "a row" : `${page.kind}/${keyName(decodeKey(page.key))}`;
    return `${who}: ${error.code} ${JSON.stringify(error.at)}`;
  });
}

/** A kind of the site by its name. */
export function kindOf<K extends Kind["is"]>(is: K, name: string): Extract<Kind, { is: K }> {
  const kind = SITE.kinds.find((each) => each.name === name);
  if (kind?.is !== is) throw new Error(`There is no ${is} kind "${name}".`);
  return kind as Extract<Kind, { is: K }>;
}

export function idOf(kind: string, ...key: (string | number)[]) {
  return { kind, key: encodeKey(key) };
}

/** Makes the text of one column of these posts half a surrogate pair, which no row may hold. */
export function spoil(world: PlanWorld, column: string, ...ids: readonly number[]): void {
  const sql = `UPDATE posts SET ${column} = CAST(x'eda080' AS TEXT) WHERE id = ?`;
  world.change((database) => {
    for (const id of ids) database.prepare(sql).run(id);
  });
}

/** Makes the handles of these people begin with half a surrogate pair, which no key may hold. */
export function spoilHandles(world: PlanWorld, like = "%"): void {
  const sql = "UPDATE people SET handle = CAST(x'eda080' AS TEXT) || handle WHERE handle LIKE ?";
  world.change((database) => database.prepare(sql).run(like));
}
