import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import type { Cdn } from "../../src/invalidate/cdn.ts";
import type { Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";
import { around } from "./calls.ts";
import { withHeaders } from "./declared.ts";
import { faultAt, unlessStruck } from "./faults.ts";
import { DAY } from "./rows.ts";
import { bake, differences, openSmall, scratch, shown } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A store and a CDN that write down what is done to them. */
function recording(objects: Map<string, Artifact>) {
  const log: string[] = [];
  const inner = memoryStore(objects);
  const store: ObjectStore = {
    ...inner,
    async put(artifact, write) {
      log.push(`put ${artifact.key}`);
      return await inner.put(artifact, write);
    },
    async delete(keys, deletion) {
      log.push(...keys.map((key) => `delete ${key}`));
      return await inner.delete(keys, deletion);
    },
  };
  const cdn: Cdn = {
    name: "recording",
    isCaching: true,
    hasTags: false,
    batchItems: 1000,
    async send({ id, items }) {
      log.push(...items.map((item) => `invalidate ${item}`));
      return id;
    },
    async isCompleted(invalidation) {
      log.push(`completed ${invalidation}`);
      return true;
    },
  };
  return { log, store, cdn };
}

/** A built site, and a second build in which everything that can happen happens. */
async function secondBuild(world: World) {
  const { log, store, cdn } = recording(world.objects);
  await using wired = await openSmall(world.site, { ledger: "ledger.db", store, cdn });
  await bake(wired, { now: () => world.now });
  const before = new Set(world.objects.keys());
  world.edit(1, "title", "New");
  world.sql("DELETE FROM posts WHERE id = 2");
  world.edit(3, "slug", "moved");
  world.post(5, { topic: "y" });
  await writeFile(join(world.site.dir, "assets", "mark.svg"), "<svg><g/></svg>");
  log.length = 0;
  await using again = await openSmall(world.site, { ledger: "ledger.db", store, cdn });
  const { events } = await bake(again, { now: () => world.now });
  return { log, before, events };
}

/** The phase that an operation belongs to. */
function phaseOf(operation: string, before: ReadonlySet<string>): string {
  const [what = "", key = ""] = operation.split(" ");
  if (what !== "put") return what;
  if (key.startsWith("assets/")) return "assets";
  if (key === "sitemap.xml") return "sitemap index";
  if (key.startsWith("sitemaps/")) return "sitemaps";
  if (!before.has(key)) return "new";
  return /^(index|all|authors|topics)/.test(key) ? "lists" : "changed";
}

test("each phase ends before the next begins", async () => {
  await using world = await smallWorld(4);

  const { log, before } = await secondBuild(world);

  const phases = log.map((operation) => phaseOf(operation, before));
  expect(phases.filter((phase, at) => phase !== phases[at - 1])).toEqual([
    "assets",
    "new",
    "changed",
    "lists",
    "sitemaps",
    "sitemap index",
    "invalidate",
    "completed",
    "delete",
    "invalidate",
    "completed",
  ]);
});

test("a page that comes to where another is live is put after all that is new", async () => {
  await using world = await smallWorld(2);
  const { log, store, cdn } = recording(world.objects);
  const build = () => world.bake({}, (wired) => ({ ...wired, store, cdn }));
  await build();
  world.edit(1, "slug", "moved");
  await build();
  world.edit(1, "slug", "p1");
  world.edit(1, "topic", "q");
  log.length = 0;

  await build();

  const [page, topic] = ["put posts/p1/index.html", "put topics/q/index.html"];
  expect(log.indexOf(topic)).toBeGreaterThan(-1);
  expect(log.indexOf(page)).toBeGreaterThan(log.indexOf(topic));
});

/** The first and last of the operations that evict copies of a post and are done, and the next list that is put. */
function evictionAndList(log: readonly string[]): readonly number[] {
  const at = log.indexOf("invalidate /posts/p2/");
  const completed = log.findIndex((operation, n) => n > at && operation.startsWith("completed"));
  return [at, completed, log.indexOf("put all/index.html")];
}

test("a page that comes back while it waits is put after all that is new, and evicted before lists link there", async () => {
  await using world = await smallWorld(2);
  const { log, store, cdn } = recording(world.objects);
  const said = { cache: { maxAge: 60 } };
  const build = () =>
    world.bake({}, (wired) => ({ ...withHeaders(wired, "post", said), store, cdn }));
  await build();
  world.edit(2, "status", "draft");
  expect(await build()).toMatchObject({ waiting: 2 });
  world.edit(2, "status", "published");
  world.edit(2, "topic", "q");
  log.length = 0;

  await build();

  const order = [log.indexOf("put topics/q/index.html"), log.indexOf("put posts/p2/index.html")];
  order.push(...evictionAndList(log));
  expect(order).not.toContain(-1);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test.each(["freeze", "send"])(
  "copies that a run which was cut off at its %s left of a deleted page are evicted before lists link there again",
  async (call) => {
    await using world = await smallWorld(2);
    const { log, store, cdn } = recording(world.objects);
    await world.bake({}, (wired) => ({ ...wired, store, cdn }));
    world.edit(2, "status", "draft");
    const cut = <T extends object>(port: T) =>
      around(port, [call as keyof T & string], (_, next) => {
        if (!world.objects.has("posts/p2/index.html")) throw new Error("killed");
        return next();
      });
    const dying = world.bake({}, (wired) => ({
      ...wired,
      store,
      cdn: call === "send" ? cut(cdn) : cdn,
      ledger: call === "freeze" ? cut(wired.ledger) : wired.ledger,
    }));
    await expect(dying).rejects.toThrow("killed");
    world.edit(2, "status", "published");
    log.length = 0;

    await world.bake({}, (wired) => ({ ...wired, store, cdn }));

    const order = evictionAndList(log);
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  },
);

test("what changed is invalidated before the deletes, what is gone after them", async () => {
  await using world = await smallWorld(4);

  const { log } = await secondBuild(world);

  const at = (operation: string) => log.indexOf(operation);
  const firstDelete = log.findIndex((operation) => operation.startsWith("delete"));
  expect(at("invalidate /notes/1/")).toBeGreaterThan(at("put notes/1/index.html"));
  expect(at("invalidate /notes/1/")).toBeLessThan(firstDelete);
  const [path, key] = ["/posts/p2/", "posts/p2/index.html"];
  expect(at(`delete ${key}`)).toBeGreaterThan(0);
  expect(at(`invalidate ${path}`)).toBeGreaterThan(at(`delete ${key}`));
  expect(at(`invalidate ${path}index.html`)).toBeGreaterThan(at(`delete ${key}`));
  // The old object of a page that moved becomes a redirect once the page is at its new route.
  expect(at("put posts/p3/index.html")).toBeGreaterThan(at("put posts/moved/index.html"));
  expect(at("invalidate /posts/p3/")).toBeLessThan(firstDelete);
  expect(at("delete posts/p3/index.html")).toBe(-1);
  expect(log.filter((operation) => operation.includes("/posts/moved/"))).toEqual([]);
  expect(log.filter((each) => each.startsWith("invalidate /assets"))).toEqual([]);
});

test("phases and progress are told in order, the summary last", async () => {
  await using world = await smallWorld(4);

  const { events } = await secondBuild(world);

  const phases = events.flatMap((event) => (event.event === "phase" ? [event.phase] : []));
  expect(phases.filter((phase, at) => phase !== phases[at - 1])).toEqual([
    "scan",
    "check",
    "assets",
    "new",
    "changed",
    "lists",
    "feeds",
    "invalidate",
    "deletes",
    "invalidate",
    "record",
  ]);
  const ends = new Map(
    events.flatMap((event) =>
      event.event === "progress" ? [[event.phase, [event.done, event.total]]] : [],
    ),
  );
  for (const phase of ["assets", "new", "changed", "lists", "deletes"]) {
    const [done, total] = ends.get(phase) ?? [];
    expect({ phase, done }).toEqual({ phase, done: total });
  }
  expect(events.at(-1)?.event).toBe("summary");
});

test("the summary is told when the release is recorded", async () => {
  await using world = await smallWorld(1);
  let isRecorded = false;
  await world.bake(
    {
      emit(event) {
        if (event.event === "summary") expect(isRecorded).toBe(true);
      },
    },
    (wired) => ({
      ...wired,
      ledger: {
        ...wired.ledger,
        async finish(...args) {
          await wired.ledger.finish(...args);
          isRecorded = true;
        },
      },
    }),
  );

  expect(isRecorded).toBe(true);
});

test("nothing is deleted before the invalidations have completed, and the claim is kept meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  await using world = await smallWorld(3);
  const { log, store, cdn } = recording(world.objects);
  await using other = await openSmall(world.site, { ledger: "ledger.db", store });
  await using wired = await openSmall(world.site, { ledger: "ledger.db", store, cdn });
  await bake(wired, { now: () => world.now });
  world.edit(1, "title", "New");
  world.sql("DELETE FROM posts WHERE id = 2");
  log.length = 0;
  let polls = 0;
  const slow = {
    ...wired,
    cdn: { ...cdn, isCompleted: async () => ++polls > 20 },
    async sleep() {
      vi.setSystemTime(Date.now() + 20_000);
      const deletes = log.filter((operation) => operation.startsWith("delete"));
      if (polls <= 20) expect(deletes).toEqual([]);
      const intruder = bake(other, { now: () => world.now });
      await expect(intruder).rejects.toMatchObject({ code: "run_conflict" });
    },
  };

  await bake(slow, { now: () => world.now });

  expect(polls).toBeGreaterThan(20);
  expect(log.some((operation) => operation.startsWith("delete"))).toBe(true);
});

/** Browsers may show posts for a minute, so that what goes waits. */
const cachedPosts = (wired: Wired) => withHeaders(wired, "post", { cache: { maxAge: 60 } });

/** Lets a build die at the put of an object, and its claim end. */
async function dieAt(world: World, key: string, { store, cdn }: ReturnType<typeof recording>) {
  const error = () => new Error("killed");
  const fault = faultAt({ nth: 1, when: "before", isFatal: true, error });
  const gate = fault.on({ async pass() {} }, ["pass"]);
  const dying: ObjectStore = {
    ...store,
    async put(artifact, write) {
      if (artifact.key === key) await gate.pass();
      return await store.put(artifact, write);
    },
  };
  const killed = world.bake({}, (wired) => ({
    ...cachedPosts(wired),
    cdn,
    store: fault.on(dying, []),
    ledger: fault.on(wired.ledger, []),
  }));
  await unlessStruck(fault, killed);
  expect(fault.hasStruck()).toBe(true);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
}

/** A run that was cut off, and what the next one must have put before it lets readers come there. */
interface Cut {
  readonly name: string;
  /** A build before it. */
  readonly before?: (world: World) => void;
  readonly begin: (world: World) => void;
  /** At whose put it dies. */
  readonly diesAt: string;
  /** What it had put, with a link to what it had not. */
  readonly dangling?: readonly [key: string, link: string];
  readonly goOn?: (world: World) => void;
  readonly earlier: string;
  readonly later: string;
}

const CUTS: readonly Cut[] = [
  {
    name: "what it put anew is put again before anything links to it",
    begin: (world) => world.post(3, { author: "new", topic: "new" }),
    diesAt: "topics/new/index.html",
    dangling: ["authors/new/index.html", "/topics/new/"],
    goOn: (world) => world.edit(3, "topic", "x"),
    earlier: "authors/new/index.html",
    later: "all/index.html",
  },
  {
    name: "a new page at whose put it died is put before one that comes back",
    begin(world) {
      world.post(3, { topic: "new" });
      world.edit(2, "slug", "moved");
    },
    diesAt: "topics/new/index.html",
    goOn: (world) => world.edit(2, "slug", "p2"),
    earlier: "topics/new/index.html",
    later: "posts/p2/index.html",
  },
  {
    name: "where it moved a page is put again before the old route leads there",
    begin(world) {
      world.edit(2, "topic", "new");
      world.edit(2, "slug", "moved");
    },
    diesAt: "topics/new/index.html",
    dangling: ["posts/moved/index.html", "/topics/new/"],
    goOn: (world) => world.edit(2, "topic", "x"),
    earlier: "posts/moved/index.html",
    later: "posts/p2/index.html",
  },
  {
    name: "what it put anew, and led to, is put again after pages that come back",
    before: (world) => world.edit(2, "status", "draft"),
    begin: (world) => world.edit(1, "author", "new"),
    diesAt: "sitemaps/author.xml",
    goOn: (world) => world.post(2, { author: "new" }),
    earlier: "posts/p2/index.html",
    later: "authors/new/index.html",
  },
];

test.each(CUTS)("after a run that was cut off $name", async (cut) => {
  await using world = await smallWorld(2);
  const recorded = recording(world.objects);
  const { log, store, cdn } = recorded;
  const build = () => world.bake({}, (wired) => ({ ...cachedPosts(wired), store, cdn }));
  await build();
  if (cut.before !== undefined) {
    cut.before(world);
    await build();
  }
  cut.begin(world);
  await dieAt(world, cut.diesAt, recorded);
  const [key = "", link = ""] = cut.dangling ?? [];
  if (cut.dangling !== undefined) expect(world.shown()[key]).toContain(link);
  cut.goOn?.(world);
  log.length = 0;

  await build();

  const puts = [`put ${cut.earlier}`, `put ${cut.later}`];
  expect(log.filter((operation) => puts.includes(operation))).toEqual(puts);
  // What waited goes.
  world.now += DAY;
  await build();
  const made = await scratch(world.site, world.now, { rewire: cachedPosts });
  expect(differences(world.shown(), shown(made))).toEqual([]);
});

test("old copies of a sitemap that returns are evicted before the index leads there", async () => {
  await using world = await smallWorld(2);
  const { log, store, cdn } = recording(world.objects);
  const build = () => world.bake({}, (wired) => ({ ...cachedPosts(wired), store, cdn }));
  await build();
  world.sql("UPDATE posts SET status = 'draft'");
  expect(await build()).toMatchObject({ waiting: expect.any(Number) });
  expect(world.objects.has("sitemaps/post.xml")).toBe(true);
  world.sql("UPDATE posts SET status = 'published'");
  log.length = 0;

  await build();

  const [put, index] = ["put sitemaps/post.xml", "put sitemap.xml"].map((each) =>
    log.indexOf(each),
  );
  const between = log.slice(put, index);
  const told = between.indexOf("invalidate /sitemaps/post.xml");
  expect(told).toBeGreaterThan(0);
  expect(between.findLastIndex((each) => each.startsWith("completed"))).toBeGreaterThan(told);
});

test("nothing is paid for twice after a run that was cut off at a redirect where a page was", async () => {
  await using world = await smallWorld(2);
  const recorded = recording(world.objects);
  const { log, store, cdn } = recorded;
  const build = () => world.bake({}, (wired) => ({ ...wired, store, cdn }));
  await build();
  world.edit(2, "slug", "moved");
  log.length = 0;
  await dieAt(world, "posts/p2/index.html", recorded);

  await build();

  const told = log.filter((operation) => operation.startsWith("invalidate"));
  expect(told).toContain("invalidate /posts/p2/");
  expect(told.filter((each, at) => told.indexOf(each) !== at)).toEqual([]);
});
