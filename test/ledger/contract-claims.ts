import { describe, expect } from "vitest";
import { article, freezeInto, intent, livePage, step } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const NOW = 1_735_689_600_000;
const CLAIM = { release: 0, nowMs: NOW, leaseMs: 60_000 };
const LATER = { ...CLAIM, nowMs: NOW + 60_000 };
const conflict = expect.objectContaining({ code: "run_conflict" });

export function describeClaims(test: LedgerTest): void {
  describe("claims and releases", () => {
    test("one run holds the ledger and may renew; another is refused", async (ledger) => {
      await ledger.claim("one", CLAIM);
      await ledger.claim("one", { ...CLAIM, nowMs: NOW + 50_000 });

      await expect(ledger.claim("two", LATER)).rejects.toEqual(conflict);
    });

    test("who lost the ledger to one who left no mark does not hold on to it by its own", async (ledger) => {
      const marked = { ...CLAIM, mark: { name: "publisher", was: undefined } };
      await ledger.claim("slow", marked);
      await ledger.claim("quick", LATER);

      const again = { ...marked, nowMs: LATER.nowMs + 1 };
      await expect(ledger.claim("slow", again)).rejects.toEqual(conflict);
    });

    test("who planned before anything was written cannot claim, whichever note tells of it", async (ledger) => {
      for (let nth = 0; nth < 40; nth += 1) {
        const since = await ledger.notes();
        await ledger.claim("writer", { ...CLAIM, since });
        await ledger.confirm("writer", [livePage()]);

        await expect(ledger.claim("writer", { ...CLAIM, since })).rejects.toEqual(conflict);
      }
    });

    test("an expired claim can be taken; the slow run finds out wherever it writes", async (ledger) => {
      await ledger.claim("slow", CLAIM);
      await ledger.claim("quick", LATER);

      await expect(ledger.claim("slow", LATER)).rejects.toEqual(conflict);
      await expect(ledger.confirm("slow", [livePage()])).rejects.toEqual(conflict);
      await expect(ledger.retire("slow", [article(1)], {})).rejects.toEqual(conflict);
      await expect(ledger.intend("slow", [intent()], [])).rejects.toEqual(conflict);
      await expect(ledger.doubt("slow", [intent()], 1)).rejects.toEqual(conflict);
      await expect(ledger.doubtAll("slow")).rejects.toEqual(conflict);
      await expect(ledger.dateRetired("slow", 0, 0)).rejects.toEqual(conflict);
      await expect(ledger.forget("slow", ["a"])).rejects.toEqual(conflict);
      await expect(ledger.unretire("slow", ["a"])).rejects.toEqual(conflict);
      await expect(freezeInto(ledger, [], { run: "slow" })).rejects.toEqual(conflict);
      await expect(
        ledger.finish("slow", { id: 1, startedAt: 1, finishedAt: 2, report: "" }),
      ).rejects.toEqual(conflict);
      expect(await ledger.countLive()).toBe(0);
    });

    test("the slow run is refused even after the quick one has finished", async (ledger) => {
      await ledger.claim("slow", CLAIM);
      await ledger.claim("quick", LATER);
      await ledger.finish("quick", { id: 1, startedAt: 1, finishedAt: 2, report: undefined });

      await expect(ledger.confirm("slow", [livePage()])).rejects.toEqual(conflict);
    });

    test("a slow run that wakes displaces nothing of what another is putting", async (ledger) => {
      const retired = { object: "gone/index.html", dueAt: undefined, stays: 5, isCached: true };
      await ledger.claim("slow", CLAIM);
      await ledger.claim("quick", LATER);
      await ledger.retire("quick", [], { retired: [retired] });
      await ledger.intend("quick", [intent({ route: "/new/" })], []);

      const old = [intent({ route: "/old/" }), intent(article(2))];
      for (const late of [
        () => ledger.intend("slow", old, []),
        () => ledger.doubt("slow", old, 1),
        () => ledger.dateRetired("slow", 5, 0),
        () => ledger.forget("slow", [retired.object]),
      ]) {
        await expect(late()).rejects.toEqual(conflict);
      }

      expect(await ledger.intents()).toEqual([intent({ route: "/new/" })]);
      expect(await ledger.countLive()).toBe(0);
      expect(await ledger.retired(9)).toEqual([retired]);
    });

    test("a claim leaves the run's name, unless another has left its own meanwhile", async (ledger) => {
      const marked = (was: string | undefined) => ({ ...CLAIM, mark: { name: "publisher", was } });
      await ledger.claim("one", marked(undefined));
      await ledger.claim("one", marked(undefined));
      await ledger.yieldClaim("one");

      await expect(ledger.claim("two", marked(undefined))).rejects.toEqual(conflict);
      expect(await ledger.note("publisher")).toBe("one");
      await ledger.claim("two", marked("one"));
      expect([...(await ledger.notes())].sort()).toEqual([
        ["kept_since", "1"],
        ["publisher", "two"],
      ]);
    });

    test("a claim that is given up is free at once, and its plan forgotten", async (ledger) => {
      await ledger.stage("one", [step()]);
      await ledger.claim("one", CLAIM);
      await ledger.yieldClaim("one");

      await ledger.claim("two", CLAIM);
      expect(await ledger.staged("one", { limit: 1 })).toEqual([]);
    });

    test("a run that does not hold the ledger frees nobody's claim", async (ledger) => {
      await ledger.claim("one", CLAIM);
      await ledger.yieldClaim("two");

      await expect(ledger.claim("two", CLAIM)).rejects.toEqual(conflict);
    });

    test("a plan made on an older release cannot be claimed for", async (ledger) => {
      await ledger.claim("one", CLAIM);
      await ledger.finish("one", { id: 1, startedAt: 1, finishedAt: 2, report: "{}" });

      await expect(ledger.claim("two", CLAIM)).rejects.toEqual(conflict);
      await ledger.claim("two", { ...CLAIM, release: 1 });
    });

    test("a plan lives on while another run holds the ledger, until that one finishes", async (ledger) => {
      await ledger.stage("planning", [step()]);
      await ledger.claim("one", CLAIM);
      expect(await ledger.staged("planning", { limit: 1 })).toEqual([step()]);

      await ledger.finish("one", { id: 1, startedAt: 1, finishedAt: 2, report: "{}" });
      expect(await ledger.staged("planning", { limit: 1 })).toEqual([]);
    });

    test("finish numbers releases without a gap, newest first", async (ledger) => {
      const release = (id: number) => ({
        id,
        startedAt: id,
        finishedAt: id + 1,
        report: `{"id":${id}}`,
      });
      await expect(ledger.finish("run", release(2))).rejects.toEqual(conflict);
      for (const id of [1, 2, 3]) await ledger.finish("run", release(id));
      await expect(ledger.finish("run", release(3))).rejects.toEqual(conflict);

      expect(await ledger.release()).toBe(3);
      expect(await ledger.releases(2)).toEqual([release(3), release(2)]);
      expect(await ledger.releases(1, 2)).toEqual([release(2)]);
    });

    test("of runs that race for the ledger one wins", async (ledger, place) => {
      const others = await Promise.all([place.open(), place.open(), place.open()]);
      const all = [ledger, ...others];

      const raced = await Promise.allSettled(all.map((each, at) => each.claim(`run ${at}`, CLAIM)));

      expect(raced.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      await Promise.all(others.map((each) => each[Symbol.asyncDispose]()));
    });
  });
}
