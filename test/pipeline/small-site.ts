import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cache } from "../../src/cache/cache.ts";
import { noCache } from "../../src/cache/none.ts";
import type { RunEvent, Summary } from "../../src/events.ts";
import {
  appendOnly,
  around,
  byMonth,
  byYear,
  contentPages,
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
  redirects,
  rowPage,
  sitemap,
  table,
  tag,
  text,
} from "../../src/index.ts";
import type { Cdn } from "../../src/invalidate/cdn.ts";
import { noCdn } from "../../src/invalidate/none.ts";
import { TERMS } from "../../src/invalidate/terms.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { exportHistory, importHistory } from "../../src/pipeline/route-history.ts";
import {
  type BuildOptions,
  build,
  exportTakedowns,
  importTakedowns,
  type Wired,
} from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { openSlots } from "../../src/publish/slots.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, listsOf, tablesOf } from "../../src/site.ts";
import { load } from "../../src/source/load.ts";
import { openSqliteSource } from "../../src/source/sqlite-source.ts";
import { openSqliteTarget } from "../../src/source/sqlite-target.ts";
import { type EmptyLedger, openEmptyLedger } from "./empty-ledger.ts";
import { smallFiles } from "./small-files.ts";

const name = text({ max: 60 });
const status = oneOf("draft", "published");

const posts = table("posts", {
  key: "id",
  columns: {
    id: int(),
    slug: name,
    title: text(),
    body: text(),
    author: name,
    topic: name.nullable(),
    status,
    published_at: instant(),
    expires_at: instant().nullable(),
    extra: json<{ readonly mood?: string }>().nullable(),
  },
});

const people = table("people", { key: "handle", columns: { handle: name, name: text() } });

const topics = table("topics", {
  key: ["topic", "post_id"],
  columns: {
    topic: name,
    post_id: int(),
    title: text(),
    status,
    published_at: instant(),
    expires_at: instant().nullable(),
  },
});

const moved = table("moved", {
  key: "from_route",
  columns: { from_route: name, to_route: name },
});

const visible = {
  show: { status: "published" },
  from: "published_at",
  until: "expires_at",
} as const;

const byTopic = list(topics, {
  ...visible,
  by: "topic",
  order: ["published_at", "post_id"],
  see: ["title", "published_at"],
  item: link("post", "post_id"),
  head: 2,
  cut: byYear("published_at", { max: 2 }),
});

const recent = list(posts, {
  ...visible,
  order: ["published_at", "id"],
  see: ["title"],
  item: link("post", "id"),
  head: 3,
  cut: byMonth("published_at", { max: 3 }),
});

const byAuthor = list(posts, {
  ...visible,
  by: "author",
  order: ["published_at", "id"],
  see: ["title", "slug"],
  links: (p) => ({ post: path`/posts/${p.slug}/`, namesake: path`/topics/${p.author}/` }),
  head: 2,
  cut: appendOnly({ max: 2 }),
});

/** A site with every kind, small enough for thousands of builds. */
export const SITE = defineSite({
  origin: "https://small.example",
  title: "Small",
  pages: {
    post: rowPage(posts, {
      ...visible,
      see: ["title", "author", "topic", "published_at"],
      route: (p) => path`/posts/${p.slug}/`,
      reads: {
        person: one(people, { key: "author", see: ["name"] }),
        near: around(byTopic, { part: "topic", at: ["published_at", "id"], before: 2, after: 1 }),
      },
      links: (p) => ({ author: path`/authors/${p.author}/`, topic: path`/topics/${p.topic}/` }),
      tags: (p) => [tag("author", p.author)],
      lastmod: "published_at",
      template: "post",
    }),
    note: rowPage(posts, {
      ...visible,
      see: ["title", "body", "extra"],
      route: (p) => path`/notes/${p.id}/`,
      reads: { fellows: count(byTopic, { part: "topic", fanout: "accepted" }) },
      html: { body: markdown("body") },
      // Whether it exists depends on other rows.
      links: (p) => ({ namesake: path`/authors/${p.topic}/` }),
      // Nothing but a header tells the author, by another tag than a post has: each is evicted alone.
      tags: (p) => [tag("topic", p.topic), tag("by", p.author)],
      template: "note",
    }),
    topic: listPage(byTopic, { route: (part) => path`/topics/${part}/`, template: "list" }),
    author: listPage(byAuthor, {
      route: (part) => path`/authors/${part}/`,
      reads: { person: one(people, { key: "part", see: ["name"] }) },
      template: "list",
    }),
    all: listPage(recent, { route: () => path`/all/`, template: "list" }),
    home: page({
      route: "/",
      reads: { latest: newest(recent, 3), total: count(recent) },
      template: "home",
    }),
    content: contentPages({ folder: "pages", template: "note" }),
    // After the others by its name, so that nothing but the phases puts redirects before what links to them.
    redirect: redirects({
      template: "moved",
      table: { table: moved, from: "from_route", to: "to_route" },
    }),
    sitemap: sitemap({ route: "/sitemap.xml", template: "index", part: "urls", max: 4 }),
  },
});

