import type { ChangedObject } from "../src/invalidate/changed.ts";
import { digest } from "../src/site.ts";
import { corpus } from "../test/corpus.ts";

/** A live object and its tags, its own first. */
export interface Live {
  readonly route: string;
  readonly tags: readonly string[];
}

/** An article and the pages that show it. */
export interface Shown {
  readonly page: Live;
  readonly author: string;
  readonly tags: readonly string[];
  /** Its neighbours in its main tag, and the windows of its tags. */
  readonly beside: readonly Live[];
}

/** The demo site's pages as far as invalidation goes; articles by date. */
export interface CoverSite {
  readonly live: readonly Live[];
  readonly articles: readonly Shown[];
  /** A person's activity pages, by handle. */
  readonly activity: ReadonlyMap<string, readonly Live[]>;
}

interface Article {
  readonly slug: string;
  readonly author_handle: string;
  readonly tags: readonly string[];
  readonly published_at: string;
  readonly status: string;
}

const PER_WINDOW = 50;
const PER_STREAM = 100;
const NEIGHBOURS = 3;

/** The corpus so many times, its authors and tags the same, so that these grow with the site. */
export async function coverSite(copies: number): Promise<CoverSite> {
  const rows = (await Array.fromAsync(corpus<Article>("articles"))).filter(
    ({ status }) => status === "published",
  );
  const times = Array.from({ length: copies }, (_, copy) => (copy === 0 ? "" : `-copy-${copy}`));
  const articles = times
    .flatMap((end) => rows.map((row) => ({ ...row, slug: `${row.slug}${end}` })))
    .sort((a, b) => (a.published_at < b.published_at ? -1 : 1));
  const pages = articles.map(({ slug, author_handle }) =>
    live("article", `/articles/${slug}/`, `author-${short(author_handle)}`),
  );
  const near = neighbours(articles, pages);
  const windows = tagWindows(articles);
  const activity = await streams(copies);
  const shown = articles.map(({ author_handle: author, tags }, at): Shown => {
    const page = pages[at] ?? live("article", "/");
    return { page, author, tags, beside: [...(near[at] ?? []), ...(windows.of[at] ?? [])] };
  });
  const others = [live("home", "/"), live("content", "/about/"), live("robots", "/robots.txt")];
  const all = [...pages, ...windows.all, ...[...activity.values()].flat(), ...others];
  return { live: all, articles: shown, activity };
}

/** The change of an object whose tags stay. */
export function edited({ route, tags }: Live): ChangedObject {
  return { route, before: tags, after: tags };
}

function live(kind: string, route: string, ...declared: readonly string[]): Live {
  return { route, tags: [`${kind}-${short(route)}`, kind, ...declared] };
}

function short(text: string): string {
  return digest(text).toString("hex").slice(0, 16);
}

function neighbours(
  articles: readonly Article[],
  pages: readonly Live[],
): readonly (readonly Live[])[] {
  const found: (readonly Live[])[] = articles.map(() => []);
  for (const [main, own] of Map.groupBy(articles.keys(), (at) => articles[at]?.tags[0])) {
    if (main === undefined) continue;
    for (const [place, at] of own.entries()) {
      const around = own.slice(Math.max(0, place - NEIGHBOURS), place + NEIGHBOURS + 1);
      found[at] = around.flatMap((each) => (each === at ? [] : (pages[each] ?? [])));
    }
  }
  return found;
}

/** A tag's head page and its years, cut at fifty entries; an article is in its window, the newest on the head too. */
function tagWindows(articles: readonly Article[]) {
  const all: Live[] = [];
  const of = articles.map((): Live[] => []);
  const uses = articles.flatMap(({ tags, published_at }, at) =>
    [...new Set(tags)].map((tag) => ({ tag, at, year: published_at.slice(0, 4) })),
  );
  const add = (route: string, entries: readonly { readonly at: number }[]) => {
    const page = live("tag", route);
    all.push(page);
    for (const { at } of entries) of[at]?.push(page);
  };
  for (const [tag, entries] of Map.groupBy(uses, (use) => use.tag)) {
    add(`/tags/${tag}/`, entries.slice(-PER_WINDOW));
    if (entries.length <= PER_WINDOW) continue;
    for (const [year, own] of Map.groupBy(entries, (use) => use.year)) {
      for (let n = 0; n * PER_WINDOW < own.length; n += 1) {
        const window = own.slice(n * PER_WINDOW, (n + 1) * PER_WINDOW);
        add(`/tags/${tag}/${year}/${n === 0 ? "" : `${n + 1}/`}`, window);
      }
    }
  }
  return { all, of };
}

async function streams(copies: number): Promise<ReadonlyMap<string, readonly Live[]>> {
  const counts = new Map<string, number>();
  for await (const { actor_handle: who } of corpus<{ readonly actor_handle: string }>(
    "activities",
  )) {
    counts.set(who, (counts.get(who) ?? 0) + copies);
  }
  const pagesOf = (who: string, count: number) =>
    Array.from({ length: 1 + Math.floor(count / PER_STREAM) }, (_, n) =>
      live("activity", `/people/${who}/activity/${n === 0 ? "" : `${n}/`}`),
    );
  return new Map([...counts].map(([who, count]) => [who, pagesOf(who, count)]));
}
