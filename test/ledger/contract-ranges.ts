import { describe, expect } from "vitest";
import type { KnownRange, Ledger, SeenRow } from "../../src/ledger/ledger.ts";
import { encodeKey } from "../../src/site.ts";
import type { LedgerTest } from "./ledger-contract.ts";

/** A range that begins after a number; 0 is the first one. */
function from(after: number, sum?: number): KnownRange {
  const start = after === 0 ? Buffer.alloc(0) : encodeKey([after]);
  return { start, checksum: sum === undefined ? undefined : Buffer.alloc(8, sum) };
}

function row(table: string, id: number, hash: number, dueAt?: number): SeenRow {
  const key = encodeKey([id]);
  return { table, key, now: { key, hash: Buffer.alloc(8, hash), deps: Buffer.alloc(1), dueAt } };
}

async function release(ledger: Ledger, ...rows: readonly SeenRow[]): Promise<void> {
  await ledger.see("run", rows);
  const id = (await ledger.release()) + 1;
  await ledger.finish("run", { id, startedAt: id, finishedAt: id, report: undefined });
}

/** Starts and sums, `?` for one that is not known. */
async function known(ledger: Ledger, table = "a"): Promise<string> {
  const ranges = await ledger.ranges(table, undefined, 100);
  const numbers = ranges.map(
    ({ start, checksum }) => `${[...start].at(-1) ?? 0}=${checksum?.[0] ?? "?"}`,
  );
  return numbers.join(" ");
}

/** Rows 1 to 9 in ranges that begin after 0, 3 and 6. */
async function nine(ledger: Ledger): Promise<void> {
  const ranges = [from(0, 1), from(3, 2), from(6, 3)];
  await ledger.seeRanges("run", { table: "a", ranges, gone: [] });
  await release(ledger, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((id) => row("a", id, id)));
}

export function describeRanges(test: LedgerTest): void {
  describe("ranges of rows", () => {
    test("are known once the run that found them has finished", async (ledger) => {
      await ledger.seeRanges("run", { table: "a", ranges: [from(3), from(0, 1)], gone: [] });
      await ledger.seeRanges("run", { table: "b", ranges: [from(0, 9)], gone: [] });
      await ledger.seeRanges("other", { table: "a", ranges: [from(0, 7)], gone: [] });
      expect(await ledger.ranges("a", undefined, 9)).toEqual([]);

      await release(ledger);

      expect(await ledger.ranges("a", undefined, 9)).toEqual([from(0, 1), from(3)]);
      expect(await ledger.ranges("a", from(0).start, 9)).toEqual([from(3)]);
      expect(await ledger.ranges("a", undefined, 1)).toEqual([from(0, 1)]);
      expect(await ledger.ranges("b", undefined, 9)).toEqual([from(0, 9)]);
      await release(ledger);
      expect(await known(ledger)).toBe("0=1 3=?");
    });

    test("are known of a run that found nothing else, unless a release came meanwhile", async (ledger) => {
      await nine(ledger);
      await release(ledger, row("a", 5, 55));
      const found = { table: "a", ranges: [from(3, 5), from(6)], gone: [] };
      await ledger.seeRanges("run", found);
      await ledger.settleRanges("run", 1);
      expect(await known(ledger)).toBe("0=1 3=? 6=3");

      await ledger.settleRanges("run", 2);

      expect(await known(ledger)).toBe("0=1 3=5 6=?");
    });

    test("count as the run found them last", async (ledger) => {
      await nine(ledger);
      const gone = [from(3).start, from(6).start];
      await ledger.seeRanges("run", { table: "a", ranges: [from(0, 5)], gone });
      await ledger.seeRanges("run", { table: "a", ranges: [from(6, 6)], gone: [] });

      await release(ledger);

      expect(await known(ledger)).toBe("0=5 6=6");
    });

    test("lose their checksum when a row of theirs becomes known otherwise", async (ledger) => {
      await nine(ledger);
      await release(ledger, row("a", 3, 33), row("a", 7, 77), row("a", 8, 8));
      expect(await known(ledger)).toBe("0=? 3=2 6=?");

      await release(ledger, { table: "a", key: encodeKey([6]), now: undefined });
      expect(await known(ledger)).toBe("0=? 3=? 6=?");
    });

    test("lose it for a row that is new, the first one of all, too", async (ledger) => {
      await ledger.seeRanges("run", { table: "a", ranges: [from(0, 1)], gone: [] });
      await release(ledger);
      await release(ledger, row("a", 5, 5));

      expect(await known(ledger)).toBe("0=?");
    });

    test("keep it for rows of other tables, and what the clock does", async (ledger) => {
      await nine(ledger);
      await release(ledger, row("b", 3, 3), row("a", 3, 3, 99));

      expect(await known(ledger)).toBe("0=1 3=2 6=3");
    });

    test("keep what the run found whose rows became known", async (ledger) => {
      await nine(ledger);
      await ledger.seeRanges("run", { table: "a", ranges: [from(3, 8)], gone: [] });
      await release(ledger, row("a", 5, 55), row("a", 9, 99));

      expect(await known(ledger)).toBe("0=1 3=8 6=?");
    });

    test("are forgotten when the run is discarded or gives the ledger up", async (ledger) => {
      const seen = { table: "a", ranges: [from(0, 1)], gone: [] };
      for (const leave of [ledger.discard, ledger.yieldClaim]) {
        await ledger.seeRanges("run", seen);
        await leave("run");
      }
      await release(ledger);

      expect(await known(ledger)).toBe("");
    });
  });
}
