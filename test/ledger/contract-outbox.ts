import { describe, expect } from "vitest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { ownTag, type PageId } from "../../src/site.ts";
import { article, changesOf, freezeInto, livePage, MAY, publish } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const MONTH = 31 * 24 * 3600 * 1_000_000;

/** Tags of a page by an author, its own first. */
function tagsBy(page: PageId, author: string): readonly string[] {
  return [ownTag(page), page.kind, `author-${author}`];
}

/** Puts articles by an author live, `/1/` and so on. */
async function publishBy(ledger: Ledger, author: string, ...keys: readonly number[]) {
  const pages = keys.map((key) => livePage({ ...article(key), route: `/${key}/` }));
  const tagged = pages.map((page) => ({ ...page, tags: tagsBy(page, author) }));
  await ledger.confirm("publisher", pages, { tagged });
}

async function tagged(ledger: Ledger, ...tags: readonly string[]) {
  return [...(await ledger.countsOf({ tags, folders: [] })).tagged.values()];
}

export function describeOutbox(test: LedgerTest): void {
  describe("changes", () => {
    test("of a put are what is live there and what comes; of a new page there is none", async (ledger) => {
      await publishBy(ledger, "ann", 1);
      const put = (key: number, author: string) => {
        return { ...article(key), route: `/${key}/`, tags: tagsBy(article(key), author) };
      };
      await ledger.intend("publisher", [], [put(1, "bob"), put(2, "bob")]);

      expect(await changesOf(ledger)).toEqual([
        {
          route: "/1/",
          before: tagsBy(article(1), "ann"),
          after: tagsBy(article(1), "bob"),
          livesOn: false,
        },
      ]);
    });

    test("of a page put twice are two, each with what was live then", async (ledger) => {
      await publishBy(ledger, "ann", 1);
      for (const author of ["bob", "cy"]) {
        const tags = tagsBy(article(1), author);
        await ledger.intend("publisher", [], [{ ...article(1), route: "/1/", tags }]);
        await publishBy(ledger, author, 1);
      }

      const changes = await changesOf(ledger);
      expect(changes.map(({ before }) => before[2])).toEqual(["author-ann", "author-bob"]);
      expect(changes.map(({ after }) => after?.[2])).toEqual(["author-bob", "author-cy"]);
    });

    test("of what a page left or what went carry its tags and say whether it lives on", async (ledger) => {
      await publishBy(ledger, "ann", 1, 2);
      const gone = (route: string) => ({ object: `${route}/index.html`, dueAt: 0, isCached: true });
      const moved = livePage({ ...article(1), route: "/new/" });
      await ledger.confirm("publisher", [moved], {
        tagged: [{ ...moved, tags: tagsBy(moved, "bob") }],
        retired: [gone("1")],
      });
      await ledger.retire("publisher", [article(2)], { retired: [gone("2")] });
      await ledger.forget("publisher", ["1/index.html", "2/index.html"]);

      expect(await changesOf(ledger)).toEqual([
        { route: "/1/", before: tagsBy(article(1), "ann"), after: undefined, livesOn: true },
        { route: "/2/", before: tagsBy(article(2), "ann"), after: undefined, livesOn: false },
      ]);
    });

    test("know no tags of what was in doubt, left the list twice, or has two owners", async (ledger) => {
      await publishBy(ledger, "ann", 1, 2, 3);
      await ledger.doubt("publisher", [livePage({ ...article(1), route: "/1/" })], 1);
      const other = livePage({ ...article(4), route: "/2/" });
      await ledger.confirm("publisher", [other], {
        tagged: [{ ...other, tags: tagsBy(other, "ann") }],
      });
      const put = (key: number) => ({ ...article(key), route: `/${key}/`, tags: [] });
      await ledger.intend("publisher", [], [put(1), put(2), put(3)]);

      const changes = await changesOf(ledger);
      expect(changes.map(({ before }) => before.length)).toEqual([0, 0, 3]);
      expect(changes.map(({ after }) => after)).toEqual([[], [], []]);
    });

    test("are told anew of copies that stayed", async (ledger) => {
      await publishBy(ledger, "ann", 1);
      await ledger.recall(["/1/", "/gone/"]);

      const change = { before: [], livesOn: false };
      expect(await changesOf(ledger)).toEqual([
        { ...change, route: "/1/", after: tagsBy(article(1), "ann") },
        { ...change, route: "/gone/", after: undefined },
      ]);
    });

    test("come oldest first, from one on, and each has a number of its own", async (ledger) => {
      for (const route of ["/b/", "/a/", "/c/"]) await ledger.recall([route]);
      const first = await ledger.changes(0, 2);
      const rest = await ledger.changes(first[1]?.seq ?? 0, 2);
      expect([...first, ...rest].map(({ route }) => route)).toEqual(["/b/", "/a/", "/c/"]);

      await freezeInto(ledger, []);
      await ledger.recall(["/d/"]);
      const [next] = await ledger.changes(0, 2);
      expect(next?.seq).toBeGreaterThan(rest[0]?.seq ?? Number.NaN);
    });
  });

  describe("tags", () => {
    test("are counted over live pages that were put with them", async (ledger) => {
      await publishBy(ledger, "ann", 1, 2);
      await publishBy(ledger, "bob", 2, 3);
      await publish(ledger, livePage(article(4)));
      expect(await tagged(ledger, "article", "author-ann", "author-bob", "author-cy")).toEqual([
        3, 1, 2, 0,
      ]);

      await ledger.retire("publisher", [article(3), article(9)], {});
      await ledger.doubt("publisher", [livePage({ ...article(2), route: "/2/" })], 1);
      expect(await tagged(ledger, "article", "author-ann", "author-bob")).toEqual([1, 1, 0]);
      await ledger.doubtAll("publisher");
      expect(await tagged(ledger, "article", "author-ann")).toEqual([0, 0]);
    });

    test("stay known of a page that is confirmed as it was put", async (ledger) => {
      await publishBy(ledger, "ann", 1);
      await ledger.confirm("publisher", [livePage({ ...article(1), route: "/1/", bytes: 7 })]);

      expect(await ledger.tagsAt(["/1/", "/2/"])).toEqual(
        new Map([["/1/", tagsBy(article(1), "ann")]]),
      );
    });

    test("that come twice on a page count once", async (ledger) => {
      const page = livePage({ ...article(1), route: "/1/" });
      const tags = [ownTag(page), "x", "x"];
      await ledger.confirm("publisher", [page], { tagged: [{ ...page, tags }] });

      expect(await tagged(ledger, "x")).toEqual([1]);
      await ledger.retire("publisher", [page], {});
      expect(await tagged(ledger, "x")).toEqual([0]);
    });

    test("of one CDN are not known for another, or for none", async (ledger) => {
      await ledger.serveBy("CloudFront E1");
      await publishBy(ledger, "ann", 1, 2);
      const put = { ...article(1), route: "/1/", tags: tagsBy(article(1), "ann") };
      const gone = { object: "2/index.html", dueAt: 0, isCached: true };
      await ledger.intend("publisher", [], [put]);
      await ledger.retire("publisher", [article(2)], { retired: [gone] });
      await ledger.serveBy("CloudFront E1");
      expect(await tagged(ledger, "article")).toEqual([1]);

      await ledger.serveBy("CloudFront E2");

      expect(await tagged(ledger, "article", "author-ann")).toEqual([0, 0]);
      expect(await ledger.tagsAt(["/1/"])).toEqual(new Map([["/1/", []]]));
      await ledger.forget("publisher", ["2/index.html"]);
      const unknown = { before: [], livesOn: false };
      expect(await changesOf(ledger)).toEqual([
        { ...unknown, route: "/1/", after: [] },
        { ...unknown, route: "/2/", after: undefined },
      ]);
      await publishBy(ledger, "bob", 1);
      expect(await tagged(ledger, "article", "author-bob")).toEqual([1, 1]);
    });
  });

  describe("pages below folders", () => {
    const below = async (ledger: Ledger, ...folders: readonly string[]) => {
      const counts = await ledger.countsOf({ tags: [], folders });
      return [counts.live, ...folders.map((folder) => counts.below.get(folder))];
    };

    test("are counted as they come, move and go, the folder's own included", async (ledger) => {
      const at = (key: number, route: string) => livePage({ ...article(key), route });
      expect(await below(ledger, "/a/")).toEqual([0, 0]);
      await publish(ledger, at(1, "/"), at(2, "/a/"), at(3, "/a/b/c.xml"), at(4, "/ab/"));
      expect(await below(ledger, "/", "/a/", "/a/b/", "/ab/", "/c/")).toEqual([4, 4, 2, 1, 1, 0]);

      await publish(ledger, at(3, "/é/x/"), at(4, "/ab/"));
      await ledger.retire("publisher", [article(1), article(2)], {});
      expect(await below(ledger, "/a/", "/a/b/", "/é/")).toEqual([2, 0, 0, 1]);
    });
  });

  describe("the outbox", () => {
    test("freezes what waits into batches, once", async (ledger) => {
      await ledger.recall(["/a/", "/b/"]);

      expect(await freezeInto(ledger, [["/a/", "/b/"], ["/c/"]])).toBe(true);

      const batches = await ledger.outbox();
      expect(batches.map(({ items }) => items)).toEqual([["/a/", "/b/"], ["/c/"]]);
      expect(new Set(batches.map(({ id }) => id)).size).toBe(2);
      expect(await ledger.waiting()).toEqual({ changes: 0, last: 0, items: [] });
      expect(await ledger.covers("open")).toEqual([
        { id: batches[0]?.cover, madeAt: 5, items: 3, report: "{}", doneAt: undefined },
      ]);
    });

    test("refuses to freeze changes that were frozen meanwhile, and leaves later ones", async (ledger) => {
      await ledger.recall(["/a/"]);
      const waiting = await ledger.waiting();
      await ledger.recall(["/b/"]);
      const frozen = { ...waiting, run: "run", madeAt: 5, batches: [["/a/"]], report: "{}" };

      expect([await ledger.freeze(frozen), await ledger.freeze(frozen)]).toEqual([true, false]);
      expect((await ledger.changes(0, 9)).map(({ route }) => route)).toEqual(["/b/"]);
      expect(await ledger.outbox()).toHaveLength(1);
    });

    test("leaves items that came while those read were planned", async (ledger) => {
      await ledger.beginAdoption({ items: ["/a/"], notes: {} });
      const waiting = await ledger.waiting();
      await ledger.beginAdoption({ items: ["/*"], notes: {} });

      await ledger.freeze({ ...waiting, run: "run", madeAt: 5, batches: [["/a/"]], report: "{}" });

      expect((await ledger.waiting()).items).toEqual(["/*"]);
    });

    test("a batch never changes; equal items later make another", async (ledger) => {
      await freezeInto(ledger, [["/a/"]]);
      const [first] = await ledger.outbox();
      await freezeInto(ledger, [["/a/"]]);

      const [same, second] = await ledger.outbox();
      expect(same).toEqual(first);
      expect(second?.id).not.toBe(first?.id);
    });

    test("a batch carries the CDN's name once sent and leaves when completed", async (ledger) => {
      await freezeInto(ledger, [["/a/"], ["/b/"]]);
      const [first, second] = await ledger.outbox();
      await ledger.refused(String(second?.id), "Throttled.");
      await ledger.sent(String(second?.id), "I2", 7);
      await ledger.completed(String(first?.id));

      expect(await ledger.outbox()).toEqual([{ ...second, invalidation: "I2", sentAt: 7 }]);
    });

    test("counts items that were accepted in their month, each batch once", async (ledger) => {
      await freezeInto(ledger, [["/a/", "/b/"], ["/c/"], ["/d/"]]);
      const [first, second, third] = (await ledger.outbox()).map(({ id }) => id);
      await ledger.sent(String(first), "I1", MAY);
      await ledger.sent(String(first), "I1", MAY + MONTH);
      await ledger.sent(String(second), "I2", MAY + 60_000_000);
      await ledger.refused(String(third), "No.");

      expect(await ledger.spentItems(MAY)).toBe(2);
      expect(await ledger.spentItems(MAY + MONTH / 2)).toBe(1);
      expect(await ledger.spentItems(MAY + 2 * MONTH)).toBe(0);
    });

    test("a refused batch can be sent under another id, an accepted one cannot", async (ledger) => {
      await freezeInto(ledger, [["/a/"], ["/b/"]]);
      const before = (await ledger.outbox()).map(({ id }) => id);
      await ledger.refused(String(before[0]), "InvalidArgument");
      await ledger.renew(before);

      const [first, second] = await ledger.outbox();
      expect(first).toMatchObject({ items: ["/a/"], refusal: undefined });
      expect(first?.id).not.toBe(before[0]);
      expect(second?.id).toBe(before[1]);
    });

    test("is there until changes are frozen, batches completed and covers closed", async (ledger) => {
      expect(await ledger.hasOutbox()).toBe(false);
      await ledger.recall(["/a/"]);
      expect(await ledger.hasOutbox()).toBe(true);
      await freezeInto(ledger, [["/a/"]]);
      const [batch] = await ledger.outbox();
      expect(await ledger.hasOutbox()).toBe(true);
      await ledger.completed(String(batch?.id));
      expect(await ledger.hasOutbox()).toBe(true);
      await ledger.closed(Number(batch?.cover), 9, 0);
      expect(await ledger.hasOutbox()).toBe(false);
    });

    test("closed covers are kept for a while, the newest always", async (ledger) => {
      for (const madeAt of [1, 2, 3]) await freezeInto(ledger, [], { madeAt });
      const ids = (await ledger.covers("open")).map(({ id }) => id).toSorted();
      for (const [at, id] of ids.entries()) await ledger.closed(id, at, 2);

      const kept = await ledger.covers("all");
      expect(kept.map(({ madeAt, doneAt }) => [madeAt, doneAt])).toEqual([[3, 2]]);
      expect(await ledger.covers("open")).toEqual([]);
    });

    test("freezes each change once when two do it at a time", async (ledger, place) => {
      await using other = await place.open();
      const routes = Array.from({ length: 100 }, (_, at) => `/${at}/`);
      await ledger.recall(routes);

      const more = ledger.recall(["/new/"]);
      const freeze = (one: Ledger) => freezeInto(one, [routes]);
      const frozen = await Promise.all([freeze(ledger), freeze(other)]);
      await more;

      expect(frozen.filter(Boolean).length).toBeGreaterThan(0);
      const left = (await ledger.changes(0, 999)).length;
      // An empty cover is no harm; a change that is lost, or frozen twice, is.
      const counted = (await ledger.covers("all")).length;
      expect(counted).toBe(frozen.filter(Boolean).length);
      expect([0, 1, 101]).toContain(left);
    });
  });
}
