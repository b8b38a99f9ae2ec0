import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Viewer } from "../../src/invalidate/viewer.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, digest } from "../../src/site.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { verifying } from "./verifying.ts";

const KEY = "posts/p1/index.html";
const OTHER = "notes/2/index.html";

/** Another hand changes an object, its bytes or its headers. */
function tamper(world: World, key: string, parts: Partial<Artifact>): void {
  const there = world.objects.get(key) as Artifact;
  // The tag of the memory store follows from the hash, as S3's does from the bytes alone.
  const hash = parts.body === undefined ? there.hash : digest(parts.body);
  world.objects.set(key, { ...there, ...parts, hash });
}

test("nothing is wrong after a build", async () => {
  await using world = await smallWorld(6);
  await world.bake();

  const { told, listed, pages, read, waiting } = await verifying(world);

  expect(told).toEqual([]);
  expect([pages, read, waiting]).toEqual([listed, listed, 0]);
  expect(listed).toBe(world.objects.size - 1);
});

test("a missing, an altered, a foreign object and one with other headers are told from each other", async () => {
  await using world = await smallWorld(6);
  await world.bake();
  world.objects.delete(KEY);
  tamper(world, OTHER, { body: Buffer.from("defaced") });
  tamper(world, "index.html", { cacheControl: "no-cache" });
  world.objects.set("favicon.ico", world.objects.get("all/index.html") as Artifact);

  const { told, found, findings } = await verifying(world);

  expect(told).toEqual([
    `altered ${OTHER}`,
    "foreign favicon.ico",
    "headers index.html",
    `missing ${KEY}`,
  ]);
  expect(found).toMatchObject({ missing: 1, altered: 1, foreign: 1, headers: 1, stale: 0 });
  const missing = findings.find(({ flaw }) => flaw === "missing");
  expect(missing?.page).toMatchObject({ kind: "post", route: "/posts/p1/" });
});

test("bytes of the same number are told from those that were put by their tag", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  const { length } = (world.objects.get(KEY) as Artifact).body;
  tamper(world, KEY, { body: Buffer.alloc(length) });

  const { told, findings } = await verifying(world, { sample: 0 });

  expect(told).toEqual([`altered ${KEY}`]);
  expect(findings[0]?.detail).toMatch(/^the entity tag is "/);
});

test("the placeholder of a folder is foreign and does not hide that the folder's page is missing", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.objects.set("posts/p1/", world.objects.get(KEY) as Artifact);
  world.objects.delete(KEY);

  expect((await verifying(world)).told).toEqual(["foreign posts/p1/", `missing ${KEY}`]);
});

test("an emptied store misses every page", async () => {
  await using world = await smallWorld(30);
  await world.bake();
  world.objects.clear();

  const { found, pages } = await verifying(world);

  expect(found.missing).toBe(pages);
});

test("an object that waits for its deletion, or for the end of its put, is not wrong", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  world.edit(1, "status", "draft");
  const cut = (store: ObjectStore): ObjectStore => ({
    ...store,
    delete: () => Promise.reject(new Error("killed")),
  });
  await expect(world.bake({}, (w) => ({ ...w, store: cut(w.store) }))).rejects.toThrow("killed");
  world.edit(2, "title", "New");
  const confirm = () => Promise.reject(new Error("killed"));
  const dying = world.bake({}, ({ ledger, ...rest }) => ({
    ...rest,
    ledger: { ...ledger, confirm, yieldClaim: async () => {} },
  }));
  await expect(dying).rejects.toThrow("killed");

  const { told, waiting } = await verifying(world);

  expect(told).toEqual([]);
  expect(waiting).toBeGreaterThan(1);
});

