import { describe, expect } from "vitest";
import { article, intent, livePage, publish } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const FOREVER = Number.MAX_SAFE_INTEGER;

export function describeLingering(test: LedgerTest): void {
  describe("objects at which something may come late", () => {
    test("are those of puts that are in doubt, until a moment, in object order", async (ledger) => {
      const [b, a] = [intent({ route: "/b/" }), intent({ ...article(2), route: "/a/" })];
      await ledger.doubt("publisher", [b, a], 1, 7);
      await ledger.doubt("publisher", [intent({ ...article(3), route: "/c/" })], 1);
      const at = async (now: number, after?: string, limit = 9) =>
        (await ledger.lingering(now, after, limit)).map(({ object }) => object);

      expect(await at(6)).toEqual([]);
      expect(await at(7)).toEqual(["a/index.html", "b/index.html"]);
      expect(await at(7, "a/index.html")).toEqual(["b/index.html"]);
      expect(await at(7, undefined, 1)).toEqual(["a/index.html"]);
      await ledger.doubt("publisher", [a], 1, 9);
      expect(await at(8)).toEqual(["b/index.html"]);
      await ledger.forgetLingering(["a/index.html", "b/index.html"], 8);
      expect(await ledger.lingering(FOREVER, undefined, 9)).toEqual([
        { object: "a/index.html", until: 9 },
      ]);
    });

    test("are those that were about to be deleted when a page got them back", async (ledger) => {
      const retired = (object: string, dueAt: number | undefined) => ({
        object,
        dueAt,
        isCached: false,
      });
      await ledger.retire("run", [], {
        retired: [retired("a/index.html", 0), retired("b/index.html", undefined)],
      });
      const pages = ["/a/", "/b/", "/c/"].map((route, n) => livePage({ ...article(n), route }));

      await ledger.confirm("run", pages, { lateUntil: 5 });

      expect(await ledger.lingering(FOREVER, undefined, 9)).toEqual([
        { object: "a/index.html", until: 5 },
      ]);
      const among = await ledger.lingeringAmong(["a/index.html", "none"]);
      expect(among).toEqual(new Set(["a/index.html"]));
    });

    test("linger no more when what came late is known; its page is in doubt, an orphan goes", async (ledger) => {
      await publish(ledger, livePage({ route: "/a/" }));
      const orphan = { object: "b/index.html", dueAt: 3, isCached: true, etag: '"1"' };
      await ledger.doubt("publisher", [intent({ ...article(2), route: "/b/" })], 1, 7);
      await ledger.retire("publisher", [article(2)], { retired: [] });

      const late = { objects: ["b/index.html"], altered: [article(1)], retired: [orphan] };
      await ledger.cameLate("publisher", late);

      expect(await ledger.lingering(FOREVER, undefined, 9)).toEqual([]);
      expect((await ledger.pages([article(1)]))[0]).toMatchObject({ hash: undefined });
      expect(await ledger.retired(9)).toEqual([orphan]);
      await expect(ledger.cameLate("other", late)).rejects.toMatchObject({ code: "run_conflict" });
    });
  });
}
