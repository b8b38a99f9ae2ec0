import type { KindHeaders } from "./caching.ts";
import type { AnyList, List, Visible } from "./list.ts";
import { appendOnly, visibility } from "./list.ts";
import type { AnyRead, Read } from "./read.ts";
import type { Ref, Refs, RouteTemplate } from "./route.ts";
import { refs } from "./route.ts";
import type { AnyTable, KeyPart, Row, Table } from "./table.ts";

/** A cache tag with a value from a column, e.g. `author:ann`. */
export interface TagTemplate {
  readonly name: string;
  readonly column: string;
}

/** A column holding Markdown, rendered and sanitised for the template as `html.NAME`. */
export interface MarkdownColumn {
  readonly column: string;
}

/** What every kind has. `name` is its name in the site definition. */
interface KindBase extends KindHeaders {
  readonly name: string;
  /** File below `templates/`, without `.eta`. */
  readonly template: string;
  /** Listed in the sitemap. */
  readonly inSitemap: boolean;
}

/** A page for each visible row of a table. */
export interface RowKind extends KindBase {
  readonly is: "row";
  readonly table: AnyTable;
  readonly visible: Visible;
  readonly see: readonly string[];
  readonly route: RouteTemplate;
  readonly reads: Readonly<Record<string, AnyRead>>;
  readonly html: Readonly<Record<string, MarkdownColumn>>;
  /** Routes the page may link to; `hrefs.NAME` is there only while that route exists. */
  readonly links: Readonly<Record<string, RouteTemplate>>;
  readonly tags: readonly TagTemplate[];
  /** Instant column that is the page's last change, for sitemaps and feeds. */
  readonly lastmod: string | undefined;
}

/** A head page and an archive for each partition of a list. */
export interface ListKind extends KindBase {
  readonly is: "list";
  readonly list: AnyList;
  /** Route of the head page; its column is `part`. Archive pages lie below it. */
  readonly route: RouteTemplate;
  readonly reads: Readonly<Record<string, AnyRead>>;
  readonly tags: readonly TagTemplate[];
}

/** One page with a fixed route. */
export interface SingleKind extends KindBase {
  readonly is: "single";
  readonly route: string;
  readonly reads: Readonly<Record<string, AnyRead>>;
  /** Routes it may link to; `hrefs.NAME` is there only while that route exists. */
  readonly links: Readonly<Record<string, string>>;
}

/** A page for each Markdown file below a folder of `content/`. */
export interface ContentKind extends KindBase {
  readonly is: "content";
  /** Folder below `content/`. */
  readonly folder: string;
}

/** The sitemap index and the sitemaps it names. */
export interface SitemapKind extends KindBase {
  readonly is: "sitemap";
  readonly route: string;
  /** Template of one sitemap; `template` is the index's. */
  readonly part: string;
  /** URLs in one sitemap at most. */
  readonly max: number;
}

/**
 * A page at each route that leads elsewhere: routes that pages left, and those that
 * `content/redirects.txt` and a table declare.
 */
export interface RedirectKind extends KindBase {
  readonly is: "redirect";
  /** The table's rows as a list by what they lead to, whose places are where they lead from. */
  readonly list: AnyList | undefined;
}

export type Kind = RowKind | ListKind | SingleKind | ContentKind | SitemapKind | RedirectKind;

/** A kind as the site definition writes it: its name is its place there. */
export type Unnamed<K extends Kind = Kind> = K extends Kind ? Omit<K, "name"> : never;

type Name<R extends Row> = keyof R & string;

/** Declares a page for each visible row. `see` is exactly what the template and the digest get. */
export function rowPage<R extends Row, K extends keyof R, const S extends Name<R>>(
  table: Table<R, K>,
  parts: Visible<R> &
    KindHeaders & {
      readonly see: readonly S[];
      readonly route: (row: Refs<R>) => RouteTemplate;
      readonly template: string;
      readonly reads?: Readonly<Record<string, Read<R>>>;
      readonly html?: Readonly<Record<string, MarkdownColumn & { readonly column: NoInfer<S> }>>;
      readonly links?: (row: Refs<R>) => Readonly<Record<string, RouteTemplate>>;
      readonly tags?: (row: Refs<R>) => readonly TagTemplate[];
      readonly lastmod?: Name<R>;
      readonly inSitemap?: boolean;
    },
): Unnamed<RowKind> {
  const { show, from, until, see, route, template, reads = {}, html = {}, links } = parts;
  const { tags, lastmod } = parts;
  return {
    is: "row",
    table,
    visible: visibility({ show, from, until }),
    see,
    route: route(refs<R>()),
    template,
    reads,
    html,
    links: links?.(refs<R>()) ?? {},
    tags: tags?.(refs<R>()) ?? [],
    lastmod,
    inSitemap: parts.inSitemap ?? true,
    ...kindHeaders(parts),
  };
}

