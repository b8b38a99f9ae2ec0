import { type Article, isVisible, readArticles } from "./articles.ts";
import { type Listing, viewerPath } from "./bucket.ts";
import type { CorpusDir } from "./corpus-dir.ts";
import { type Built, openStack, type Stack, type StackOptions } from "./stack.ts";
import { get, type Visit, visitAll } from "./viewer.ts";

/** The origin that the demo site declares. */
export const SITE = "https://example.com";
/** Eighteen articles of the corpus are to appear later. */
export const NOW = "2026-06-01T00:00:00Z";

/** A site after its first build, and all that its viewers saw. */
export interface Published extends AsyncDisposable {
  readonly stack: Stack;
  readonly first: Built;
  readonly listing: Listing;
  /** Every HTML page of the bucket as viewers get it, by path. */
  readonly visits: ReadonlyMap<string, Visit>;
  readonly visible: readonly Article[];
  /** Drafts, articles to come, and the slugs that no page can have. */
  readonly hidden: readonly Article[];
}

/** Loads the corpus, builds once and visits every page. */
export async function publish(options: StackOptions, corpus: CorpusDir): Promise<Published> {
  await using parts = new AsyncDisposableStack();
  const stack = parts.use(await openStack(options));
  await stack.load(corpus.dir);
  const first = await stack.build({ now: NOW });
  const listing = await stack.listing();
  const visits = await visitAll(stack.cdn.url, pagePaths(listing), SITE);
  const articles = await readArticles(corpus.keeps);
  const open = parts.move();
  return {
    stack,
    first,
    listing,
    visits,
    visible: articles.filter((article) => isVisible(article, NOW)),
    hidden: articles.filter((article) => !isVisible(article, NOW)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The viewer's paths of all HTML pages in a bucket. */
export function pagePaths(listing: Listing): readonly string[] {
  return [...listing.keys()].filter((key) => key.endsWith(".html")).map(viewerPath);
}

/** What all sitemaps of the index list, as the viewer's paths, sorted. */
export async function sitemapPaths({ cdn }: Stack): Promise<readonly string[]> {
  const parts = await locations(cdn.url, "/sitemap.xml");
  const lists = await Promise.all(parts.map((path) => locations(cdn.url, path)));
  return lists.flat().sort();
}

async function locations(origin: string, path: string): Promise<readonly string[]> {
  const { status, body } = await get(origin, path);
  if (status !== 200) throw new Error(`${path} answers ${status}.`);
  return [...body.matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, url = ""]) => new URL(url).pathname);
}
