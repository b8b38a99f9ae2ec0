import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openBell } from "../../src/follow/bell.ts";
import { listen } from "../../src/follow/listen.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { int, table } from "../../src/site.ts";
import type { Feed, Transaction } from "../../src/source/feed.ts";
import { temporary } from "../cli/fakes.ts";

const posts = table("posts", { key: "id", columns: { id: int() } });

/** A feed of these transactions. */
function feedOf(...told: readonly Transaction[]): Feed {
  return {
    position: async () => "mariadb:0-1-0",
    async *follow() {
      yield* told;
    },
    async [Symbol.asyncDispose]() {},
  };
}

const empty = (number: number) => ({ position: `mariadb:0-1-${number}`, changes: [] });
const change = { is: "row", table: posts, key: [7], before: undefined, after: undefined } as const;

test("a position alone is not kept at once: in the followed database that would be told again", async () => {
  await using ledger = await openSqliteLedger(join(temporary(), "ledger.db"));
  const { signal } = new AbortController();
  const options = { signal, emit: () => {}, sleep: (ms: number) => sleep(ms), bell: openBell() };
  const told = [empty(1), { position: "mariadb:0-1-2", changes: [change] }, empty(3)];

  await listen({ ledger }, feedOf(...told), { ...options, from: "mariadb:0-1-0" });

  expect(await ledger.toldUpTo()).toBe("mariadb:0-1-2");
  await listen({ ledger }, feedOf(empty(4)), { ...options, from: "mariadb:0-1-2", positionMs: 0 });
  expect(await ledger.toldUpTo()).toBe("mariadb:0-1-4");
});
