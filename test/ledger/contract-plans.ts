import { describe, expect } from "vitest";
import { article, idOf, livePage, step } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

export function describePlans(test: LedgerTest): void {
  describe("plans", () => {
    test("a step comes back as it was staged, in page order", async (ledger) => {
      const moved = step({
        ...idOf("tag", "x"),
        phase: "lists",
        action: "update",
        reason: "row:tags/a\0b",
        from: "/tags/old/",
        start: Buffer.of(1, 2),
      });
      await ledger.stage("run", [moved, step(), step(idOf("home"))]);

      expect(await ledger.staged("run", { limit: 10 })).toEqual([
        step(),
        step(idOf("home")),
        moved,
      ]);
    });

    test("a later step for the same page replaces the earlier", async (ledger) => {
      const second = step({ phase: "deletes", action: "delete", reason: "gone" });
      const third = step({ route: "/third/" });
      await ledger.stage("run", [step(), second]);
      expect(await ledger.staged("run", { limit: 10 })).toEqual([second]);

      await ledger.stage("run", [third]);
      expect(await ledger.staged("run", { limit: 10 })).toEqual([third]);
    });

    test("steps are walked by phase, by kind, and from a page on", async (ledger) => {
      const a = [1, 2, 3].map((key) =>
        step({ ...article(key), phase: key === 2 ? "changed" : "new" }),
      );
      const b = [1, 2].map((key) => step(idOf("tag", key)));
      await ledger.stage("run", [...a, ...b]);
      const walk = (query: Omit<Parameters<typeof ledger.staged>[1], "limit">, limit = 10) =>
        ledger.staged("run", { ...query, limit });

      expect(await walk({ phase: "changed" })).toEqual([a[1]]);
      expect(await walk({ phase: "new", after: article(1) })).toEqual([a[2], ...b]);
      expect(await walk({ phase: "new", after: article(1) }, 2)).toEqual([a[2], b[0]]);
      expect(await walk({ kind: "tag" })).toEqual(b);
      expect(await walk({ kind: "tag", after: idOf("tag", 1) })).toEqual([b[1]]);
      expect(await walk({ after: idOf("tag", 2) })).toEqual([]);
    });

    test("runs do not see each other's steps, and discard forgets one plan", async (ledger) => {
      await ledger.stage("one", [step()]);
      await ledger.stage("two", [step({ reason: "two" })]);
      await ledger.discard("one");

      expect(await ledger.staged("one", { limit: 10 })).toEqual([]);
      expect(await ledger.stepsOf("two", [article(2), article(1)])).toEqual([
        undefined,
        step({ reason: "two" }),
      ]);
    });

    test("unstage takes pages out", async (ledger) => {
      await ledger.stage("run", [step(), step(article(2))]);
      await ledger.unstage("run", [article(1), article(7)]);

      expect(await ledger.staged("run", { limit: 10 })).toEqual([step(article(2))]);
    });

    test("steps are found by the route they want; deletes want none", async (ledger) => {
      const wants = step({ ...article(2), route: "/a/" });
      const goes = step({ ...article(1), route: "/a/", action: "delete", phase: "deletes" });
      const other = step({ ...article(3), route: "/A/" });
      await ledger.stage("run", [wants, goes, other]);

      expect(await ledger.stagedAt("run", ["/a/", "/b/"])).toEqual(new Map([["/a/", [wants]]]));
      expect(await ledger.stagedFolded("run", ["/a/", "/b/"])).toEqual([wants, other]);
    });

    test("clashes are the groups whose routes fold to one", async (ledger) => {
      const [upper, lower] = [
        step({ ...article(1), route: "/A/" }),
        step({ ...article(2), route: "/a/" }),
      ];
      const goes = step({ ...article(3), route: "/b/", action: "delete", phase: "deletes" });
      const twins = [4, 5].map((key) => step({ ...article(key), route: "/c/" }));
      await ledger.stage("run", [
        upper,
        lower,
        goes,
        step({ ...article(6), route: "/b/" }),
        ...twins,
      ]);

      const clashes = await ledger.stagedClashes("run", 10);

      expect(clashes).toEqual([[upper, lower], twins]);
      expect(await ledger.stagedClashes("run", 1)).toHaveLength(1);
    });

    test("counts group steps by phase, kind, action and class of reason", async (ledger) => {
      const reasons = ["row:users/ann", "row:users/b:c", "absent", ":odd", ""];
      await ledger.stage(
        "run",
        reasons.map((reason, key) => step({ ...article(key), reason })),
      );
      await ledger.stage("run", [step({ ...article(9), phase: "deletes", action: "delete" })]);

      const group = { phase: "new", kind: "article", action: "create" };
      expect(await ledger.stagedCounts("run")).toEqual([
        { ...group, reason: "", count: 2 },
        { ...group, reason: "absent", count: 1 },
        { ...group, reason: "row", count: 2 },
        { phase: "deletes", kind: "article", action: "delete", reason: "absent", count: 1 },
      ]);
    });

    test("confirm and retire end the steps of their own run only", async (ledger) => {
      await ledger.stage("run", [step(), step(article(2)), step(article(3))]);
      await ledger.stage("other", [step()]);
      await ledger.confirm("run", [livePage()]);
      await ledger.retire("run", [article(2)], {});

      expect(await ledger.staged("run", { limit: 10 })).toEqual([step(article(3))]);
      expect(await ledger.staged("other", { limit: 10 })).toEqual([step()]);
    });
  });
}
