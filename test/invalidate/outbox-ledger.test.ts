import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { drainOutbox, type OutboxOptions } from "../../src/invalidate/outbox.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { memoryCdn } from "./memory-cdn.ts";

const METHODS = ["freeze", "outbox", "sent", "completed"] as const;

/** A ledger that is killed at its nth call, counted over all methods, before or after the call's work. */
function killedAt(ledger: OutboxOptions["ledger"], nth: number, when: "before" | "after") {
  let calls = 0;
  const killing = (name: (typeof METHODS)[number]) => {
    return async (...args: readonly unknown[]) => {
      calls += 1;
      if (calls === nth && when === "before") throw new Error("killed");
      const result = await (ledger[name] as (...all: readonly unknown[]) => unknown)(...args);
      if (calls === nth) throw new Error("killed");
      return result;
    };
  };
  return Object.fromEntries(
    METHODS.map((name) => [name, killing(name)]),
  ) as unknown as OutboxOptions["ledger"];
}

test("killed at any call of the ledger, the next run invalidates every item exactly once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nightbake-outbox-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const items = Array.from({ length: 25 }, (_, at) => `/articles/${100 + at}/`);
  // One freeze, one outbox, three sent and three completed make eight calls.
  for (const nth of [1, 2, 3, 4, 5, 6, 7, 8]) {
    for (const when of ["before", "after"] as const) {
      const file = join(folder, `${nth}-${when}.db`);
      const cdn = memoryCdn(10);
      const sleep = async () => cdn.complete();
      {
        await using ledger = await openSqliteLedger(file);
        await ledger.forget([], items);
        const dying = killedAt(ledger, nth, when);
        await expect(drainOutbox({ ledger: dying, cdn, sleep })).rejects.toThrow("killed");
      }
      await using ledger = await openSqliteLedger(file);
      await drainOutbox({ ledger, cdn, sleep });

      expect([...cdn.accepted.values()].flat().toSorted()).toEqual(items);
      expect(await ledger.outbox()).toEqual([]);
    }
  }
});
