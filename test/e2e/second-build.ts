import { beforeAll, expect, test } from "vitest";
import { bothForms, compare, type Listing, type ListingChange, viewerPath } from "./bucket.ts";
import {
  applyEdits,
  chooseEdits,
  type Edits,
  linkingKinds,
  NEW_PATH,
  NEW_WORDS,
  newTitle,
} from "./editor.ts";
import { type Published, pagePaths, SITE, sitemapPaths } from "./published.ts";
import type { Built } from "./stack.ts";
import { type Answer, get, getAll, type Visit, visitAll } from "./viewer.ts";

/** One of the articles to come has appeared by then. */
const LATER = "2026-06-02T00:00:00Z";

/** A page that was live, looked at after its put or delete and before the batch that names it was sent. */
interface Glimpse {
  readonly cached: Answer;
  readonly stored: Answer;
}

/** What holds after an editor's changes and a second build, which come first. */
export function describeSecondBuild(site: () => Published, timeoutMs: number): void {
  let edits: Edits;
  let gone: readonly string[];
  let second: Built;
  let after: Listing;
  let change: ListingChange;
  const glimpses = new Map<string, Glimpse>();
  /** Status of what goes, in the bucket, when the first batch was sent. */
  const keptUntilFirst: number[] = [];
  /** Every page of the site after the changes. */
  let visits: ReadonlyMap<string, Visit>;

  beforeAll(async () => {
    const { stack, listing } = site();
    edits = chooseEdits(site());
    gone = edits.unpublished.map(({ path }) => path);
    const watched = [...edits.edited, ...edits.unpublished, edits.renamed].map(({ path }) => path);
    await applyEdits(stack, edits);
    // Now they are in the cache, whatever was evicted before for want of room.
    await getAll(stack.cdn.url, watched, () => {});
    const beforeSend = async (items: readonly string[]) => {
      if (keptUntilFirst.length === 0) {
        const kept = await Promise.all(gone.map(stack.stored));
        keptUntilFirst.push(...kept.map(({ status }) => status));
      }
      for (const path of watched.filter((each) => items.includes(each))) {
        const cached = await get(stack.cdn.url, path);
        glimpses.set(path, { cached, stored: await stack.stored(path) });
      }
    };
    second = await stack.build({ now: LATER, beforeSend });
    after = await stack.listing();
    change = compare(listing, after);
  }, timeoutMs);

  beforeAll(async () => {
    const { stack, visits: before } = site();
    const fresh = new Set([...change.added, ...change.changed].map(viewerPath));
    const paths = pagePaths(after);
    const again = paths.filter((path) => fresh.has(path));
    const seen = await visitAll(stack.cdn.url, again, SITE);
    visits = new Map(paths.map((path) => [path, seen.get(path) ?? found(before.get(path))]));
  }, timeoutMs);

  test("only what differs is put", () => {
    expect(change.putForNothing).toEqual([]);
    expect(second.changed).toBe(change.added.length + change.changed.length);
    expect(second.rendered).toBeGreaterThan(second.changed);
    expect(second.deleted).toBe(2);
  });

  test("an edited row is old until the invalidation, though the bucket is new", () => {
    const { listing } = site();
    const seen = edits.edited.map(({ path }) => described(glimpses.get(path)));

    expect(seen).toEqual(
      edits.edited.map(({ path }) => ({
        cached: `200 Hit ${listing.get(keyOf(path))?.etag}`,
        stored: `200 ${after.get(keyOf(path))?.etag}`,
      })),
    );
  });

  test("an edited row is new after the invalidation, on its page and in the lists", () => {
    const { visits: before } = site();
    const newest = found(edits.edited[0]);
    const lists = [...before.values()].filter(
      ({ links, entries }) => entries.length > 0 && links.some(({ path }) => path === newest.path),
    );
    const stale = lists.filter(({ path }) => !visits.get(path)?.entries.includes(newTitle(newest)));

    for (const article of edits.edited) {
      expect(visits.get(article.path)).toMatchObject({ status: 200, title: newTitle(article) });
      expect(visits.get(article.path)?.prose).toContain(NEW_WORDS);
    }
    expect(lists.map(({ path }) => path)).toContain("/");
    expect(stale.map(({ path }) => path)).toEqual([]);
  });

  test("a page that goes stays until nothing leads to it, and in the cache until its own batch", () => {
    const { listing } = site();

    expect(keptUntilFirst).toEqual(gone.map(() => 200));

    for (const path of gone) {
      const glimpse = found(glimpses.get(path));
      expect(described(glimpse).cached).toBe(`200 Hit ${listing.get(keyOf(path))?.etag}`);
      expect([403, 404]).toContain(glimpse.stored.status);
    }
  });

  test("an unpublished article gives the site's own 404 page", async () => {
    const { stack } = site();
    const answers: Answer[] = [];
    await getAll(stack.cdn.url, gone, (answer) => answers.push(answer));

    expect(answers.map(({ status, md5 }) => `${status} ${md5}`)).toEqual(
      gone.map(() => `404 ${after.get("404.html")?.etag}`),
    );
  });

  test("no page links any more to what is gone, of the articles, lists and people that did", () => {
    const { visits: before } = site();
    const kinds = linkingKinds(before).get(edits.unpublished[0]?.path ?? "");
    const linking = [...visits.values()].filter(({ links }) =>
      links.some(({ path }) => gone.includes(path)),
    );

    expect([...(kinds ?? [])]).toEqual(expect.arrayContaining(["articles", "tags", "people"]));
    expect(linking.map(({ path }) => path)).toEqual([]);
  });

  test("a renamed article is at its new address, and lists lead there", () => {
    const links = linkingKinds(visits).get(NEW_PATH);

    expect(visits.get(NEW_PATH)).toMatchObject({ status: 200, title: edits.renamed.title.trim() });
    expect([...(links ?? [])]).toContain("tags");
  });

  test("its former address leads there, from the invalidation on", async () => {
    const { stack, listing } = site();
    const former = edits.renamed.path;
    const { body } = await stack.stored(former);

    expect(described(glimpses.get(former)).cached).toBe(
      `200 Hit ${listing.get(keyOf(former))?.etag}`,
    );
    expect(visits.get(former)).toMatchObject({ status: 200 });
    expect(body).toContain(`<meta http-equiv="refresh" content="0; url=${NEW_PATH}">`);
  });

  test("a released draft and an article whose time came are there and in the lists", () => {
    for (const { path, title } of [edits.released, edits.due]) {
      expect(visits.get(path)).toMatchObject({ status: 200, title: title.trim() });
      expect([...(linkingKinds(visits).get(path) ?? [])]).toContain("tags");
    }
    expect(visits.get("/")?.entries[0]).toBe(edits.due.title.trim());
  });

  test("every internal link and the sitemaps name pages that are there, and every page", async () => {
    const paths = new Set([...after.keys()].map(viewerPath));
    const broken = [...visits.values()].flatMap(({ path, links }) =>
      links.filter((link) => !paths.has(link.path)).map((link) => `${path} to ${link.path}`),
    );
    const unlisted = ["/404.html", edits.renamed.path];
    const listed = [...visits.keys()].filter((path) => !unlisted.includes(path));

    expect(broken).toEqual([]);
    expect(await sitemapPaths(site().stack)).toEqual(listed.sort());
  });

  test("the CDN serves every object as the bucket holds it", async () => {
    const served = new Map<string, string>();
    const { stack } = site();
    await getAll(stack.cdn.url, [...after.keys()].map(viewerPath), ({ path, status, md5 }) =>
      served.set(path, `${status} ${md5}`),
    );
    const stale = [...after].filter(
      ([key, { etag }]) => served.get(viewerPath(key)) !== `200 ${etag}`,
    );

    expect(stale.map(([key]) => key)).toEqual([]);
  });

  test("the batches name both forms of exactly what changed or went, and nothing that was never live", () => {
    const batches = site().stack.cdn.invalidations();
    const items = batches.flatMap((batch) => batch.items);

    expect(items.toSorted()).toEqual(
      [...change.changed, ...change.removed].flatMap(bothForms).sort(),
    );
    expect(second.invalidated).toBe(items.length);
    expect(batches.every(({ status }) => status === "Completed")).toBe(true);
  });
}

function described(glimpse: Glimpse | undefined) {
  const { cached, stored } = found(glimpse);
  return {
    cached: `${cached.status} ${cached.headers.get("x-cache")} ${cached.md5}`,
    stored: `${stored.status} ${stored.md5}`,
  };
}

function keyOf(path: string): string {
  return `${decodeURIComponent(path.slice(1))}index.html`;
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("It was not seen.");
  return value;
}
