import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { PipelineError } from "../../src/error.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { exportHistory, importHistory } from "../../src/pipeline/route-history.ts";
import type { Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { type CacheCdn, cacheCdn } from "./cache-cdn.ts";
import { atEffects, type Fault, type FaultOptions, faultAt } from "./faults.ts";
import { later } from "./later.ts";
import { brokenLinks } from "./links.ts";
import { bake, differences, openSmall, type SmallSite, served, shown } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

vi.setConfig({ testTimeout: 600_000 });

/** Where every call has failed in another test, or most calls only read, every so many fails. */
const STRIDE = Number(process.env["STRIDE"] ?? 5);

/** A site that was built, and whose rows and files then changed in every way. */
let world: World;
let held: ReadonlyMap<string, Artifact>;
/** Rows and files before the changes and after them, and what then is published beside assets. */
let before: Side;
let after: Side;

interface Side {
  readonly parts: Wired;
  /** What a build from scratch makes of it with a route history. */
  readonly pages: (history: readonly string[]) => Promise<Readonly<Record<string, string>>>;
}

beforeAll(async () => {
  world = await smallWorld(4);
  world.post(5, { topic: "z", body: "[two](/posts/p2/) [seven](/posts/p7/)" });
  const cdn = cacheCdn(world.objects, world.store, { hasTags: true });
  await world.bake({}, (wired) => ({ ...wired, store: cdn.origin, cdn }));
  held = cdn.held;
  await world.rest();
  await copyFile(join(world.site.dir, "ledger.db"), join(world.site.dir, "base.db"));
  const source = join(world.site.dir, "before.db");
  await copyFile(world.site.source, source);
  before = await side({ ...world.site, source });
  world.edit(1, "slug", "moved");
  world.edit(2, "status", "draft");
  world.edit(3, "slug", "p4");
  world.edit(4, "slug", "p3");
  world.post(6, { slug: "p2", body: "New" });
  // This page fails all the time, after others were put that would link there.
  world.post(7, { title: "throw" });
  await writeFile(join(world.site.dir, "assets", "mark.svg"), "<svg><g/></svg>");
  after = await side(world.site);
});

afterAll(async () => {
  await before.parts[Symbol.asyncDispose]();
  await after.parts[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function side(site: SmallSite): Promise<Side> {
  const parts = await openSmall(site, { ledger: `${Math.random()}.db`, store: world.store });
  const made = new Map<string, Promise<Readonly<Record<string, string>>>>();
  const pages: Side["pages"] = (history) => {
    const name = history.join("");
    const known = made.get(name) ?? scratchOf(parts, history);
    made.set(name, known);
    return known;
  };
  return { parts, pages };
}

/** What a build from scratch publishes with parts that read their files before. */
async function scratchOf(parts: Wired, history: readonly string[]) {
  const objects = new Map<string, Artifact>();
  await using ledger = await openSqliteLedger(":memory:");
  const wired = { ...parts, ledger, store: memoryStore(objects) };
  if (history.length > 0) await importHistory(wired, history, "history");
  await bake(wired, { now: () => world.now });
  return pagesOf(objects);
}

/** What is served without assets, which stay for a day. */
function pagesOf(objects: ReadonlyMap<string, Artifact>): Readonly<Record<string, string>> {
  const pages = [...served(objects)].filter(([key]) => !key.startsWith("assets/"));
  return shown(new Map(pages));
}

type Wire = (wired: Wired, fault: Fault) => Wired;

const wireAll: Wire = (wired, fault) => atEffects(fault, wired);

/** A run with a fault, and one without after it, over `next`; what there is then. */
async function run(options: FaultOptions, wire: Wire, next: Side) {
  const file = join(world.site.dir, `${options.nth}.db`);
  await copyFile(join(world.site.dir, "base.db"), file);
  const objects = new Map(world.objects);
  const cdn = cacheCdn(objects, memoryStore(objects), { held: new Map(held), hasTags: true });
  const fault = faultAt(options);
  const first = await bakeOnce(file, cdn, (parts) => wire({ ...after.parts, ...parts }, fault));
  const second = await bakeOnce(file, cdn, (parts) => later({ ...next.parts, ...parts }));
  await using ledger = await openSqliteLedger(file);
  const left = {
    intents: await ledger.intents(),
    outbox: await ledger.outbox(),
    unknown: await unknownPages(ledger),
  };
  const wanted = await next.pages(await Array.fromAsync(exportHistory(ledger)));
  await rm(file);
  return { objects, cdn, first, second, left, wanted, hasStruck: fault.hasStruck() };
}

/** Live pages of which nobody knows what is stored. */
async function unknownPages(ledger: Ledger): Promise<readonly string[]> {
  const kinds = await ledger.liveKinds();
  const live = await Promise.all(kinds.map((kind) => ledger.live(kind, undefined, 1000)));
  return live.flat().flatMap(({ route, hash }) => (hash === undefined ? [route] : []));
}

async function bakeOnce(
  file: string,
  cdn: CacheCdn,
  wire: (parts: Pick<Wired, "ledger" | "store" | "cdn">) => Wired,
) {
  await using ledger = await openSqliteLedger(file);
  try {
    return await bake(wire({ ledger, store: cdn.origin, cdn }), { now: () => world.now });
  } catch (error) {
    return error;
  }
}

interface Faults extends Omit<FaultOptions, "nth"> {
  readonly stride?: number;
  readonly next?: Side;
}

/** Runs with a fault at the first call, the second …, until one passes without meeting it. */
async function everyCall(
  { stride = 1, next = after, ...options }: Faults,
  wire: Wire,
): Promise<number> {
  for (let nth = 1; ; nth += stride) {
    const { objects, cdn, second, left, wanted, hasStruck } = await run(
      { ...options, nth },
      wire,
      next,
    );
    const at = `${options.when} call ${nth}`;

    expect(second, at).not.toBeInstanceOf(Error);
    expect(differences(pagesOf(objects), wanted), at).toEqual([]);
    expect(brokenLinks(objects), at).toEqual([]);
    expect(left, at).toEqual({ intents: [], outbox: [], unknown: [] });
    expect(cdn.stale(), at).toEqual([]);
    if (!hasStruck) return nth;
  }
}

test("undisturbed, the first run ends exact and the second has nothing to change", async () => {
  const never = { nth: 0, when: "before", isFatal: false, error: () => new Error() } as const;

  const { objects, first, second, wanted } = await run(never, wireAll, after);

  expect(first).toMatchObject({ failed: 1, release: 2 });
  expect(second).toMatchObject({ failed: 1, changed: 0, deleted: 0 });
  expect(differences(pagesOf(objects), wanted)).toEqual([]);
  expect(Object.keys(wanted)).toContain("posts/p1/index.html");
});

test("killed before any call with an effect, the next run ends exact and leaves nothing stale", async () => {
  const error = () => new Error("killed");

  const calls = await everyCall({ when: "before", isFatal: true, error }, wireAll);

  expect(calls).toBeGreaterThan(80);
});

test("killed before any call with an effect, it ends exact also when all changes are taken back", async () => {
  const error = () => new Error("killed");

  const faulty = { when: "before", isFatal: true, error, stride: STRIDE, next: before } as const;

  await everyCall(faulty, wireAll);
});

test("killed after any call to the store or the CDN, the next run ends exact", async () => {
  const error = () => new Error("killed");

  const calls = await everyCall({ when: "after", isFatal: true, error }, (wired, fault) => ({
    ...wired,
    store: fault.on(wired.store, ["get", "put", "delete"]),
    cdn: fault.on(wired.cdn, ["send", "isCompleted"]),
  }));

  expect(calls).toBeGreaterThan(40);
});

test.for(["before", "after"] as const)(
  "when one call to the store fails %s it took place, the next run ends exact",
  async (when) => {
    const error = () => new PipelineError("store_unavailable", "The store does not answer.");

    const calls = await everyCall({ when, isFatal: false, error }, (wired, fault) => ({
      ...wired,
      store: fault.on(wired.store, ["get", "put", "delete"]),
    }));

    expect(calls).toBeGreaterThan(30);
  },
);

test("when one call to the ledger fails, the next run ends exact", async () => {
  const error = () => new PipelineError("ledger_unavailable", "The ledger does not answer.");
  const faulty = { when: "after", isFatal: false, error, stride: 2 * STRIDE } as const;
  const calls = await everyCall(faulty, (wired, fault) => ({
    ...wired,
    ledger: fault.on(wired.ledger, Object.keys(wired.ledger) as (keyof Ledger & string)[]),
  }));

  expect(calls).toBeGreaterThan(300);
});
