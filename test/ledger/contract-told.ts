import { describe, expect } from "vitest";
import type { Lane, Told } from "../../src/ledger/ledger.ts";
import { encodeKey } from "../../src/site.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const row = (table: string, key: number | string, lane: Lane = "urgent", committedAt = 0): Told => {
  return { table, lane, key: encodeKey([key]), committedAt };
};
const keys = (table: string, after?: number, upTo?: number): Told => ({
  table,
  lane: "compare",
  key: after === undefined ? undefined : encodeKey([after]),
  upTo: upTo === undefined ? undefined : encodeKey([upTo]),
  committedAt: 0,
});
const named = (told: readonly Told[]) =>
  told.map(({ table, lane, key, upTo }) => {
    const text = [key, upTo].map((each) => each && Buffer.from(each).toString("hex"));
    return `${lane} ${table}/${text.join("-")}`;
  });

export function describeTold(test: LedgerTest): void {
  describe("rows that a feed told of", () => {
    test("stand with the position after them, what is urgent first, then by commit and key", async (ledger, place) => {
      const [bulk, urgent] = [row("posts", 0, "bulk", -5), row("posts", 3, "urgent", -1)];
      const rows = [keys("posts"), row("posts", 2), row("posts", 1), row("authors", "é")];
      expect(await ledger.toldUpTo()).toBeUndefined();

      await ledger.tell([...rows, bulk, urgent], "mariadb:0-1-7");

      await using other = await place.open();
      expect(await other.toldUpTo()).toBe("mariadb:0-1-7");
      const order = [
        urgent,
        ...[row("authors", "é"), row("posts", 1), row("posts", 2)],
        bulk,
        keys("posts"),
      ];
      expect(named(await other.told(9))).toEqual(named(order));
      expect(named(await other.told(2))).toEqual(named(order.slice(0, 2)));
      expect(named(await other.told(9, "bulk"))).toEqual(named([bulk]));
    });

    test("go when a run has looked at them, unless they were told again", async (ledger) => {
      await ledger.tell([row("posts", 1), row("posts", 2), keys("posts")], "a");
      const seen = await ledger.told(9);
      await ledger.tell([row("posts", 2), row("posts", 1, "bulk")], "b");

      await ledger.heed(seen);
      await ledger.heed(seen);

      const left = [row("posts", 2), row("posts", 1, "bulk")];
      expect(named(await ledger.told(9))).toEqual(named(left));
      await ledger.heed(await ledger.told(9));
      expect(await ledger.told(9)).toEqual([]);
      expect(await ledger.toldUpTo()).toBe("b");
    });

    test("stay when the feed's position is forgotten; a position needs no rows", async (ledger) => {
      await ledger.tell([row("posts", 1)], "a");
      await ledger.tell([], "b");
      expect(await ledger.toldUpTo()).toBe("b");

      await ledger.forgetTold();

      expect(await ledger.toldUpTo()).toBeUndefined();
      expect(named(await ledger.told(9))).toEqual(named([row("posts", 1)]));
    });

    test("that are to be compared become rows and what is left of them, unless told again", async (ledger) => {
      await ledger.tell([keys("posts", 1, 9)], "a");
      const [span] = await ledger.told(9);
      const found = [row("posts", 2, "bulk"), keys("posts", 5, 9)];

      await ledger.heed(span ? [span] : [], found);

      expect(named(await ledger.told(9))).toEqual(named(found));
      const seen = await ledger.told(9, "compare");
      await ledger.tell([keys("posts", 5, 7), keys("posts", 3)], "b");
      await ledger.heed(seen, [row("posts", 6, "bulk")]);
      const left = [row("posts", 2, "bulk"), row("posts", 6, "bulk"), keys("posts", 3)];
      expect(named(await ledger.told(9))).toEqual(named([...left, keys("posts", 5, 9)]));
    });

    test("are known by key, and so are those that stand among keys to compare", async (ledger) => {
      const told = [row("posts", 1), row("posts", 2, "bulk"), keys("posts", 4, 6), keys("authors")];
      await ledger.tell(told, "a");
      const ask = (table: string, ...all: readonly number[]) =>
        ledger.areTold(
          table,
          all.map((each) => encodeKey([each])),
        );

      expect(await ask("posts", 1, 2, 3, 4, 5, 6, 7)).toEqual([
        true,
        true,
        false,
        false,
        true,
        true,
        false,
      ]);
      expect(await ask("authors", 1)).toEqual([true]);
      expect(await ask("tags", 1)).toEqual([false]);
    });
  });
}
