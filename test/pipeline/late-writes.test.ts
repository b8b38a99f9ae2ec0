import { expect, test, vi } from "vitest";
import type { RunEvent } from "../../src/events.ts";
import { lingeringNext } from "../../src/explain.ts";
import type { Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { looking } from "../explain/looking.ts";
import { type CacheCdn, cacheCdn } from "./cache-cdn.ts";
import { atEffects, faultAt, unlessStruck } from "./faults.ts";
import { later } from "./later.ts";
import { differences } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

const MINUTE = 60_000_000;
const LATE_MINUTES = 20;
const POST = "posts/p1/index.html";

/** What a process that died had asked of the store. */
type Arrive = () => Promise<unknown>;

interface Scene {
  readonly world: World;
  readonly cdn: CacheCdn;
  /** A run that is killed in its put or delete of this object; what it asked for has not taken place. */
  killedAt(method: "put" | "delete", key: string): Promise<Arrive>;
  /** A run of another process, later. */
  next(...of: Parameters<World["bake"]>): ReturnType<World["bake"]>;
  readonly lingering: () => Promise<readonly string[]>;
}

/**
 * A site in a store where requests of dead processes may take place for a while, and whose entity
 * tags cover bytes only, as S3's do.
 */
async function scene(posts: number): Promise<Scene & AsyncDisposable> {
  const world = await smallWorld(posts);
  const inner = memoryStore(world.objects);
  const cdn = cacheCdn(world.objects, inner);
  const store: ObjectStore = { ...cdn.origin, lateWritesMs: (LATE_MINUTES * MINUTE) / 1000 };
  store.put = inner.put;
  const wire = (wired: Wired) => ({ ...later(wired), store, cdn });
  await world.bake({}, wire);
  return {
    world,
    cdn,
    async killedAt(method, key) {
      const { promise, resolve } = Promise.withResolvers<Arrive>();
      const killed = () => new Error("killed");
      const dying = world.bake({}, (wired) => {
        const ledger = { ...wired.ledger, yieldClaim: async () => {} };
        const own: ObjectStore = {
          ...store,
          async put(artifact, write) {
            if (method !== "put" || artifact.key !== key) return await store.put(artifact, write);
            resolve(() => store.put(artifact, write));
            throw killed();
          },
          async delete(keys, deletion) {
            if (method !== "delete" || !keys.includes(key))
              return await store.delete(keys, deletion);
            resolve(() => store.delete(keys, deletion));
            throw killed();
          },
        };
        return { ...wired, ledger, store: own, cdn };
      });
      await expect(dying).rejects.toThrow("killed");
      return await promise;
    },
    next: (options, rewire = (same) => same) => world.bake(options, (wired) => rewire(wire(wired))),
    lingering: () =>
      world.ledger(async (ledger) =>
        (await ledger.lingering(Number.MAX_SAFE_INTEGER, undefined, 99)).map(
          ({ object }) => object,
        ),
      ),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

function notes(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => (event.event === "note" ? [event.message] : []));
}

async function isExact({ world, cdn }: Scene): Promise<void> {
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
  expect(cdn.stale()).toEqual([]);
}

/** A run dies in its put of a title, which is then taken back; the put may come late. */
async function takenBack({ world, killedAt, next }: Scene): Promise<Arrive> {
  world.edit(1, "title", "B");
  const arrive = await killedAt("put", POST);
  world.edit(1, "title", "Title 1");
  await next();
  return arrive;
}

test("a put that comes late where the content is the same again is put right once none can", async () => {
  await using here = await scene(3);
  const { world } = here;
  const arrive = await takenBack(here);
  await isExact(here);
  expect(await here.lingering()).toContain(POST);
  const told = await looking(world, (context) =>
    lingeringNext(context, { until: world.now + 60 * MINUTE, limit: 99 }),
  );
  expect(told).toContainEqual({ object: POST, at: expect.any(Number), isOver: false });

  await arrive();

  expect(world.shown()[POST]).toContain("<h1>B</h1>");
  world.now += (LATE_MINUTES - 1) * MINUTE;
  expect(await here.next()).toMatchObject({ release: undefined });
  world.now += 2 * MINUTE;
  const { events, changed } = await here.next();
  expect(changed).toBe(1);
  expect(notes(events)).toEqual([expect.stringContaining("took place after it: 1 objects")]);
  await isExact(here);
  expect(await here.lingering()).toEqual([]);
  expect(await here.next()).toMatchObject({ release: undefined });
});

test("a rebuild of something else puts it right as well, one kind's build and a dry run leave it", async () => {
  await using here = await scene(3);
  const { world } = here;
  const arrive = await takenBack(here);
  await arrive();
  world.now += 2 * LATE_MINUTES * MINUTE;

  await here.next({ only: "note" });
  await here.next({ isDryRun: true });
  expect(world.shown()[POST]).toContain("<h1>B</h1>");
  await here.next({ targets: ["people:nobody"] });

  await isExact(here);
});

test("a put that comes late over another content is refused, and nothing is left to do", async () => {
  await using here = await scene(3);
  const { world } = here;
  world.edit(1, "title", "B");
  const arrive = await here.killedAt("put", POST);
  world.edit(1, "title", "C");
  await here.next();

  await expect(arrive()).rejects.toMatchObject({ code: "store_conflict" });

  world.now += 2 * LATE_MINUTES * MINUTE;
  expect(await here.next()).toMatchObject({ release: undefined, changed: 0 });
  expect(await here.lingering()).toEqual([]);
  await isExact(here);
});

test("a put of a page that never was live comes late: its object goes", async () => {
  await using here = await scene(3);
  const { world } = here;
  world.post(4, { topic: "y" });
  const arrive = await here.killedAt("put", "posts/p4/index.html");
  world.edit(4, "status", "draft");
  await here.next();
  await isExact(here);

  await arrive();

  expect(world.objects.has("posts/p4/index.html")).toBe(true);
  world.now += 2 * LATE_MINUTES * MINUTE;
  await here.next();
  await isExact(here);
  expect(await here.next()).toMatchObject({ release: undefined });
});

test("a delete that comes late where the page is the same again is put right, too", async () => {
  await using here = await scene(3);
  const { world } = here;
  world.edit(1, "status", "draft");
  const arrive = await here.killedAt("delete", POST);
  world.edit(1, "status", "published");
  await here.next();
  await isExact(here);

  await arrive();

  expect(world.objects.has(POST)).toBe(false);
  world.now += 2 * LATE_MINUTES * MINUTE;
  await here.next();
  await isExact(here);
});

test("killed at any effect while it puts that right, the next run ends exact", async () => {
  for (let nth = 1, hasStruck = true; hasStruck; nth += 1) {
    await using here = await scene(2);
    const { world } = here;
    const arrive = await takenBack(here);
    await arrive();
    world.now += 2 * LATE_MINUTES * MINUTE;
    const fault = faultAt({ nth, when: "before", isFatal: true, error: () => new Error("killed") });
    await unlessStruck(
      fault,
      here.next({}, (wired) => atEffects(fault, wired)),
    );
    hasStruck = fault.hasStruck();

    world.now += 2 * LATE_MINUTES * MINUTE;
    await here.next({}, later);

    await isExact(here);
    expect(await here.next({}, later), `effect ${nth}`).toMatchObject({ release: undefined });
    if (!hasStruck) expect(nth).toBeGreaterThan(10);
  }
}, 120_000);

test("where nothing can come late nothing is looked at", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  world.edit(1, "title", "B");
  const put = () => Promise.reject(new Error("killed"));
  const dying = world.bake({}, (wired) => ({ ...wired, store: { ...wired.store, put } }));
  await expect(dying).rejects.toThrow("killed");

  await world.bake({}, later);

  const lingering = await world.ledger((ledger) =>
    ledger.lingering(Number.MAX_SAFE_INTEGER, undefined, 9),
  );
  expect(lingering).toEqual([]);
});

test("a publisher that was suspended for longer than its claim begins no further put", async () => {
  // Where conditions are ignored, nothing else keeps it from that.
  const wrap = (store: ObjectStore) => ({ ...store, isConditional: false });
  await using world = await smallWorld(8, { wrap });
  await world.bake();
  world.sql("UPDATE posts SET title = 'Old' || id");
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    const woken: string[] = [];
    let sleeping: Promise<unknown> | undefined;
    let isAwake = false;
    const sleep = async () => {
      vi.setSystemTime(Date.now() + 60_000);
      await world.bake();
      isAwake = true;
    };
    const suspended = world.bake({}, (wired) => ({
      ...wired,
      store: {
        ...wired.store,
        async put(artifact, write) {
          if (isAwake) woken.push(artifact.key);
          sleeping ??= sleep();
          await sleeping;
          return await wired.store.put(artifact, write);
        },
      },
    }));

    await expect(suspended).rejects.toMatchObject({ code: "run_conflict" });

    expect(woken).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});