test("what a run publishes while the store is listed is no finding", async () => {
  await using world = await smallWorld(6);
  await world.bake();
  world.edit(1, "title", "New");
  world.edit(2, "status", "draft");
  let isBaked = false;
  const { list } = world.store;
  const moving: ObjectStore = {
    ...world.store,
    async *list(prefix) {
      const listed = await Array.fromAsync(list(prefix));
      if (!isBaked) {
        isBaked = true;
        await world.bake();
      }
      yield* listed;
    },
  };

  expect((await verifying({ ...world, store: moving })).told).toEqual([]);
  expect(isBaked).toBe(true);
});

test("a sample reads so many pages, each of them sometimes", async () => {
  await using world = await smallWorld(6);
  await world.bake();
  const seen = new Set<string>();
  const get: ObjectStore["get"] = (key) => {
    seen.add(key);
    return world.store.get(key);
  };

  const { read } = await verifying({ ...world, store: { ...world.store, get } }, { sample: 5 });
  expect([read, seen.size]).toEqual([5, 5]);
  const all = world.objects.size - 1;
  for (let n = 0; seen.size < all && n < 1000; n += 1) {
    await verifying({ ...world, store: { ...world.store, get } }, { sample: 5 });
  }
  expect(seen.size).toBe(all);
});

/** What readers get: the objects of another moment. */
function edgeOf(objects: ReadonlyMap<string, Artifact>): Viewer {
  return {
    name: "edge",
    async get(path) {
      const key = decodeURIComponent(path.slice(1));
      const found = objects.get(key === "" || key.endsWith("/") ? `${key}index.html` : key);
      return found?.body ?? Buffer.from("There is no such page.");
    },
  };
}

test("what the CDN serves otherwise is stale", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  const before = new Map(world.objects);
  world.edit(1, "title", "New");
  world.post(5);
  await world.bake();

  const { told, fetched, read, findings } = await verifying(world, { edge: edgeOf(before) });

  const stale = [...world.objects.keys()].filter((key) => {
    const old = before.get(key);
    return (
      !key.startsWith(".") && old?.hash.equals(world.objects.get(key)?.hash as Buffer) !== true
    );
  });
  expect(told).toEqual(stale.map((key) => `stale ${key}`).sort());
  expect(fetched).toBe(read);
  const fresh = findings.find(({ object }) => object === "posts/p5/index.html");
  expect(fresh?.detail).toBe("22 bytes, but others than the store's");
});

test("a site that does not answer is told as such", async () => {
  await using world = await smallWorld(1);
  await world.bake();
  const edge: Viewer = { name: "edge", get: async () => undefined };

  const { found, fetched } = await verifying(world, { edge });

  expect(found.unreachable).toBe(fetched);
});

test("it stops when it is told to", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  const stop = new AbortController();
  const get: ObjectStore["get"] = (key) => {
    stop.abort();
    return world.store.get(key);
  };
  const store = { ...world.store, get };

  await expect(verifying({ ...world, store }, { signal: stop.signal })).rejects.toMatchObject({
    code: "interrupted",
  });
});

test("of a large store no more is held than one answer of its listing", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  const most = { ahead: 0, heads: 0 };
  let [ahead, heads] = [0, 0];
  const store: ObjectStore = {
    ...world.store,
    async *list(prefix) {
      for await (const listed of world.store.list(prefix)) yield listed;
      for (let n = 0; n < 3500; n += 1) {
        ahead += 1;
        most.ahead = Math.max(most.ahead, ahead);
        yield { key: `foreign/${n}`, etag: undefined, bytes: n };
      }
    },
    async head(key) {
      ahead = 0;
      heads += 1;
      most.heads = Math.max(most.heads, heads);
      await setImmediate();
      heads -= 1;
      return await world.store.head(key.replace(/^foreign.*/, "index.html"));
    },
  };
  const told: number[] = [];

  const { found } = await verifying(
    { ...world, store },
    { sample: 10, onFindings: (some) => void told.push(some.length) },
  );

  expect(found.foreign).toBe(3500);
  expect(Math.max(...told)).toBeLessThanOrEqual(1000);
  expect(most.ahead).toBeLessThanOrEqual(1000);
  expect(most.heads).toBeLessThanOrEqual(4);
});