/** Declares the head page and the archive of each partition of a list. */
export function listPage<P>(
  list: List<P>,
  parts: KindHeaders & {
    /** Gets the partition's value; a list without partitions has none. */
    readonly route: (part: Ref<P & KeyPart>) => RouteTemplate;
    readonly template: string;
    readonly reads?: Readonly<Record<string, Read<{ readonly part: P }>>>;
    readonly tags?: (part: Ref<P>) => readonly TagTemplate[];
    readonly inSitemap?: boolean;
  },
): Unnamed<ListKind> {
  const { route, template, reads = {}, tags, inSitemap = true } = parts;
  const part = { ref: "part" };
  return {
    is: "list",
    list,
    route: route(part),
    template,
    reads,
    tags: tags?.(part) ?? [],
    inSitemap,
    ...kindHeaders(parts),
  };
}

/** Declares one page with a fixed route, e.g. `/` or `/robots.txt`. */
export function page(
  parts: KindHeaders & {
    readonly route: string;
    readonly template: string;
    readonly reads?: Readonly<Record<string, Read<Record<never, never>>>>;
    readonly links?: Readonly<Record<string, string>>;
    readonly inSitemap?: boolean;
  },
): Unnamed<SingleKind> {
  const { route, template, reads = {}, links = {} } = parts;
  return {
    is: "single",
    route,
    template,
    reads,
    links,
    inSitemap: parts.inSitemap ?? route.endsWith("/"),
    ...kindHeaders(parts),
  };
}

/** Declares a page for each Markdown file in a folder of `content/`: `about.md` → `/about/`. */
export function contentPages(
  parts: KindHeaders & {
    readonly folder: string;
    readonly template: string;
  },
): Unnamed<ContentKind> {
  return { is: "content", ...parts, inSitemap: true };
}

/** sitemaps.org: at most 50,000 URLs a file; small ones keep a change's upload small. */
const SITEMAP_URLS = 1000;

/** Declares the sitemap index at `route` and the sitemaps of all kinds that are in it. */
export function sitemap(
  parts: KindHeaders & {
    readonly route: string;
    readonly template: string;
    readonly part: string;
    readonly max?: number;
  },
): Unnamed<SitemapKind> {
  return { is: "sitemap", ...parts, max: parts.max ?? SITEMAP_URLS, inSitemap: false };
}

/**
 * Declares the redirect pages. A site that has them keeps a route history: a page that moves leaves
 * one at its old route. `table` declares more: its key column `from` holds a route, `to` another or
 * an `https:` address; lines of `content/redirects.txt` say the same and win.
 */
export function redirects<R extends Row, K extends keyof R>(
  parts: KindHeaders & {
    readonly template: string;
    readonly table?: {
      readonly table: Table<R, K>;
      readonly from: K & Name<R>;
      readonly to: Name<R>;
    };
  },
): Unnamed<RedirectKind> {
  const { template, table: declared } = parts;
  const listed = declared && redirectList(declared.table, declared.from, declared.to);
  return { is: "redirect", template, list: listed, inSitemap: false, ...kindHeaders(parts) };
}

function kindHeaders({ cache, language }: KindHeaders): KindHeaders {
  return { cache, language };
}

function redirectList(table: AnyTable, from: string, to: string): AnyList {
  const name = `${table.name}_by_${to}`;
  const parts = { visible: {}, see: [], item: undefined, links: {}, head: 1 };
  return { name, table, by: to, order: [from], ...parts, cut: appendOnly() };
}

/** A cache tag from a column's value. */
export function tag(name: string, value: Ref): TagTemplate {
  return { name, column: value.ref };
}

/** Marks a column as Markdown: the template gets sanitised HTML. */
export function markdown<const C extends string>(column: C): { readonly column: C } {
  return { column };
}
