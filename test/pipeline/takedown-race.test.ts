import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { takeDown, type Wired } from "../../src/pipeline.ts";
import { idOf } from "../ledger/fixtures.ts";
import { around as aroundCalls } from "./calls.ts";
import { CDN_CALLS, callsThat, LEDGER_CALLS, STORE_CALLS } from "./effects.ts";
import { brokenLinks } from "./links.ts";
import { differences } from "./small-site.ts";
import { asked, bringBack, type CachedWorld, cachedWorld, wiredOf } from "./takedowns.ts";

vi.setConfig({ testTimeout: 600_000 });

const STRIDE = Number(process.env["STRIDE"] ?? 7);

/** When a page is taken down: before or after the nth call of a run that has an effect, or is called so. */
interface At {
  readonly nth: number;
  readonly when: "before" | "after";
  readonly name?: string;
}

/** Does `once` at that moment. */
function atEffect(wired: Wired, { nth, when, name: wanted }: At, once: () => Promise<void>) {
  let calls = 0;
  const wrap = async (name: string, call: () => unknown) => {
    if (wanted === undefined || wanted === name) calls += 1;
    const isNow = calls === nth && (wanted === undefined || wanted === name);
    if (isNow && when === "before") await once();
    const result = await call();
    if (isNow && when === "after") await once();
    return result;
  };
  const ledger = aroundCalls(wired.ledger, callsThat(LEDGER_CALLS, "effect"), wrap);
  const store = aroundCalls(wired.store, callsThat(STORE_CALLS, "effect"), wrap);
  const cdn = aroundCalls(wired.cdn, callsThat(CDN_CALLS, "effect"), wrap);
  return { run: { ...wired, ledger, store, cdn }, hasCome: () => calls >= nth };
}

/** Where readers can get post 3's own page. */
function seen({ objects, cdn }: CachedWorld): readonly string[] {
  return [...objects, ...cdn.held].flatMap(([place, { body }]) => {
    const isPost = place.startsWith("posts/") || place.startsWith("/posts/");
    const isOwn = /<h1>(Title 3|Fresh)</.test(Buffer.from(body).toString());
    return isPost && isOwn ? [place] : [];
  });
}

/** Where it is, as the ledger knows. */
async function routeOf(world: CachedWorld): Promise<string | undefined> {
  const [page] = await world.ledger((ledger) => ledger.pages([idOf("post", 3)]));
  return page?.route;
}

/** A takedown in a process of its own; `waits` is fulfilled when it is over, or waits for the other run. */
function begin(world: CachedWorld, route: string) {
  const pause = Promise.withResolvers<void>();
  const over = wiredOf(world, async (wired) => {
    const waiting = async () => {
      pause.resolve();
      await sleep(1);
    };
    await takeDown({ ...wired, sleep: waiting }, [route], asked(world));
    expect(seen(world)).toEqual([]);
  });
  return { over, waits: Promise.race([pause.promise, over]) };
}

const CHANGES: Readonly<Record<string, (world: CachedWorld) => void>> = {
  "that puts it": (world) => world.edit(3, "title", "Fresh"),
  "that moves it": (world) => world.edit(3, "slug", "moved"),
  "that deletes it": (world) => world.edit(3, "status", "draft"),
  "that gives its route to another": (world) => {
    world.edit(3, "slug", "p4");
    world.edit(4, "slug", "p3");
  },
  "that puts what links to it": (world) => world.edit(4, "title", "Other"),
};

const CASES = Object.keys(CHANGES).flatMap(
  (name) =>
    [
      { name, when: "before", stride: STRIDE },
      { name, when: "after", stride: STRIDE },
      // Nothing but the ledger can tell the build now.
      { name, when: "before", stride: 1, call: "intend" },
    ] as const,
);

test.for(CASES)(
  "during a build $name, taken down $when any effect ($call), it stays away, and the build ends without it",
  async ({ name, when, stride, ...at }) => {
    const only = "call" in at ? { name: at.call } : {};
    for (let nth = 1; await isAway(name, { nth, when, ...only }); nth += stride);
  },
);

/** Takes a page down during a build; false when the build was over before. */
async function isAway(name: string, moment: At): Promise<boolean> {
  await using world = await cachedWorld();
  CHANGES[name]?.(world);
  let over: Promise<void> | undefined;
  let isMet = false;
  await wiredOf(world, async (wired) => {
    const { run, hasCome } = atEffect(wired, moment, async () => {
      const route = await routeOf(world);
      if (route === undefined) return;
      const taken = begin(world, route);
      ({ over } = taken);
      await taken.waits;
    });
    await world.bake({}, (own) => ({ ...run, source: own.source }));
    isMet = hasCome();
  });
  await over;
  if (over === undefined) return isMet;
  const at = JSON.stringify(moment);
  const [bar] = await world.ledger((ledger) => ledger.bars());
  expect([bar?.state, seen(world)], at).toEqual(["removed", []]);
  await world.bake();
  await settled(world, at);
  await bringBack(world, bar?.route ?? "");
  await settled(world, at);
  return isMet;
}

async function settled(world: CachedWorld, at: string): Promise<void> {
  expect(differences(world.shown(), await world.scratch()), at).toEqual([]);
  expect([brokenLinks(world.objects), world.cdn.stale()], at).toEqual([[], []]);
  const left = await world.ledger((ledger) => Promise.all([ledger.intents(), ledger.outbox()]));
  expect(left, at).toEqual([[], []]);
}
