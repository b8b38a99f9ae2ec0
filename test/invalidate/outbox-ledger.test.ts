import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { drainOutbox } from "../../src/invalidate/outbox.ts";
import { TERMS } from "../../src/invalidate/terms.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { address } from "../../src/site.ts";
import { article, livePage, publish } from "../ledger/fixtures.ts";
import { callsThat, LEDGER_CALLS } from "../pipeline/effects.ts";
import { faultAt } from "../pipeline/faults.ts";
import { memoryCdn } from "./memory-cdn.ts";

const PAGES = Array.from({ length: 13 }, (_, n) => {
  return livePage({ ...article(n), route: `/articles/${100 + n}/` });
});
/** The last one stays, so that no item for all may do. */
const CHANGED = PAGES.slice(0, -1);
const OPTIONS = { terms: { ...TERMS, maxShare: 0 }, run: "publisher", now: () => 0 };

async function changeAll(ledger: Ledger): Promise<void> {
  await publish(ledger, ...PAGES);
  await ledger.intend(
    "publisher",
    [],
    CHANGED.map((page) => ({ ...page, tags: [] })),
  );
}

test("killed at any call of the ledger, the next run invalidates every item exactly once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nightbake-outbox-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const items = CHANGED.flatMap(({ route }) => address(route).invalidations).toSorted();
  const calls = callsThat(LEDGER_CALLS, "effect", "read");
  const once = async (nth: number, when: "before" | "after") => {
    const file = join(folder, `${nth}-${when}.db`);
    const cdn = memoryCdn(10);
    const sleep = async () => cdn.complete();
    const fault = faultAt({ nth, when, isFatal: true, error: () => new Error("killed") });
    {
      await using ledger = await openSqliteLedger(file);
      await changeAll(ledger);
      const dying = fault.on(ledger, calls);
      await drainOutbox({ ...OPTIONS, ledger: dying, cdn, sleep }).catch((error: unknown) => {
        if (!fault.hasStruck()) throw error;
      });
    }
    await using ledger = await openSqliteLedger(file);
    await drainOutbox({ ...OPTIONS, ledger, cdn, sleep });

    expect([...cdn.accepted.values()].flat().toSorted()).toEqual(items);
    expect(await ledger.spentItems(0)).toBe(items.length);
    expect(await ledger.hasOutbox()).toBe(false);
    return fault.hasStruck();
  };
  for (const when of ["before", "after"] as const) {
    let nth = 1;
    while (await once(nth, when)) nth += 1;
    expect(nth).toBeGreaterThan(12);
  }
});
