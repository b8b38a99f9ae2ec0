import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { cacheCdn } from "./cache-cdn.ts";
import { around } from "./calls.ts";
import { callsThat, LEDGER_CALLS } from "./effects.ts";
import { smallWorld, type World } from "./world.ts";

/** Runs that publish, redirect, delete, fail and put again what was lost. */
async function live(world: World, rewire: Parameters<World["bake"]>[1]): Promise<void> {
  await world.bake({}, rewire);
  world.edit(1, "slug", "moved");
  world.edit(2, "status", "draft");
  world.edit(3, "title", "throw");
  await world.bake({ targets: ["post:1", "post:2", "post:3"] }, rewire);
  world.objects.clear();
  await world.bake({}, rewire);
}

test("no call that is said to read changes the ledger", async () => {
  await using world = await smallWorld(4);
  const writers = new Set<string>();
  const calls = new Set<string>();
  const cdn = cacheCdn(world.objects, world.store);

  await live(world, (wired) => {
    const file = new DatabaseSync(`${world.site.dir}/ledger.db`);
    // Changes when another connection has written, see "PRAGMA data_version" in SQLite's documentation.
    const version = () => Number(file.prepare("PRAGMA data_version").get()?.["data_version"]);
    const ledger = around(wired.ledger, callsThat(LEDGER_CALLS, "read"), (name, call) => {
      const before = version();
      // Over SQLite a call has done its work when it returns.
      const result = call();
      calls.add(name);
      if (version() !== before) writers.add(name);
      return result;
    });
    return { ...wired, ledger, cdn };
  });

  expect([...writers]).toEqual([]);
  expect(calls.size).toBeGreaterThan(20);
});
