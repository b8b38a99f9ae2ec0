import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, digest } from "../../src/site.ts";
import { cacheCdn } from "./cache-cdn.ts";
import { later } from "./later.ts";
import { differences } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

const KEY = "posts/p1/index.html";

test("an object that another hand has changed is put right with the next change of its page, and told", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  const body = Buffer.from("defaced");
  const there = world.objects.get(KEY);
  if (there) world.objects.set(KEY, { ...there, body, hash: digest(body) });
  world.edit(1, "title", "New");

  const { events } = await world.bake();

  const notes = events.flatMap((event) => (event.event === "note" ? [event.message] : []));
  expect(notes).toEqual([
    expect.stringContaining(`The object ${KEY} was not what the ledger says`),
  ]);
  await isExact(world);
});

test("what another hand put where a page is new leaves the caches of those who read it", async () => {
  const objects = new Map<string, Artifact>();
  const cdn = cacheCdn(objects, memoryStore(objects));
  await using world = await smallWorld(3, { cdn, objects, wrap: () => cdn.origin });
  await world.bake();
  const there = objects.get(KEY) as Artifact;
  await cdn.origin.put({ ...there, key: "posts/p4/index.html", body: Buffer.from("theirs") });
  world.post(4);

  await world.bake();

  expect(cdn.stale()).toEqual([]);
  await isExact(world);
});

test("what another hand put where an object waits to be deleted leaves the caches, and is told", async () => {
  const objects = new Map<string, Artifact>();
  const cdn = cacheCdn(objects, memoryStore(objects));
  await using world = await smallWorld(3, { cdn, objects, wrap: () => cdn.origin });
  await world.bake();
  const name = [...objects.keys()].find((key) => key.startsWith("assets/mark")) ?? "";
  const mark = objects.get(name) as Artifact;
  const file = join(world.site.dir, "assets", "mark.svg");
  await writeFile(file, "<svg><g/></svg>");
  await world.bake();
  await cdn.origin.put({ ...mark, body: Buffer.from("theirs") });
  await writeFile(file, mark.body);

  const { events } = await world.bake();

  const notes = events.flatMap((event) => (event.event === "note" ? [event.message] : []));
  expect(notes).toEqual([expect.stringContaining(`The object ${name} was not what`)]);
  expect(cdn.stale()).toEqual([]);
});

test("an object that waits to be deleted is replaced without a word", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(1, "status", "draft");
  const failing = world.bake({}, (wired) => ({
    ...wired,
    store: { ...wired.store, delete: () => Promise.reject(new Error("killed")) },
  }));
  await expect(failing).rejects.toThrow("killed");
  world.edit(1, "status", "published");

  const { events } = await world.bake({}, later);

  expect(events.filter(({ event }) => event === "note")).toEqual([]);
  await isExact(world);
});

test("a publisher that was suspended in a put does not overwrite what another has published since", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(1, "title", "Old");
  let isSuspended = false;
  const suspended = world.bake({}, (wired) => ({
    ...wired,
    store: {
      ...wired.store,
      async put(artifact, write) {
        if (artifact.key === KEY && !isSuspended) {
          isSuspended = true;
          world.edit(1, "title", "Newer");
          await world.bake({}, later);
        }
        return await wired.store.put(artifact, write);
      },
    },
  }));

  await expect(suspended).rejects.toMatchObject({ code: "run_conflict" });

  expect(world.shown()[KEY]).toContain("Newer");
  await isExact(world);
});

test("another hand's object where a page was stays, is told once and forgotten", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  const foreign = { ...(world.objects.get(KEY) as Artifact), body: Buffer.from("theirs") };
  world.edit(1, "status", "draft");

  // The store in memory keeps a hash of every object, so that it is told not to know this one.
  const { events } = await world.bake({}, (wired) => {
    world.objects.set(KEY, foreign);
    const head: ObjectStore["head"] = async (key) => {
      const found = await wired.store.head(key);
      return key === KEY && found ? { ...found, hash: undefined, writeId: undefined } : found;
    };
    return { ...wired, store: { ...wired.store, head } };
  });

  const warnings = events.flatMap((event) => (event.event === "warning" ? [event.error] : []));
  expect(warnings).toMatchObject([
    { code: "object_foreign", at: { store: "memory", key: KEY }, hint: expect.any(String) },
  ]);
  const { [KEY]: left, ...rest } = world.shown();
  expect(left).toBeDefined();
  expect(differences(rest, await world.scratch())).toEqual([]);
  expect((await world.bake()).release).toBeUndefined();
});

test("an object of a page that goes, which another put of ours has replaced, goes and is told", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  const there = world.objects.get(KEY) as Artifact;
  world.objects.set(KEY, { ...there, body: Buffer.from("late"), hash: digest("late") });
  world.edit(1, "status", "draft");

  const { events } = await world.bake();

  const notes = events.flatMap((event) => (event.event === "note" ? [event.message] : []));
  expect(notes).toEqual([expect.stringContaining(`${KEY} was not what the ledger says`)]);
  await isExact(world);
});

async function isExact(world: World): Promise<void> {
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
}