const TEMPLATES: Readonly<Record<string, string>> = {
  post: `<h1><%= it.row.title %></h1>
<% if (it.row.title === "throw") { throw new Error("asked for"); } %>
<p><%= it.person?.name ?? it.row.author %> <% for (const href of [it.hrefs.author, it.hrefs.topic]) { if (href) { %><a href="<%= href %>">more</a><% } } %></p>
<% for (const e of [...it.near.before, ...it.near.after]) { %><%~ include("entry", e) %><% } %>
<img src="<%= asset("mark.svg") %>" alt="">`,
  note: `<h1><%= it.title ?? it.row.title %></h1><%~ it.html.body %><%= it.row?.extra?.mood ?? "" %><%= it.fellows ?? "" %><%= it.hrefs?.namesake ?? "" %>`,
  list: `<h1><%= it.part ?? "all" %> <%= it.window?.name ?? "head" %> <%= it.person?.name ?? "" %></h1>
<% for (const e of it.entries) { %><%~ include("entry", e) %><% } %>
<% for (const a of it.archive) { %><a href="<%= a.href %>"><%= a.name %></a><% } %>`,
  home: `<%= it.total %> <% for (const e of it.latest) { %><%~ include("entry", e) %><% } %>`,
  entry: `<a href="<%= it.href ?? it.hrefs.post ?? "-" %>"><%= it.title %></a><%= it.hrefs.namesake ?? "" %>`,
  moved: `<a href="<%= it.href %>">moved</a><link rel="canonical" href="<%= it.target %>">`,
  index: `<% for (const s of it.sitemaps) { %><loc><%= url(s.route) %></loc><% } %>`,
  urls: `<% for (const u of it.urls) { %><loc><%= url(u.route) %></loc><lastmod><%= u.lastmod === undefined ? "" : time(u.lastmod) %></lastmod><% } %>`,
};

const ABOUT = "---\ntitle: About\n---\nSee [home](/) and [1](/notes/1/).";

/** What stands in a small site's folder: texts by path. */
export const FILES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(TEMPLATES).map(([name, text]) => [`templates/${name}.eta`, text]),
  ),
  "assets/mark.svg": "<svg/>",
  "pages/about.md": ABOUT,
  "redirects.txt": "# Old routes\n",
};

/** A disk in memory, on Linux: ledgers sync each commit, and there are thousands of builds. */
const MEMORY = "/dev/shm";

