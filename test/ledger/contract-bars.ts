import { describe, expect } from "vitest";
import type { Bar, KnownBar, Ledger } from "../../src/ledger/ledger.ts";
import type { PageId } from "../../src/site.ts";
import { article, freezeInto, idOf, intent, livePage, plain, publish } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const SINCE = 1_735_689_600_000_000;
const NOBODY = { settled: [], unsettled: [] };
const barredError = expect.objectContaining({ code: "page_barred" });

function barOf(parts: Partial<Bar> = {}): Bar {
  const { kind, key } = { ...article(1), ...parts };
  const rest = { isBelow: false, route: "/a/", since: SINCE, reason: "", isErased: false };
  return { kind, key, ...rest, ...parts };
}

function removed(ids: readonly PageId[], items: readonly string[] = []) {
  return ids.map((id) => ({ ...id, items }));
}

/** The only bar of a ledger. */
async function theBar(ledger: Ledger): Promise<KnownBar> {
  const [one, ...more] = await ledger.bars();
  if (one === undefined || more.length > 0) throw new Error(`There are ${more.length} more bars.`);
  return one;
}

export function describeBars(test: LedgerTest): void {
  describe("pages that are taken down", () => {
    test("are listed to the byte, in page order", async (ledger) => {
      const reason = "Asked for by its author ✓";
      await ledger.bar([barOf({ ...article(2), route: "/é/", reason, isErased: true })]);
      await ledger.bar([barOf(), barOf({ ...idOf("Tag", "x "), isBelow: true })]);

      const all = (await ledger.bars()).map(plain);
      expect(all.map((each) => (each as Bar).kind)).toEqual(["Tag", "article", "article"]);
      expect(all[2]).toEqual(
        plain({
          ...barOf({ ...article(2), route: "/é/", reason, isErased: true }),
          ...{ state: "removed", routes: ["/é/"], isErasing: false },
        }),
      );
    });

    test("are no longer known to be stored, nor to fail, and stay live until they are retired", async (ledger) => {
      await publish(ledger, livePage({ route: "/now/" }), livePage({ ...article(2) }));
      const failed = { code: "row_invalid", message: "", at: "{}" };
      await ledger.quarantine(
        [
          { ...article(1), ...failed },
          { ...article(2), ...failed },
        ],
        [],
      );
      await ledger.bar([barOf()]);

      const [one, two] = await ledger.pages([article(1), article(2)]);
      expect([one?.hash, one?.etag, two?.hash]).toEqual([undefined, undefined, livePage().hash]);
      expect((await ledger.quarantined()).map(plain)).toMatchObject([plain(article(2))]);
      expect(await theBar(ledger)).toMatchObject({
        ...{ state: "pending", route: "/now/", routes: ["/a/", "/now/"] },
      });
    });

    test("are refused as intents, and nothing of those is recorded", async (ledger) => {
      await ledger.bar([barOf()]);
      const intents = [intent({ ...article(2) }), intent({ ...article(1), route: "/new/" })];

      await expect(
        ledger.intend("publisher", intents, [{ ...livePage({ route: "/new/" }), tags: [] }]),
      ).rejects.toEqual(barredError);
      expect([await ledger.intents(), await ledger.hasOutbox()]).toEqual([[], false]);
    });

    test("of a list stand for its archive", async (ledger) => {
      const below = [idOf("tag", "x"), idOf("tag", "x", "2024", 1)];
      const others = [idOf("tag", "xy"), idOf("list", "x"), idOf("tag")];
      await publish(ledger, ...below.map((each) => livePage({ ...each, route: `/${each.key}/` })));
      await publish(ledger, ...others.map((each) => livePage(each)));
      await ledger.bar([barOf({ ...idOf("tag", "x"), isBelow: true })]);

      const found = await ledger.barred([...below, ...others]);
      expect(found.map((each) => each?.kind)).toEqual(["tag", "tag", ...Array(3)]);
      await expect(
        ledger.intend("publisher", [intent(idOf("tag", "x", "2025", 1))], []),
      ).rejects.toEqual(barredError);
      await ledger.intend("publisher", others.map(intent), []);
      const live = await ledger.pages([...below, ...others]);
      expect(live.map((page) => page?.hash === undefined)).toEqual([
        true,
        true,
        ...Array(3).fill(false),
      ]);
      expect((await theBar(ledger)).routes).toEqual(["/a/", ...below.map(({ key }) => `/${key}/`)]);
    });

    test("keep others from their routes until their objects are removed", async (ledger) => {
      await publish(ledger, livePage({ route: "/now/" }));
      await ledger.bar([barOf()]);
      const other = intent({ ...article(2), route: "/now/" });

      await expect(ledger.intend("publisher", [other], [])).rejects.toEqual(barredError);
      await ledger.removed({ ...NOBODY, settled: removed([article(1)]) }, 5);
      await ledger.intend("publisher", [other], []);
      expect(await ledger.intents()).toHaveLength(1);
    });

    test("whose put had begun are awaited, until it is known what became of it", async (ledger) => {
      await ledger.intend("publisher", [intent({ route: "/moving/" })], []);
      await ledger.bar([barOf()]);
      expect(await theBar(ledger)).toMatchObject({ state: "pending", routes: ["/a/", "/moving/"] });
      await ledger.removed({ ...NOBODY, unsettled: removed([article(1)]) }, 5);
      expect(await theBar(ledger)).toMatchObject({ state: "awaited" });

      await ledger.confirm("run", [livePage({ route: "/moving/" })]);
      await ledger.removed({ ...NOBODY, settled: removed([article(1)]) }, 5);
      expect(await theBar(ledger)).toMatchObject({ state: "removed" });
      expect((await ledger.pages([article(1)]))[0]?.hash).toBeUndefined();
    });

    test("are removed together with urgent batches of what caches hold of them", async (ledger) => {
      await ledger.recall(["/other/"]);
      await freezeInto(ledger, [["/other/"]]);
      await publish(ledger, livePage());
      await ledger.bar([barOf()]);
      const items = ["/b/", "/a/", "/c/", "/a/"];
      const gone = { ...NOBODY, settled: removed([article(1)], items) };
      await ledger.removed(gone, 2);
      // Another process has done the same.
      await ledger.removed(gone, 2);

      const urgent = await ledger.urgent();
      expect(urgent.map(({ items }) => items)).toEqual([["/a/", "/b/"], ["/c/"]]);
      expect((await ledger.outbox()).slice(1).map(({ id }) => id)).toEqual(
        urgent.map(({ id }) => id),
      );
      for (const { id } of urgent) await ledger.completed(id);
      expect(await ledger.urgent()).toEqual([]);
    });

    test("keep moment and reason when they are taken down again, and may gain more", async (ledger) => {
      await publish(ledger, livePage({ route: "/now/" }));
      await ledger.bar([barOf({ reason: "first" })]);
      await ledger.removed({ ...NOBODY, settled: removed([article(1)]) }, 5);
      await ledger.bar([barOf({ since: SINCE + 1, isErased: true })]);
      const told = { since: SINCE, reason: "first", state: "removed", isErasing: true };
      expect(await theBar(ledger)).toMatchObject(told);
      await ledger.erased([article(1)]);
      await ledger.bar([barOf({ since: SINCE + 1, isErased: true })]);
      expect(await theBar(ledger)).toMatchObject({ isErased: true, isErasing: false });
      expect(await theBar(ledger)).toMatchObject({
        since: SINCE,
        reason: "first",
        state: "removed",
      });

      await ledger.bar([barOf({ since: SINCE + 1, isErased: true })], { isAgain: true });
      const again = { since: SINCE, reason: "first", state: "pending", isErased: true };
      expect(await theBar(ledger)).toMatchObject({ ...again, isErasing: true });
      await ledger.erased([article(1)]);
      expect(await theBar(ledger)).toMatchObject({ isErased: true, isErasing: false });
    });

    test("that are erased are removed from their former routes, too", async (ledger) => {
      const left = [{ ...article(1), route: "/old/" }];
      await ledger.importFormer(left, { redirects: "redirect", notes: {} });
      await publish(ledger, livePage({ route: "/now/" }));
      await ledger.bar([barOf({ isErased: true })]);

      expect(await theBar(ledger)).toMatchObject({
        ...{ routes: ["/a/", "/now/", "/old/"], isErasing: true },
      });
    });

    test("are lifted at once, and forgotten when that has been dealt with", async (ledger) => {
      const ids: readonly PageId[] = [article(1)];
      await ledger.bar([barOf()]);
      await ledger.dropLifted(ids);
      expect(await ledger.bars()).toHaveLength(1);

      await ledger.lift(ids);
      expect(await ledger.barred(ids)).toEqual([undefined]);
      expect(await theBar(ledger)).toMatchObject({ state: "lifted" });
      await ledger.intend("publisher", [intent()], []);
      await ledger.removed({ ...NOBODY, settled: removed(ids) }, 5);
      expect(await theBar(ledger)).toMatchObject({ state: "lifted" });
      await ledger.dropLifted(ids);
      expect(await ledger.bars()).toEqual([]);
    });

    test("that were lifted and come back begin anew", async (ledger) => {
      await ledger.bar([barOf({ reason: "first", isErased: true })]);
      await ledger.lift([article(1)]);
      await ledger.bar([barOf({ since: SINCE + 1 })]);

      const anew = { since: SINCE + 1, reason: "", isErased: false, state: "removed" };
      expect(await theBar(ledger)).toMatchObject(anew);
    });

    test("need no claim, of which one can be told", async (ledger) => {
      expect(await ledger.isClaimed(0)).toBe(false);
      await ledger.claim("run", { release: 0, nowMs: 0, leaseMs: 10 });
      await ledger.bar([barOf()]);

      expect([await ledger.isClaimed(9), await ledger.isClaimed(10)]).toEqual([true, false]);
      await ledger.yieldClaim("run");
      expect(await ledger.isClaimed(0)).toBe(false);
    });
  });
}
