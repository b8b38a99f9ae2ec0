import { describe, expect } from "vitest";
import { article, idOf, livePage, publish } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

export function describePages(test: LedgerTest): void {
  describe("live pages", () => {
    test("come back as they were confirmed, to the byte", async (ledger) => {
      const trace = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const full = livePage({
        key: Buffer.of(0, 255),
        route: "/café \\'\"?%/",
        trace,
        start: trace,
      });
      const bare = livePage({
        ...idOf("home"),
        route: "/",
        hash: undefined,
        etag: undefined,
        lastmod: undefined,
        trace: Buffer.alloc(0),
      });
      const multipart = livePage({ ...article(2), etag: '"9a0364b9e99bb480dd25e1f0284c8555-3"' });
      await publish(ledger, full, bare, multipart);

      expect(await ledger.pages([bare, article(7), full, multipart])).toEqual([
        bare,
        undefined,
        full,
        multipart,
      ]);
    });

    test("may have changed at a moment that no safe integer holds", async (ledger) => {
      const page = livePage({ lastmod: -30_610_224_000_000_000 });
      await publish(ledger, page);

      expect(await ledger.pages([page])).toEqual([page]);
    });

    test("are replaced when confirmed again", async (ledger) => {
      await publish(ledger, livePage({ bytes: 1 }));
      await publish(ledger, livePage({ bytes: 2 }));

      expect(await ledger.live("article", undefined, 10)).toEqual([livePage({ bytes: 2 })]);
    });

    test("are walked in byte order of their keys, from a key on", async (ledger) => {
      const keys = [[], ["a"], ["a b"], ["B"], ["é"], ["a", 1], [-1], [255], [256]] as const;
      const pages = keys.map((key) => livePage(idOf("tag", ...key)));
      await publish(ledger, ...pages, livePage(), livePage(idOf("tag ", "a")));
      const sorted = pages.toSorted((a, b) => Buffer.compare(a.key, b.key));

      const first = await ledger.live("tag", undefined, 4);
      const rest = await ledger.live("tag", first.at(-1)?.key, 100);

      expect([...first, ...rest]).toEqual(sorted);
      expect(first).toHaveLength(4);
    });

    test("are counted, and their kinds told apart by every byte", async (ledger) => {
      const kinds = ["tag ", "Tag", "tag", "tág"];
      await publish(
        ledger,
        ...kinds.map((kind) => livePage(idOf(kind, 1))),
        livePage(idOf("tag", 2)),
      );

      expect(await ledger.liveKinds()).toEqual(["Tag", "tag", "tag ", "tág"]);
      expect(await ledger.countLive()).toBe(5);
      expect((await ledger.countLiveByKind()).get("tag")).toBe(2);
      expect((await ledger.countLiveByKind()).get("tag ")).toBe(1);
    });

    test("are found by their exact route, and by what it folds to", async (ledger) => {
      const upper = livePage({ ...article(2), route: "/Café/" });
      const lower = livePage({ ...article(1), route: "/cafe\u0301/" });
      await publish(ledger, upper, lower, livePage({ ...article(3), route: "/cafe/" }));

      expect(await ledger.liveAt(["/Café/", "/café/", "/cafe/ "])).toEqual(
        new Map([["/Café/", article(2)]]),
      );
      expect(await ledger.liveFolded(["/CAFÉ/", "/café/"])).toEqual([lower, upper]);
    });

    test("are asked for in any number", async (ledger) => {
      const pages = Array.from({ length: 1201 }, (_, key) => livePage(article(key)));
      await publish(ledger, ...pages);

      expect(await ledger.pages(pages.toReversed())).toEqual(pages.toReversed());
      expect((await ledger.liveAt(pages.map(({ route }) => route))).size).toBe(1201);
      expect(await ledger.pages([])).toEqual([]);
    });

    test("may have traces that together are larger than a packet", async (ledger) => {
      const trace = Buffer.alloc(3 * 2 ** 20, "reads");
      const pages = Array.from({ length: 12 }, (_, key) => livePage({ ...article(key), trace }));
      await publish(ledger, ...pages);

      const live = await ledger.live("article", undefined, 12);

      expect(live.filter((page) => trace.equals(page.trace))).toHaveLength(12);
    });
  });

  describe("notes and failed pages", () => {
    test("a note is undefined until it is set, and can be set again", async (ledger) => {
      expect(await ledger.note("cut off")).toBeUndefined();
      await ledger.setNote("cut off", "");
      expect(await ledger.note("cut off")).toBe("");
      await ledger.setNote("cut off", "naïve 🦊");
      expect(await ledger.note("cut off")).toBe("naïve 🦊");
    });

    test("quarantine adds, changes and heals", async (ledger) => {
      const failed = { ...article(2), code: "row_invalid", message: "bad", at: "{}" };
      await ledger.quarantine([failed, { ...failed, ...article(1) }], []);
      await ledger.quarantine([{ ...failed, message: "worse" }], [article(1), article(9)]);

      expect(await ledger.quarantined()).toEqual([{ ...failed, message: "worse" }]);
    });

    test("pages that failed are known from others", async (ledger) => {
      const failed = { ...article(2), code: "row_invalid", message: "bad", at: "{}" };
      await ledger.quarantine([failed], []);

      const ids = [article(1), article(2), { ...article(2), kind: "tag" }];
      expect(await ledger.areQuarantined(ids)).toEqual([false, true, false]);
      expect(await ledger.areQuarantined([])).toEqual([]);
    });
  });

  test("two connections see one ledger with one id", async (ledger, place) => {
    await using other = await place.open();
    await publish(ledger, livePage());

    expect(other.id).toBe(ledger.id);
    expect(await other.countLive()).toBe(1);
  });
}
