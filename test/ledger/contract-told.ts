import { describe, expect } from "vitest";
import { encodeKey } from "../../src/site.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const row = (table: string, ...key: readonly (string | number)[]) => ({
  table,
  key: key.length === 0 ? undefined : encodeKey(key),
});
const named = (rows: readonly { readonly table: string; readonly key: Uint8Array | undefined }[]) =>
  rows.map(({ table, key }) => `${table}/${key && Buffer.from(key).toString("hex")}`);

export function describeTold(test: LedgerTest): void {
  describe("rows that a feed told of", () => {
    test("stand with the position after them, a whole table before its rows", async (ledger, place) => {
      const rows = [row("posts", 2), row("posts", 1), row("posts"), row("authors", "é")];
      expect(await ledger.toldUpTo()).toBeUndefined();

      await ledger.tell(rows, "mariadb:0-1-7");

      await using other = await place.open();
      expect(await other.toldUpTo()).toBe("mariadb:0-1-7");
      const order = [row("authors", "é"), row("posts"), row("posts", 1), row("posts", 2)];
      expect(named(await other.told(9))).toEqual(named(order));
      expect(named(await other.told(2))).toEqual(named(order.slice(0, 2)));
    });

    test("go when a run has looked at them, unless they were told again", async (ledger) => {
      await ledger.tell([row("posts", 1), row("posts", 2), row("posts")], "a");
      const seen = await ledger.told(9);
      await ledger.tell([row("posts", 2)], "b");

      await ledger.heed(seen);
      await ledger.heed(seen);

      expect(named(await ledger.told(9))).toEqual(named([row("posts", 2)]));
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
  });
}