/** A folder with templates, content and an empty embedded source; deletes itself when disposed. */
export async function smallSite(): Promise<SmallSite> {
  const dir = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "nightbake-small-"));
  await Promise.all(["templates", "assets", "pages", "rows"].map((each) => mkdir(join(dir, each))));
  await Promise.all([
    ...Object.entries(FILES).map(([file, text]) => writeFile(join(dir, file), text)),
    writeFile(join(dir, "rows", "posts.ndjson"), ""),
  ]);
  const source = join(dir, "source.db");
  await using target = await openSqliteTarget(source);
  const tables = tablesOf(SITE.kinds);
  await load({ dir: join(dir, "rows"), tables, lists: listsOf(SITE.kinds), target });
  return { dir, source, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

export interface SmallSite extends AsyncDisposable {
  readonly dir: string;
  /** The SQLite file that holds the rows. */
  readonly source: string;
}

export interface WiringParts {
  /** File of the ledger below the site's folder; one that is open stays so. */
  readonly ledger: string | Ledger;
  readonly store: ObjectStore;
  readonly cdn?: Cdn;
  /** None are kept by default. */
  readonly bodies?: Cache;
}

/** Opens a pipeline over a small site with real parts; templates and content are read anew. */
export async function openSmall(site: SmallSite, parts: WiringParts): Promise<Wired> {
  await using stack = new AsyncDisposableStack();
  const files = await smallFiles(SITE, site.dir);
  const source = stack.use(await openSqliteSource(site.source));
  const ledger =
    typeof parts.ledger === "string"
      ? stack.use(await openSqliteLedger(join(site.dir, parts.ledger)))
      : parts.ledger;
  const open = stack.move();
  const close = () => open.disposeAsync();
  return { ...wiredWith(parts), ...files, source, ledger, [Symbol.asyncDispose]: close };
}

/** What is neither in files nor in databases. */
function wiredWith({ store, cdn, bodies }: Omit<WiringParts, "ledger">) {
  return {
    site: SITE,
    store,
    cdn: cdn ?? noCdn,
    terms: TERMS,
    bodies: bodies ?? noCache,
    bodyEngine: Buffer.from("engine"),
    deleteShare: 1,
    slots: openSlots({ concurrency: 4, sleep: async () => {} }),
    sleep: async () => {},
  };
}

/** One build; gives its summary and all it told. */
export async function bake(
  wired: Wired,
  options: Partial<BuildOptions> = {},
): Promise<Summary & { readonly events: readonly RunEvent[] }> {
  const events: RunEvent[] = [];
  const summary = await build(wired, {
    allowDeletes: true,
    isDryRun: false,
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    ...options,
  });
  return { ...summary, events };
}

/**
 * What a build of nothing but rows, templates, content, the route history and what is taken down
 * publishes, without the marker. Those are the site's ledger's by default.
 */
export async function scratch(
  site: SmallSite,
  now: number,
  options: {
    readonly history?: readonly string[];
    readonly rewire?: (wired: Wired) => Wired;
  } = {},
): Promise<ReadonlyMap<string, Artifact>> {
  const inputs = await inputsOf(site);
  const { history = inputs.history, rewire = (same) => same } = options;
  const objects = new Map<string, Artifact>();
  const files = await smallFiles(SITE, site.dir);
  await using source = await openSqliteSource(site.source);
  await using parts = await borrowLedger();
  const close = async () => {};
  const wired = rewire({
    ...wiredWith({ store: memoryStore(objects) }),
    ...files,
    source,
    ledger: parts.ledger,
    [Symbol.asyncDispose]: close,
  });
  if (history.length > 0) await importHistory(wired, history, "history");
  const { signal } = new AbortController();
  const { bars } = inputs;
  if (bars.length > 0) await importTakedowns(wired, bars, { file: "bars", signal });
  await bake(wired, { now: () => now });
  return served(objects);
}

/** Ledgers of builds from scratch that are done. */
const spare: EmptyLedger[] = [];

async function borrowLedger(): Promise<AsyncDisposable & { readonly ledger: Ledger }> {
  const borrowed = spare.pop() ?? (await openEmptyLedger());
  borrowed.empty();
  return {
    ledger: borrowed.ledger,
    async [Symbol.asyncDispose]() {
      spare.push(borrowed);
    },
  };
}

/** The route history and what is taken down, by the ledger of `World`s below the site's folder. */
async function inputsOf(
  site: SmallSite,
): Promise<{ readonly history: readonly string[]; readonly bars: readonly string[] }> {
  const file = join(site.dir, "ledger.db");
  if (!existsSync(file)) return { history: [], bars: [] };
  await using opened = await openSqliteLedger(file);
  const history = await Array.fromAsync(exportHistory(opened));
  return { history, bars: await Array.fromAsync(exportTakedowns(opened)) };
}

/** Objects that readers can see, in order of key. */
export function served(objects: ReadonlyMap<string, Artifact>): ReadonlyMap<string, Artifact> {
  const keys = [...objects.keys()].filter((key) => !key.startsWith(".")).sort();
  return new Map(keys.map((key) => [key, objects.get(key) as Artifact]));
}

/** Objects as text, to compare byte for byte and header for header. */
export function shown(objects: ReadonlyMap<string, Artifact>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...objects].map(([key, { body, hash: _, ...headers }]) => [
      key,
      JSON.stringify([Buffer.from(body).toString("utf8"), headers]),
    ]),
  );
}

/** What differs between two stores as {@link shown} gives them: short, however large they are. */
export function differences(
  actual: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): readonly string[] {
  const keys = [...new Set([...Object.keys(actual), ...Object.keys(expected)])].sort();
  return keys
    .filter((key) => actual[key] !== expected[key])
    .map((key) => `${key} is ${actual[key] ?? "absent"}, not ${expected[key] ?? "absent"}`);
}
