import { decodeKey, digest, encodeKey, type LoadedPage, type SitemapKind } from "../site.ts";
import { BATCH, type Found, type PlanContext } from "./context.ts";
import { type PlannedPage, plannedRange } from "./planned.ts";
import { record } from "./reads.ts";
import { pageTags } from "./tags.ts";

/**
 * The sitemap index and the sitemaps, in key order. Each sitemap covers a range of one kind's
 * keys; it begins where a page's key hashes to a seam, or where the one before is full, so that
 * inserting or deleting a page changes one sitemap and not all that follow.
 */
export async function* findSitemaps(
  kind: SitemapKind,
  context: PlanContext,
): AsyncGenerator<readonly Found[]> {
  yield [{ key: encodeKey([]), route: kind.route }];
  for (const name of coveredKinds(context)) {
    let count = 0;
    const found: Found[] = [];
    for await (const { key } of plannedRange(context, name, undefined)) {
      if (count === 0 || count === kind.max || isSeam(kind, key)) {
        found.push(sitemapOf(kind, name, count === 0 ? undefined : key));
        count = 0;
      }
      count += 1;
      if (found.length === BATCH) yield found.splice(0);
    }
    yield found;
  }
}

/** Loads the index or sitemaps; their one read is the pages of their range. */
export async function loadSitemaps(
  kind: SitemapKind,
  context: PlanContext,
  pages: readonly PlannedPage[],
): Promise<readonly LoadedPage[]> {
  return await Promise.all(
    pages.map(async (page) => {
      const isIndex = page.key.length === 0;
      const data = isIndex
        ? { sitemaps: await sitemapsOf(kind, context) }
        : { urls: await urlsOf(kind, context, page) };
      const name = isIndex ? `list:${kind.name}` : `list:pages${page.route}`;
      return {
        kind: page.kind,
        key: page.key,
        route: page.route,
        template: isIndex ? kind.template : kind.part,
        start: page.start,
        lastmod: undefined,
        markdown: {},
        uses: [],
        tags: pageTags(kind, page.key, {}),
        reads: [
          { key: `template:${kind.name}`, digest: context.fingerprint(kind) },
          record(name, data),
        ],
        data,
      };
    }),
  );
}

/** Names of the kinds that sitemaps list, by their bytes. */
export function coveredKinds({ site }: PlanContext): readonly string[] {
  const names = site.kinds.filter(({ inSitemap }) => inSitemap).map(({ name }) => name);
  return names.sort((a, b) => Buffer.compare(encodeKey([a]), encodeKey([b])));
}

/** True where a sitemap begins whatever stands before. */
export function isSeam({ max }: SitemapKind, key: Uint8Array): boolean {
  // Twice in a full sitemap, on average: most end at a seam, and a change moves few cuts.
  return digest(key).readUInt32BE(0) % Math.ceil(max / 2) === 0;
}

/** `/sitemaps/article.xml` for the first of a kind, `/sitemaps/article-1f…xml` for those that begin at a key. */
export function sitemapOf(
  kind: SitemapKind,
  name: string,
  start: Uint8Array | undefined,
): { readonly key: Uint8Array; readonly route: string } {
  const folder = kind.route.replace(/[^/]*$/, "");
  const suffix = start === undefined ? "" : `-${digest(start).toString("hex").slice(0, 16)}`;
  const from = start === undefined ? "" : Buffer.from(start).toString("hex");
  const key = from === "" ? encodeKey([name]) : encodeKey([name, from]);
  return { key, route: `${folder}sitemaps/${name}${suffix}.xml` };
}

/** True for routes that the index or a sitemap of this kind may have. */
export function isSitemapRoute(kind: SitemapKind, route: string): boolean {
  const folder = kind.route.replace(/[^/]*$/, "");
  return route === kind.route || (route.startsWith(`${folder}sitemaps/`) && route.endsWith(".xml"));
}

async function urlsOf(
  kind: SitemapKind,
  context: PlanContext,
  { key }: PlannedPage,
): Promise<readonly { readonly route: string; readonly lastmod: number | undefined }[]> {
  const [name] = decodeKey(key);
  const start = startOf(key);
  const urls: { route: string; lastmod: number | undefined }[] = [];
  for await (const page of plannedRange(context, String(name), beforeKey(start))) {
    if (urls.length > 0 && (urls.length === kind.max || isSeam(kind, page.key))) break;
    urls.push({ route: page.route, lastmod: page.lastmod });
  }
  return urls;
}

/** Where a sitemap begins: the key of its first page; undefined for the first of its kind. */
export function startOf(key: Uint8Array): Uint8Array | undefined {
  const from = decodeKey(key)[1];
  return from === undefined ? undefined : Buffer.from(String(from), "hex");
}

/** The greatest key below `key` in byte order that no page can have, so that a range includes `key`. */
export function beforeKey(key: Uint8Array | undefined): Uint8Array | undefined {
  if (key === undefined) return undefined;
  const last = key.at(-1) ?? 0;
  if (last === 0) return key.subarray(0, -1);
  return Buffer.concat([key.subarray(0, -1), Buffer.of(last - 1, 0xff, 0xff, 0xff, 0xff)]);
}

async function sitemapsOf(
  kind: SitemapKind,
  context: PlanContext,
): Promise<readonly { readonly route: string }[]> {
  const sitemaps: { route: string }[] = [];
  for await (const { route } of plannedRange(context, kind.name, encodeKey([]))) {
    sitemaps.push({ route });
  }
  return sitemaps;
}
