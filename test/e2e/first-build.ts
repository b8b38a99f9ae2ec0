import { expect, test } from "vitest";
import { ledgerState } from "./ledger-state.ts";
import { collapsed } from "./page.ts";
import { NOW, type Published, sitemapPaths } from "./published.ts";
import { get, getAll } from "./viewer.ts";

const HTML = "text/html; charset=utf-8";
const CACHED = "public, max-age=0, s-maxage=31536000";
const FOR_EVER = "public, max-age=31536000, immutable";

/** What holds once the corpus is built for the first time; changes nothing. */
export function describeFirstBuild(site: () => Published): void {
  test("only the slugs that no page can have fail", () => {
    const { first, hidden } = site();
    const impossible = hidden.filter(({ slug }) => slug.startsWith("/"));

    expect(first.failures).toEqual(impossible.map(({ id }) => `article ${id} route_invalid`));
  });

  test("nothing is invalidated, since no page was live before", () => {
    const { first, stack } = site();

    expect(first.invalidated).toBe(0);
    expect(stack.cdn.invalidations()).toEqual([]);
  });

  test("every published article answers 200 with its own title", () => {
    const { visible, visits } = site();
    const seen = visible.map(({ id, path }) => [
      id,
      visits.get(path)?.status,
      visits.get(path)?.title,
    ]);

    expect(visible.length).toBeGreaterThan(400);
    expect(seen).toEqual(visible.map(({ id, title }) => [id, 200, title.trim()]));
  });

  test("every published article shows the words of its body", () => {
    const { visible, visits } = site();
    const worded = visible.filter(({ words }) => words !== undefined);
    const silent = worded.filter(
      ({ path, words = "" }) => !visits.get(path)?.prose.includes(words),
    );

    expect(worded.length).toBeGreaterThan(visible.length * 0.8);
    expect(silent).toEqual([]);
  });

  test("every page comes with its headers, and without the tags that the bucket keeps", async () => {
    const { visits, stack, visible } = site();
    const pages = [...visits.values()].filter(({ path }) => path !== "/404.html");
    const wrong = pages.filter(
      ({ headers }) =>
        headers.get("content-type") !== HTML ||
        headers.get("cache-control") !== CACHED ||
        headers.has("x-amz-meta-cache-tag"),
    );
    const { headers } = await stack.stored(visible[0]?.path ?? "");

    expect(wrong.map(({ path }) => path)).toEqual([]);
    expect(headers.get("x-amz-meta-cache-tag")).toContain("author");
  });

  test.each([
    ["/404.html", HTML, "public, max-age=0, s-maxage=10"],
    ["/robots.txt", "text/plain; charset=utf-8", CACHED],
    ["/sitemap.xml", "application/xml; charset=utf-8", CACHED],
    ["/assets/style.HASH.css", "text/css; charset=utf-8", FOR_EVER],
    ["/assets/favicon.HASH.svg", "image/svg+xml", FOR_EVER],
  ])("%s comes as %s with %s", async (name, type, caching) => {
    const { listing, stack } = site();
    const paths = [...listing.keys()].map((key) => `/${key}`);
    const path = paths.find((each) => each.replace(/\.[0-9a-f]{10}\./, ".HASH.") === name);
    const { status, headers } = await get(stack.cdn.url, path ?? "/absent");

    expect(status).toBe(200);
    expect([headers.get("content-type"), headers.get("cache-control")]).toEqual([type, caching]);
  });

  test("every internal link of every page resolves", async () => {
    const { visits, stack, visible } = site();
    const links = new Set(
      [...visits.values()].flatMap((page) => page.links.map(({ path }) => path)),
    );
    const statuses = new Map([...visits].map(([path, { status }]) => [path, status]));
    const unseen = [...links].filter((path) => !statuses.has(path));
    await getAll(stack.cdn.url, unseen, ({ path, status }) => statuses.set(path, status));

    expect(links.size).toBeGreaterThan(visible.length);
    expect([...links].filter((path) => statuses.get(path) !== 200)).toEqual([]);
  });

  test("the sitemaps list every page and nothing else", async () => {
    const { visits, stack } = site();
    const listed = [...visits.keys()].filter((path) => path !== "/404.html");

    expect(await sitemapPaths(stack)).toEqual(listed.sort());
  });

  test("drafts and articles to come give the site's own 404 page", async () => {
    const { hidden, stack, visits } = site();
    const paths = hidden.map(({ path }) => path);
    const answers: string[] = [];
    await getAll(stack.cdn.url, paths, ({ status, md5 }) => answers.push(`${status} ${md5}`));

    expect(hidden.filter(({ published_at }) => published_at > NOW)).toHaveLength(18);
    expect(visits.get("/404.html")?.title).toBe("Nothing on this shelf");
    expect(new Set(answers)).toEqual(new Set([`404 ${visits.get("/404.html")?.md5}`]));
  });

  test("drafts and articles to come are in no list and behind no link", () => {
    const { hidden, visible, visits } = site();
    const paths = new Set(hidden.map(({ path }) => path));
    const known = new Set(visible.map(({ title }) => collapsed(title)));
    const titles = new Set(
      hidden.map(({ title }) => collapsed(title)).filter((t) => !known.has(t)),
    );
    const leaks = [...visits.values()].filter(
      ({ path, links, entries }) =>
        entries.some((title) => titles.has(title)) ||
        links.some((link) => paths.has(link.path)) ||
        // An activity keeps the title of its time, which may be that of a draft today.
        (!path.startsWith("/people/") && links.some(({ text }) => titles.has(text))),
    );

    expect(titles.size).toBeGreaterThan(50);
    expect(leaks.map(({ path }) => path)).toEqual([]);
  });

  test("a build right after does nothing: no put, no word in the ledger, no invalidation", async () => {
    const { stack, listing } = site();
    const before = await ledgerState(stack.config);
    const built = await stack.build({ now: NOW });
    const after = await ledgerState(stack.config);

    expect(built).toMatchObject({ release: undefined, changed: 0, deleted: 0, invalidated: 0 });
    expect(await stack.listing()).toEqual(listing);
    expect(after.content).toBe(before.content);
    expect(after.writtenAt).toBeLessThanOrEqual(before.writtenAt);
    expect(stack.cdn.invalidations()).toEqual([]);
  });
}
