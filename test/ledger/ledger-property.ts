import fc from "fast-check";
import { expect, test } from "vitest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { contentsOf } from "./fixtures.ts";
import { LedgerModel } from "./model.ts";
import { operation, RUNS } from "./random-operations.ts";

/** Tests that after any calls a ledger holds what its naive model does. A failure prints its seed. */
export function testAgainstModel(open: () => Promise<Ledger>, numRuns: number): void {
  test("after any sequence of calls holds what a naive model holds", async () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
    const sequence = fc.array(operation, { maxLength: 40, size: "max" });
    const property = fc.asyncProperty(sequence, async (operations) => {
      await using ledger = await open();
      const model = new LedgerModel();
      for (const each of operations) await each.run(ledger, model);
      expect(await contentsOf(ledger, RUNS)).toEqual(model.contents(RUNS));
    });
    await fc.assert(property, { seed, numRuns });
  });
}
