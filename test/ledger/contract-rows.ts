import { describe, expect } from "vitest";
import type { KnownRow, Ledger, Reader, SeenRow } from "../../src/ledger/ledger.ts";
import { comparePages, encodeKey, type Key, type PageId } from "../../src/site.ts";
import { article, comparedPages, idOf, livePage } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const FAR = Number.MAX_SAFE_INTEGER;

/** What a run found at a row, with a hash of its own. */
function found(table: string, key: Key, hash: number, dueAt?: number): SeenRow {
  const deps = Buffer.from([0, hash, 255]);
  const now = { key: encodeKey(key), hash: Buffer.alloc(8, hash), deps, dueAt };
  return { table, key: now.key, now };
}

function gone(table: string, ...key: Key): SeenRow {
  return { table, key: encodeKey(key), now: undefined };
}

function rowOf({ now }: SeenRow): KnownRow {
  if (now === undefined) throw new Error("The row is gone.");
  return now;
}

/** Lets a release see rows; gives its number. */
async function release(ledger: Ledger, ...rows: readonly SeenRow[]): Promise<void> {
  await ledger.see("run", rows);
  const id = (await ledger.release()) + 1;
  await ledger.finish("run", { id, startedAt: id, finishedAt: id, report: undefined });
}

async function marksOf(ledger: Ledger, now = FAR): Promise<readonly string[]> {
  const marks = await ledger.dueRows(now, undefined, 100);
  return marks.map(({ table, key, dueAt }) => `${dueAt} ${table} ${key.toString()}`);
}

function textOf(table: string, key: Key, dueAt: number): string {
  return `${dueAt} ${table} ${encodeKey(key).toString()}`;
}

