import { describe, expect } from "vitest";
import { digest } from "../../src/site.ts";
import { article, changesOf, idOf, intent, livePage, publish } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const FOREVER = Number.MAX_SAFE_INTEGER;

export function describeJournal(test: LedgerTest): void {
  describe("intents", () => {
    test("stay until the page is confirmed, and come in page order", async (ledger) => {
      const intents = [
        intent(article(2)),
        intent({ ...article(1), start: Buffer.of(7) }),
        intent(idOf("a", 1)),
      ];
      await ledger.intend("publisher", intents, []);
      expect(await ledger.intents()).toEqual([intents[2], intents[1], intents[0]]);

      await ledger.confirm("run", [livePage(article(2)), livePage(idOf("a", 1))]);
      expect(await ledger.intents()).toEqual([intents[1]]);
    });

    test("of a page for another route leave the first object among the retired", async (ledger) => {
      await ledger.intend("publisher", [intent({ route: "/first/" })], []);
      await ledger.intend("publisher", [intent({ route: "/second/" })], []);

      const retired = await ledger.due(0, undefined, 10);
      expect(retired.map(({ object }) => object)).toEqual(["first/index.html"]);
      expect(await ledger.intents()).toEqual([intent({ route: "/second/" })]);
    });
  });

  describe("doubt", () => {
    test("makes the hash of a live page unknown and keeps the rest", async (ledger) => {
      await publish(ledger, livePage(), livePage(article(2)));
      await ledger.intend("publisher", [intent()], []);
      await ledger.doubt("publisher", [intent()], 5);

      const unknown = { hash: undefined, etag: undefined, cause: undefined };
      expect(await ledger.live("article", undefined, 9)).toEqual([
        livePage(unknown),
        livePage(article(2)),
      ]);
      expect(await ledger.intents()).toEqual([]);
      expect(await ledger.due(FOREVER, undefined, 9)).toEqual([]);
    });

    test("makes a page live that was being created", async (ledger) => {
      const doubted = intent({ start: Buffer.of(1) });
      await ledger.intend("publisher", [doubted], []);
      await ledger.doubt("publisher", [doubted], 5);

      expect(await ledger.live("article", undefined, 9)).toEqual([
        {
          ...doubted,
          hash: undefined,
          etag: undefined,
          bytes: 0,
          trace: Buffer.alloc(0),
          lastmod: undefined,
          release: 5,
        },
      ]);
    });

    test("of what no cache can hold tells the CDN nothing once it is gone", async (ledger) => {
      const doubted = { ...intent({ route: "/new/" }), isCached: false };
      await publish(ledger, livePage({ route: "/old/" }));
      await ledger.doubt("publisher", [doubted], 5);
      await ledger.forget("publisher", ["new/index.html"]);

      expect(await ledger.hasOutbox()).toBe(false);
    });

    test("of a page that was moving retires the new object until it is confirmed there", async (ledger) => {
      const moving = intent({ route: "/new/" });
      await publish(ledger, livePage({ route: "/old/" }));
      await ledger.doubt("publisher", [moving], 5);

      expect(await ledger.due(0, undefined, 9)).toEqual([
        { object: "new/index.html", dueAt: 0, isCached: true },
      ]);
      expect(await ledger.pages([moving])).toEqual([
        livePage({ route: "/old/", hash: undefined, etag: undefined, cause: undefined }),
      ]);
      await publish(ledger, livePage({ route: "/new/" }));
      expect(await ledger.due(FOREVER, undefined, 9)).toEqual([]);
    });

    test("of a page moving to another's route makes that one's hash unknown too", async (ledger) => {
      const owner = livePage({ ...article(2), route: "/taken/" });
      await publish(ledger, livePage({ route: "/old/" }), owner);
      await ledger.doubt(
        "publisher",
        [intent({ route: "/taken/" }), intent({ ...article(3), route: "/taken/" })],
        5,
      );

      expect(await ledger.due(FOREVER, undefined, 9)).toEqual([]);
      expect(await ledger.pages([owner, article(3)])).toEqual([
        { ...owner, hash: undefined, etag: undefined, cause: undefined },
        undefined,
      ]);
    });

    test("doubtAll makes every hash unknown", async (ledger) => {
      await publish(ledger, livePage(), livePage(idOf("home")));
      await ledger.doubtAll("publisher");

      const [known] = (await ledger.pages([article(1), idOf("home")])).filter((page) => page?.hash);
      expect(known).toBeUndefined();
    });
  });

  describe("retired objects", () => {
    const retired = (object: string, dueAt = 0) => ({ object, dueAt, isCached: true });

    test("come when they are due, in object order, from one on", async (ledger) => {
      const names = ["é.html", "b", "a ", "a", "B"];
      await ledger.retire("run", [], {
        retired: [...names.map((name) => retired(name, 5)), retired("c", 6)],
      });
      const objects = async (now: number, after?: string, limit = 9) =>
        (await ledger.due(now, after, limit)).map(({ object }) => object);

      expect(await objects(4)).toEqual([]);
      expect(await objects(5)).toEqual(["B", "a", "a ", "b", "é.html"]);
      expect(await objects(6, "a", 2)).toEqual(["a ", "b"]);
    });

    test("those without a date get one when what linked to them is invalidated", async (ledger) => {
      const waiting = (object: string, stays: number) => ({
        ...retired(object),
        dueAt: undefined,
        stays,
      });
      const all = [waiting("a", 0), waiting("b", 5), retired("c", 3)];
      await ledger.retire("run", [], { retired: all });
      expect(await ledger.due(FOREVER, undefined, 9)).toEqual([retired("c", 3)]);
      expect(await ledger.retired(2)).toEqual([waiting("a", 0), waiting("b", 5)]);
      expect([await ledger.isLeaving(0), await ledger.countRetired()]).toEqual([true, 3]);

      await ledger.dateRetired("publisher", 100, 0);

      const dated = [retired("a"), retired("c", 3), retired("b", 105)];
      expect(await ledger.retired(9)).toEqual(dated);
      await ledger.forget("publisher", ["a"]);
      expect([await ledger.isLeaving(2), await ledger.isLeaving(3)]).toEqual([false, true]);
    });

    test("none goes before older copies have ended", async (ledger) => {
      const waiting = (object: string, stays: number) => {
        return { ...retired(object), dueAt: undefined, stays };
      };
      await ledger.retire("run", [], { retired: [waiting("a", 0), waiting("b", 5)] });

      await ledger.dateRetired("publisher", 100, 104);

      expect(await ledger.retired(9)).toEqual([retired("a", 104), retired("b", 105)]);
    });

    test("an object that retires again stays for the later of both, as what it is now", async (ledger) => {
      const undated = { ...retired("a"), dueAt: undefined, stays: 5, etag: '"1"' };
      await ledger.retire("run", [], { retired: [undated, { ...retired("b", 7), etag: '"1"' }] });

      const hash = digest("b");
      await ledger.retire("run", [], { retired: [retired("a"), { ...retired("b", 6), hash }] });

      expect(await ledger.retired(9)).toEqual([
        { ...undated, etag: undefined },
        { ...retired("b", 7), hash },
      ]);
    });

    test("retire ends pages", async (ledger) => {
      await publish(ledger, livePage(), livePage(article(2)));
      await ledger.retire("publisher", [article(1)], { retired: [retired("x", 7)] });

      expect(await ledger.live("article", undefined, 9)).toEqual([livePage(article(2))]);
      expect(await ledger.due(7, undefined, 9)).toEqual([retired("x", 7)]);
    });

    test("an object that a live page has never retires", async (ledger) => {
      await publish(
        ledger,
        livePage({ route: "/a/" }),
        livePage({ ...article(2), route: "/b.xml" }),
      );
      const objects = [retired("a/index.html"), retired("b.xml"), retired("a")];
      await ledger.retire("publisher", [article(1)], { retired: objects });

      expect(await ledger.due(0, undefined, 9)).toEqual([retired("a"), retired("a/index.html")]);
    });

    test("confirm takes a page's object off; what it was is a change all the same", async (ledger) => {
      await ledger.retire("run", [], { retired: [retired("a/index.html"), retired("index.html")] });
      await ledger.confirm("run", [
        livePage({ route: "/a/" }),
        livePage({ ...idOf("home"), route: "/" }),
      ]);

      expect(await ledger.due(0, undefined, 9)).toEqual([]);
      expect((await changesOf(ledger)).map(({ route }) => route).toSorted()).toEqual(["/", "/a/"]);
    });

    test("confirm retires what moved pages left, but nothing a page has now", async (ledger) => {
      const moved = [livePage({ route: "/b/" }), livePage({ ...article(2), route: "/a/" })];
      const left = ["a/index.html", "b/index.html", "c/index.html"].map((each) => retired(each));
      await ledger.confirm("run", moved, { retired: left });

      expect(await ledger.due(0, undefined, 9)).toEqual([retired("c/index.html")]);
    });

    test("forget removes objects; those that were cached become changes", async (ledger) => {
      const asset = { ...retired("c"), isCached: false };
      await ledger.retire("run", [], { retired: [retired("a"), retired("b"), asset] });
      await ledger.forget("publisher", ["a", "c", "unknown"]);

      expect(await ledger.due(0, undefined, 9)).toEqual([retired("b")]);
      expect(await changesOf(ledger)).toEqual([
        { route: "/a", before: [], after: undefined, livesOn: false },
      ]);
    });

    test("unretire removes only the objects named", async (ledger) => {
      await ledger.retire("run", [], { retired: [retired("a"), retired("b")] });
      expect([...(await ledger.retiredAmong(["a"])).keys()]).toEqual(["a"]);
      expect(await ledger.retiredAmong(["c", "a"])).toEqual(new Map([["a", retired("a")]]));
      await ledger.unretire("publisher", ["a"]);
      expect([...(await ledger.retiredAmong(["a"])).keys()]).toEqual([]);

      expect(await ledger.due(0, undefined, 9)).toEqual([retired("b")]);
    });
  });
}
