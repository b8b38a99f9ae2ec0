import { describe, expect } from "vitest";
import type { LedgerTest } from "./ledger-contract.ts";

const token = (name: string, createdAt = 1) => ({
  name,
  hash: new Uint8Array(32).fill(createdAt),
  scopes: ["read", "rebuild"],
  createdAt,
});

export function describeTokens(test: LedgerTest): void {
  describe("tokens", () => {
    test("are kept by name, which no other gets", async (ledger, place) => {
      expect(await ledger.addToken({ ...token("cms"), scopes: [] })).toBe(true);
      expect(await ledger.addToken(token("a", 2))).toBe(true);

      expect(await ledger.addToken(token("cms", 3))).toBe(false);

      await using other = await place.open();
      const never = { usedAt: undefined, revokedAt: undefined };
      const all = (await other.tokens()).map((each) => ({ ...each, hash: [...each.hash] }));
      expect(all).toEqual([
        { ...token("a", 2), hash: new Array(32).fill(2), ...never },
        { ...token("cms"), hash: new Array(32).fill(1), scopes: [], ...never },
      ]);
    });

    test("remember when they were used, and are revoked once", async (ledger) => {
      await ledger.addToken(token("cms"));
      await ledger.usedToken("cms", 7_000_000_000_000_000);

      expect(await ledger.revokeToken("cms", 8)).toBe(true);
      expect(await ledger.revokeToken("cms", 9)).toBe(false);
      expect(await ledger.revokeToken("other", 9)).toBe(false);

      const [kept] = await ledger.tokens();
      expect(kept).toMatchObject({ usedAt: 7_000_000_000_000_000, revokedAt: 8 });
      expect(await ledger.addToken(token("cms"))).toBe(false);
    });
  });
}