export function describeRows(test: LedgerTest): void {
  describe("rows that a run sees", () => {
    test("are known once it has finished, to the byte", async (ledger) => {
      const rows = [found("a", [1], 1), found("a", ["\0ü"], 2, 7), found("b", [1], 3, -1)];
      await ledger.see("run", rows);
      expect(await ledger.known("a", undefined, 9)).toEqual([]);

      await release(ledger);

      expect(await ledger.known("a", undefined, 9)).toEqual(
        [rows[1], rows[0]].map((row) => row?.now),
      );
      expect(await ledger.known("b", undefined, 9)).toEqual([rowOf(found("b", [1], 3, -1))]);
      expect(await ledger.seen("run", undefined, 9)).toEqual([]);
    });

    test("are walked by table and key, by bytes, from one on", async (ledger) => {
      const keys = [[-1], [1], [256], ["B"], ["a"], ["a", 1], ["é"]];
      const rows = ["A", "a", "a ", "b"].flatMap((table) =>
        keys.map((key) => found(table, key, 1)),
      );
      await ledger.see("run", rows.toReversed());
      await ledger.see("other", [gone("a", 5)]);
      const sorted = rows.toSorted(
        (a, b) =>
          Buffer.compare(Buffer.from(a.table), Buffer.from(b.table)) ||
          Buffer.compare(a.key, b.key),
      );

      const walked: SeenRow[] = [];
      for (;;) {
        const next = await ledger.seen("run", walked.at(-1), 5);
        walked.push(...next);
        if (next.length < 5) break;
      }

      expect(walked).toEqual(sorted);
      expect(await ledger.seen("run", { table: "a", key: encodeKey([256]) }, 1)).toEqual([
        found("a ", ["B"], 1),
      ]);
      expect(await ledger.seen("run", sorted.at(-1), 5)).toEqual([]);
    });

    test("count as the run found them last", async (ledger) => {
      await ledger.see("run", [found("a", [1], 1), gone("a", 2), found("a", [3], 3, 9)]);
      await ledger.see("run", [found("a", [1], 9), found("a", [2], 2, 5), gone("a", 3)]);
      expect(await ledger.seen("run", undefined, 9)).toEqual([
        found("a", [1], 9),
        found("a", [2], 2, 5),
        gone("a", 3),
      ]);

      await release(ledger);

      expect(await ledger.known("a", undefined, 9)).toEqual([
        rowOf(found("a", [1], 9)),
        rowOf(found("a", [2], 2, 5)),
      ]);
      expect(await marksOf(ledger)).toEqual([textOf("a", [2], 5)]);
    });

    test("change, replace and remove what is known of them, and of no other", async (ledger) => {
      await release(ledger, ...[1, 2, 3].map((n) => found("a", [n], n, n)), found("b", [1], 1, 1));
      await release(ledger, found("a", [1], 9), gone("a", 2), gone("a", 8), found("a", [4], 4, 2));

      expect(await ledger.known("a", undefined, 9)).toEqual([
        rowOf(found("a", [1], 9)),
        rowOf(found("a", [3], 3, 3)),
        rowOf(found("a", [4], 4, 2)),
      ]);
      expect(await ledger.known("b", undefined, 9)).toEqual([rowOf(found("b", [1], 1, 1))]);
      expect(await marksOf(ledger)).toEqual([
        textOf("b", [1], 1),
        textOf("a", [4], 2),
        textOf("a", [3], 3),
      ]);
    });

    test("are forgotten when the run is discarded or gives the ledger up", async (ledger) => {
      await ledger.see("one", [found("a", [1], 1)]);
      await ledger.see("two", [found("a", [1], 2)]);
      await ledger.discard("one");
      await ledger.yieldClaim("two");

      expect(await ledger.seen("one", undefined, 9)).toEqual([]);
      expect(await ledger.seen("two", undefined, 9)).toEqual([]);
      await release(ledger);
      expect(await ledger.known("a", undefined, 9)).toEqual([]);
    });

    test("are not known from another run, nor from one that may not finish", async (ledger) => {
      await ledger.see("slow", [found("a", [1], 1, 1)]);
      await ledger.claim("slow", { release: 0, nowMs: 0, leaseMs: 1 });
      await ledger.claim("run", { release: 0, nowMs: 5, leaseMs: 1 });
      const finished = { id: 1, startedAt: 1, finishedAt: 1, report: undefined };
      await expect(ledger.finish("slow", finished, { basis: "slow" })).rejects.toMatchObject({
        code: "run_conflict",
      });
      expect(await ledger.seen("slow", undefined, 9)).toHaveLength(1);

      await release(ledger, found("a", [2], 2));

      expect(await ledger.known("a", undefined, 9)).toEqual([rowOf(found("a", [2], 2))]);
      expect(await ledger.seen("slow", undefined, 9)).toEqual([]);
      expect(await marksOf(ledger)).toEqual([]);
      expect(await ledger.note("basis")).toBeUndefined();
    });

    test("may be due in the year 9999, which no safe integer holds", async (ledger) => {
      const far = 253_402_300_799_000_000;
      await release(ledger, found("a", [1], 1, far), found("a", [2], 1, -far));

      const rows = await ledger.known("a", undefined, 9);

      expect(rows.map(({ dueAt }) => dueAt)).toEqual([far, -far]);
      const marks = await ledger.dueRows(far, undefined, 9);
      expect(marks.map(({ dueAt }) => dueAt)).toEqual([-far, far]);
    });

    test("can be many", async (ledger) => {
      const rows = Array.from({ length: 1201 }, (_, n) =>
        found("a", [n], n % 200, n % 3 ? n : undefined),
      );
      await release(ledger, ...rows);
      await release(
        ledger,
        ...rows.filter((_, n) => n % 2).map(({ key }) => ({ table: "a", key, now: undefined })),
      );

      const left = rows.filter((_, n) => n % 2 === 0);
      expect(await ledger.known("a", undefined, 2000)).toEqual(left.map(rowOf));
      expect(await ledger.knownOf("a", rows.map(({ key }) => key).toReversed())).toEqual(
        rows.map((row, n) => (n % 2 ? undefined : row.now)).toReversed(),
      );
      const due = left.flatMap(({ now }) => now?.dueAt ?? []);
      expect((await ledger.dueRows(FAR, undefined, 2000)).map(({ dueAt }) => dueAt)).toEqual(due);
    });
  });

  describe("known rows", () => {
    test("are walked in key order from one on, table by table", async (ledger) => {
      const rows = [["a"], ["a", 1], ["b"], [1], [-5]].map((key, n) => found("t", key, n));
      await release(ledger, ...rows, found("T", ["x"], 1), found("t ", ["x"], 1));
      const sorted = rows.map(rowOf).sort((a, b) => Buffer.compare(a.key, b.key));

      const first = await ledger.known("t", undefined, 2);
      const rest = await ledger.known("t", first.at(-1)?.key, 9);

      expect([...first, ...rest]).toEqual(sorted);
      expect(first).toHaveLength(2);
      expect(await ledger.known("none", undefined, 9)).toEqual([]);
    });

    test("are found by key in the order asked for", async (ledger) => {
      await release(ledger, found("t", [1], 1), found("t", [2], 2), found("u", [3], 3));

      const asked = [[3], [2], [9], [1], [2]].map(encodeKey);
      expect(await ledger.knownOf("t", asked)).toEqual([
        undefined,
        rowOf(found("t", [2], 2)),
        undefined,
        rowOf(found("t", [1], 1)),
        rowOf(found("t", [2], 2)),
      ]);
      expect(await ledger.knownOf("t", [])).toEqual([]);
    });
  });

  describe("rows that are due", () => {
    test("come by moment, then table and key; ties are told apart from one on", async (ledger) => {
      const marks = [
        found("b", [1], 1, 5),
        ...[1, 2, 3].map((n) => found("a", [n], 1, 5)),
        found("c", ["x"], 1, -3),
        found("a", [4], 1, 6),
        found("a", [5], 1, 7),
        found("a", [6], 1),
      ];
      await release(ledger, ...marks);
      const walk = async (limit: number) => {
        const all: Awaited<ReturnType<typeof ledger.dueRows>>[number][] = [];
        for (let next = await ledger.dueRows(6, undefined, limit); next.length > 0; ) {
          all.push(...next);
          next = all.length > 9 ? [] : await ledger.dueRows(6, all.at(-1), limit);
        }
        return all;
      };

      const expected = [
        { dueAt: -3, table: "c", key: encodeKey(["x"]) },
        ...[1, 2, 3].map((n) => ({ dueAt: 5, table: "a", key: encodeKey([n]) })),
        { dueAt: 5, table: "b", key: encodeKey([1]) },
        { dueAt: 6, table: "a", key: encodeKey([4]) },
      ];
      for (const limit of [1, 2, 3, 100]) expect(await walk(limit)).toEqual(expected);
    });
  });

  describe("readers", () => {
    const reader = (read: string, page = article(1)): Reader => ({
      ...page,
      read: Buffer.from(read, "latin1"),
    });
    const bytes = (text: string) => Buffer.from(text, "latin1");

    test("are found by what they share, until they drop it", async (ledger) => {
      const tag = idOf("tag", "x");
      await ledger.confirm("run", [livePage()], {
        added: [reader("ann"), reader("bob"), reader("ann", tag), reader("an")],
      });
      expect(comparedPages(await ledger.readers([bytes("ann"), bytes("none")]))).toEqual([
        article(1),
        tag,
      ]);

      await ledger.confirm("run", [livePage()], {
        added: [reader("eve")],
        dropped: [reader("ann")],
      });

      expect(await ledger.readers([bytes("ann")])).toEqual([tag]);
      expect(await ledger.readers([bytes("eve")])).toEqual([article(1)]);
      expect(await ledger.readers([])).toEqual([]);
    });

    test("are dropped and added in one go when a page shares what it did", async (ledger) => {
      await ledger.confirm("run", [], { added: [reader("ann"), reader("ann")] });
      await ledger.confirm("run", [], {
        added: [reader("ann")],
        dropped: [reader("ann"), reader("never")],
      });

      expect(await ledger.readers([bytes("ann")])).toEqual([article(1)]);
    });

    test("of pages that retire go with them", async (ledger) => {
      await ledger.confirm("run", [livePage()], { added: [reader("ann"), reader("bob")] });
      await ledger.retire("run", [article(1)], {
        dropped: [reader("ann"), reader("bob")],
        added: [reader("ann", article(2))],
      });

      expect(await ledger.readers([bytes("ann"), bytes("bob")])).toEqual([article(2)]);
    });

    test("are found in a range of bytes, its ends included", async (ledger) => {
      const places = ["p\u0000", "p\u0001", "p\u0001\u0000", "p\u007f", "p\u00fe", "p\u00ff", "q"];
      await ledger.confirm("run", [], { added: places.map((read, n) => reader(read, article(n))) });
      const between = async (from: string, to: string) =>
        comparedPages(await ledger.readersBetween(bytes(from), bytes(to)));

      expect(await between("p\u0001", "p\u007f")).toEqual([1, 2, 3].map(article));
      expect(await between("p", "p\u00ff")).toEqual([0, 1, 2, 3, 4, 5].map(article));
      expect(await between("q", "p")).toEqual([]);
    });

    test("are kept from a run that lost the ledger", async (ledger) => {
      await ledger.claim("quick", { release: 0, nowMs: 0, leaseMs: 9 });
      const slow = ledger.confirm("slow", [], { added: [reader("ann")] });

      await expect(slow).rejects.toMatchObject({ code: "run_conflict" });
      expect(await ledger.readers([bytes("ann")])).toEqual([]);
    });

    test("are asked for in any number", async (ledger) => {
      const many = Array.from({ length: 1201 }, (_, n) => reader(`read ${n}`, article(n)));
      await ledger.confirm("run", [], { added: many });

      const all = await ledger.readers(many.map(({ read }) => read));

      expect(comparedPages(all)).toEqual(many.map(({ kind, key }) => ({ kind, key })));
    });
  });

  test("lastUpTo gives the last page of a kind at or before a key", async (ledger) => {
    const pages = [livePage(idOf("a", 9)), ...[1, 3, 5].map((n) => livePage(idOf("b", n)))];
    await ledger.confirm("run", [...pages, livePage(idOf("c", 1))]);
    const last = (kind: string, ...key: Key) => ledger.lastUpTo(kind, encodeKey(key));

    expect(await last("b", 3)).toEqual(encodeKey([3]));
    expect(await last("b", 4)).toEqual(encodeKey([3]));
    expect(await last("b", 256)).toEqual(encodeKey([5]));
    expect(await last("b", 0)).toBeUndefined();
    expect(await last("b", "text sorts first")).toBeUndefined();
    expect(await last("none", 1)).toBeUndefined();
  });

  test("pages that runs rebuilt are kept until a run rebuilt none", async (ledger) => {
    const pages = [idOf("article", 1), idOf("article", 2), idOf("Tag", "é"), idOf("tag", "a")];
    const finish = (id: number, rebuilt?: readonly PageId[], isAll = false) =>
      ledger.finish(
        "run",
        { id, startedAt: id, finishedAt: id, report: undefined },
        {},
        rebuilt && { pages: rebuilt, isAll },
      );
    await finish(1, pages.slice(1));
    await finish(2, pages.slice(0, 2));
    await finish(3, []);

    const all = await ledger.rebuilt(undefined, 9);
    const [first, second] = [await ledger.rebuilt(undefined, 2), await ledger.rebuilt(all[1], 9)];
    await finish(4, pages.slice(0, 1), true);
    const added = await ledger.rebuilt(undefined, 9);
    await finish(5);

    expect(added).toEqual(pages.slice(0, 1));
    expect(all).toEqual(pages.toSorted(comparePages));
    expect([...first, ...second]).toEqual(all);
    expect(await ledger.rebuilt(undefined, 9)).toEqual([]);
  });

  test("finish writes its notes with the release, and only then", async (ledger) => {
    await ledger.setNote("kept", "old");
    const release = { startedAt: 1, finishedAt: 1, report: undefined };
    await ledger.finish("run", { id: 1, ...release }, { basis: "naïve", kept: "new", "": "empty" });
    const refused = ledger.finish("run", { id: 1, ...release }, { basis: "twice" });

    await expect(refused).rejects.toMatchObject({ code: "run_conflict" });
    expect(await ledger.note("basis")).toBe("naïve");
    expect(await ledger.note("kept")).toBe("new");
    expect(await ledger.note("")).toBe("empty");
  });
}
