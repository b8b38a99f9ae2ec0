import { expect, test, vi } from "vitest";
import { lift, rebuildAround, takeDown, type Wired } from "../../src/pipeline.ts";
import { atEffects, faultAt, unlessStruck } from "./faults.ts";
import { later } from "./later.ts";
import { brokenLinks } from "./links.ts";
import { differences } from "./small-site.ts";
import {
  around,
  asked,
  bringBack,
  type CachedWorld,
  cachedWorld,
  isThere,
  takeAway,
  wiredOf,
} from "./takedowns.ts";

vi.setConfig({ testTimeout: 600_000 });

const P3 = "/posts/p3/";

type Command = (wired: Wired, world: CachedWorld) => Promise<unknown>;

const COMMANDS = {
  async takedown(wired, world) {
    await takeDown(wired, [P3, "/topics/x/"], asked(world));
    await rebuildAround(wired, around(world));
  },
  async erase(wired, world) {
    await takeDown(wired, [P3], asked(world, { isErased: true }));
    await rebuildAround(wired, around(world));
  },
  async lift(wired, world) {
    await lift(wired, [P3]);
    await rebuildAround(wired, around(world));
  },
} as const satisfies Readonly<Record<string, Command>>;

/** Runs a command that dies at its nth effect; true when it came so far. */
async function die(
  world: CachedWorld,
  command: Command,
  { nth, when }: { readonly nth: number; readonly when: "before" | "after" },
): Promise<boolean> {
  const fault = faultAt({ nth, when, isFatal: true, error: () => new Error("killed") });
  const dying = wiredOf(world, (wired) => command(atEffects(fault, wired), world));
  await unlessStruck(fault, dying);
  return fault.hasStruck();
}

async function settled(world: CachedWorld, at: string): Promise<void> {
  expect(differences(world.shown(), await world.scratch()), at).toEqual([]);
  expect([brokenLinks(world.objects), world.cdn.stale()], at).toEqual([[], []]);
  const left = await world.ledger((ledger) => Promise.all([ledger.intents(), ledger.outbox()]));
  expect(left, at).toEqual([[], []]);
  expect((await world.bake()).release, at).toBeUndefined();
}

test.for(["before", "after"] as const)(
  "killed %s any effect of a takedown, the next build ends without the page, and everything exact",
  async (when) => {
    // Before one effect is after the one before it: the two together leave out none.
    for (let nth = 1; ; nth += 2) {
      await using world = await cachedWorld();
      const isKilled = await die(world, COMMANDS.takedown, { nth, when });
      const bars = await world.ledger((ledger) => ledger.bars());

      await world.bake({}, later);

      const at = `${when} effect ${nth}`;
      expect(isThere(world, P3), at).toBe(bars.length === 0);
      await settled(world, at);
      if (!isKilled) return expect(nth).toBeGreaterThan(20);
    }
  },
);

test("killed at any effect of a takedown, the same takedown ends it", async () => {
  for (let nth = 1; ; nth += 3) {
    await using world = await cachedWorld();
    const isKilled = await die(world, COMMANDS.takedown, { nth, when: "before" });

    await wiredOf(world, (wired) => COMMANDS.takedown(later(wired), world));

    expect(isThere(world, P3)).toBe(false);
    await settled(world, `effect ${nth}`);
    if (!isKilled) return;
  }
});

test("killed at any effect of erasing, the next build leaves no version", async () => {
  for (let nth = 1; ; nth += 2) {
    await using world = await cachedWorld();
    const isKilled = await die(world, COMMANDS.erase, { nth, when: "after" });

    await world.bake({}, later);

    const at = `after effect ${nth}`;
    const [bar] = await world.ledger((ledger) => ledger.bars());
    expect(bar, at).toMatchObject({ state: "removed", isErased: true, isErasing: false });
    const kept = ["posts/p3/index.html", "posts/once/index.html"].map((key) =>
      world.versions.get(key),
    );
    expect(kept, at).toEqual([undefined, undefined]);
    await settled(world, at);
    if (!isKilled) break;
  }
});

test("killed at any effect of a lift, the next build brings the page back", async () => {
  for (let nth = 1; ; nth += 2) {
    await using world = await cachedWorld();
    await takeAway(world, P3);
    const isKilled = await die(world, COMMANDS.lift, { nth, when: "before" });
    const [bar] = await world.ledger((ledger) => ledger.bars());

    await world.bake({}, later);

    const at = `before effect ${nth}`;
    expect(isThere(world, P3), at).toBe(bar?.state !== "removed");
    await settled(world, at);
    if (!isKilled) break;
  }
});

test("what is erased leaves no version, and comes back with its redirect when it is lifted", async () => {
  await using world = await cachedWorld();
  const before = world.shown();
  const versions = () => [...world.versions.keys()].filter((key) => key.startsWith("posts/"));
  expect(versions()).toContain("posts/once/index.html");

  await wiredOf(world, (wired) => takeDown(wired, [P3], asked(world, { isErased: true })));

  expect(versions()).toEqual([1, 2, 4, 5, 6].map((id) => `posts/p${id}/index.html`));
  await bringBack(world, P3);
  expect(differences(world.shown(), before)).toEqual([]);
  await settled(world, "lifted");
});
