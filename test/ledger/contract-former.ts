import { describe, expect } from "vitest";
import type { Former } from "../../src/ledger/ledger.ts";
import { encodeKey } from "../../src/site.ts";
import { article, byText, idOf, livePage, plain, publish } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const redirects = "redirect";
const OPTIONS = { redirects, notes: {} };

function left(route: string, key: number): Former {
  return { route, ...article(key) };
}

export function describeFormer(test: LedgerTest): void {
  describe("the route history", () => {
    test("keeps the routes that confirmed pages left, the last page of each", async (ledger) => {
      const one = livePage({ route: "/b/" });
      await ledger.confirm("run", [one], {
        turnover: { left: [left("/a/", 1)], taken: ["/b/"], redirects },
      });
      await ledger.confirm("run", [livePage({ ...article(2), route: "/c/" })], {
        turnover: { left: [left("/a/", 2), left("/z/", 2)], taken: ["/c/"], redirects },
      });

      expect(await ledger.former(undefined, 9)).toEqual([left("/a/", 2), left("/z/", 2)]);
      expect(await ledger.formerAt(["/z/", "/none/"])).toEqual([left("/z/", 2)]);
      expect(await ledger.formerOf([article(1)])).toEqual([]);
      expect((await ledger.formerOf([article(2), article(3)])).toSorted(byText)).toHaveLength(2);
    });

    test("forgets a route that a page takes", async (ledger) => {
      await ledger.importFormer([left("/a/", 1), left("/b/", 1)], OPTIONS);
      await ledger.confirm("run", [livePage({ ...article(2), route: "/a/" })], {
        turnover: { left: [], taken: ["/a/"], redirects },
      });

      expect(await ledger.former(undefined, 9)).toEqual([left("/b/", 1)]);
    });

    test("has no entry for a route that another page has, unless that is a redirect", async (ledger) => {
      await ledger.confirm("run", [
        livePage({ ...article(2), route: "/taken/" }),
        livePage({ ...idOf(redirects, "/old/"), route: "/old/" }),
      ]);
      await ledger.confirm("run", [livePage({ route: "/b/" })], {
        turnover: {
          left: [left("/taken/", 1), left("/old/", 1)],
          taken: ["/b/"],
          redirects,
        },
      });
      await ledger.importFormer([left("/taken/", 5), left("/b/", 5), left("/new/", 5)], OPTIONS);

      expect(await ledger.former(undefined, 9)).toEqual([left("/new/", 5), left("/old/", 1)]);
    });

    test("of two pages that exchange their routes at once keeps nothing", async (ledger) => {
      const pages = [livePage({ route: "/b/" }), livePage({ ...article(2), route: "/a/" })];
      const turnover = {
        left: [left("/a/", 1), left("/b/", 2)],
        taken: ["/b/", "/a/"],
        redirects,
      };
      await ledger.confirm("run", pages, { turnover });

      expect(await ledger.former(undefined, 9)).toEqual([]);
    });

    test("outlives its pages, and is left alone where no turnover is told", async (ledger) => {
      await ledger.importFormer([left("/a/", 1)], OPTIONS);
      await publish(ledger, livePage());
      await ledger.retire("publisher", [article(1)], {});
      await publish(ledger, livePage({ ...article(2), route: "/a/" }));

      expect(await ledger.former(undefined, 9)).toEqual([left("/a/", 1)]);
    });

    test("comes in the order of bytes, from a route on, and to the byte", async (ledger) => {
      const routes = ["/é/", "/b/", "/a /", "/a/", "/B/", "/b/c/", "/\u{10000}/", "/\uffee/"];
      const key = encodeKey(["\0x", 2n ** 63n]);
      await ledger.importFormer(
        routes.map((route) => ({ route, kind: "post", key })),
        OPTIONS,
      );
      const sorted = routes.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

      const all = await ledger.former(undefined, 99);
      expect(all.map(({ route }) => route)).toEqual(sorted);
      expect(all.map(plain)[0]).toEqual(plain({ route: "/B/", kind: "post", key }));
      expect((await ledger.former("/a/", 2)).map(({ route }) => route)).toEqual(["/b/", "/b/c/"]);
    });

    test("is imported together with notes", async (ledger) => {
      await ledger.importFormer([], { redirects, notes: { imported: "now" } });

      expect(await ledger.note("imported")).toBe("now");
    });
  });
}
