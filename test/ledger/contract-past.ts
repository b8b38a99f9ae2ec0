import { describe, expect } from "vitest";
import type { Ledger, LivePage, Past } from "../../src/ledger/ledger.ts";
import type { PageId } from "../../src/site.ts";
import { article, idOf, intent, livePage, publish } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const ALL = { after: undefined, limit: 100 };

export function describePast(test: LedgerTest): void {
  describe("what pages were", () => {
    test("is kept of those that a release replaces or deletes, and of no others", async (ledger) => {
      const pages = [livePage(), livePage(article(2)), livePage(article(3))];
      await publish(ledger, ...pages);
      await release(ledger, 1);
      await ledger.intend("publisher", [{ ...intent(), reason: "row:users/ann" }], []);
      await publish(ledger, livePage({ release: 2, bytes: 1 }));
      await ledger.retire("publisher", [{ ...article(2), reason: "gone" }], {});
      await ledger.intend("publisher", [intent(article(4))], []);
      await publish(ledger, livePage({ ...article(4), release: 2 }));

      expect(await ledger.pastsOf([1, 2, 3, 4].map(article), 1)).toEqual([
        was(pages[0], { until: 2, reason: "row:users/ann" }),
        was(pages[1], { until: 2, reason: "gone" }),
      ]);
      expect(await ledger.pastsOf([article(1)], 2)).toEqual([]);
      expect(await keys(ledger, 1)).toEqual([1, 2, 4].map(article));
      expect(await keys(ledger, 2)).toEqual([]);
    });

    test("is that from before the first of the runs that make one release", async (ledger) => {
      await publish(ledger, livePage());
      await release(ledger, 1);
      await ledger.intend("publisher", [{ ...intent(), reason: "row:a/1" }], []);
      await ledger.doubt("publisher", [intent()], 2);
      await ledger.intend("publisher", [{ ...intent(), reason: "unfinished" }], []);
      await publish(ledger, livePage({ release: 2, route: "/b/" }));
      await ledger.intend("publisher", [{ ...intent(), reason: "row:a/2" }], []);

      expect(await ledger.pastsOf([article(1)], 0)).toEqual([
        was(livePage(), { until: 2, reason: "row:a/1" }),
      ]);
    });

    test("is unknown of a page whose put was cut off a release before", async (ledger) => {
      await publish(ledger, livePage());
      await release(ledger, 1);
      await ledger.doubt("publisher", [intent()], 2);
      await release(ledger, 2);
      await ledger.intend("publisher", [{ ...intent(), reason: "store" }], []);

      expect(await ledger.pastsOf([article(1)], 0)).toEqual([
        was(livePage(), { until: 2, reason: "unfinished" }),
        was(livePage({ hash: undefined, etag: undefined }), { until: 3, reason: "store" }),
      ]);
    });

    test("comes by kind, those of kinds without live pages included", async (ledger) => {
      const gone = livePage(idOf("gone", 1));
      await publish(ledger, gone, livePage());
      await release(ledger, 1);
      await ledger.retire("publisher", [gone], {});

      expect(await ledger.changedKinds()).toEqual(["article", "gone"]);
      expect(await ledger.changedSince(1, { kind: "gone", ...ALL })).toEqual([idOf("gone", 1)]);
      expect(await ledger.changedSince(1, { kind: "article", ...ALL })).toEqual([]);
      expect(await ledger.changedSince(1, { kind: "other", ...ALL })).toEqual([]);
    });

    test("comes in parts, each page once", async (ledger) => {
      const pages = [1, 2, 3, 4, 5].map((key) => livePage(article(key)));
      await publish(ledger, ...pages);
      for (const id of [1, 2]) {
        await release(ledger, id);
        await ledger.intend("publisher", pages.slice(0, 3).map(intent), []);
        await publish(ledger, ...pages.slice(0, 3).map((page) => ({ ...page, release: id + 1 })));
      }
      const part = (after: PageId | undefined) =>
        ledger.changedSince(0, { kind: "article", after: after?.key, limit: 2 });

      const first = await part(undefined);
      const second = await part(first[1]);
      expect([first, second, await part(second[1]), await part(article(5))]).toEqual([
        [article(1), article(2)],
        [article(3), article(4)],
        [article(5)],
        [],
      ]);
    });

    test("is told by moments: the last release before one", async (ledger) => {
      for (const id of [1, 2, 3]) await release(ledger, id);

      expect(await ledger.lastBefore(10, 3)).toBeUndefined();
      expect(await ledger.lastBefore(30, 3)).toBe(2);
      expect(await ledger.lastBefore(99, 3)).toBe(3);
      expect(await ledger.lastBefore(99, 1)).toBe(1);
    });

    test("is swept in parts, with the records of the releases before", async (ledger) => {
      await publish(ledger, livePage(), livePage(article(2)));
      for (const id of [1, 2, 3]) {
        await release(ledger, id);
        await ledger.intend("publisher", [intent(), intent(article(2))], []);
        await publish(ledger, livePage({ release: id + 1 }));
      }

      expect(await ledger.note("kept_since")).toBe("1");
      expect((await ledger.sweepPast(3, 3)).map(({ until }) => until)).toEqual([2, 2, 3]);
      expect(await ledger.note("kept_since")).toBe("3");
      expect((await ledger.releases(9)).map(({ id }) => id)).toEqual([3, 2, 1]);
      expect((await ledger.sweepPast(3, 3)).map(({ until }) => until)).toEqual([3]);
      expect((await ledger.releases(9)).map(({ id }) => id)).toEqual([3]);
      expect((await ledger.pastsOf([article(1)], 0)).map(({ until }) => until)).toEqual([4]);
      expect(await ledger.sweepPast(2, 3)).toEqual([]);
      expect(await ledger.note("kept_since")).toBe("3");
    });
  });
}

async function release(ledger: Ledger, id: number): Promise<void> {
  await ledger.finish("publisher", { id, startedAt: 10 * id, finishedAt: 0, report: "{}" });
}

async function keys(ledger: Ledger, since: number): Promise<readonly PageId[]> {
  return await ledger.changedSince(since, { kind: "article", ...ALL });
}

function was(page = livePage(), ended: Pick<Past, "until" | "reason">): Past {
  const { trace: _, cause: __, ...rest }: LivePage = page;
  return { ...rest, ...ended };
}
