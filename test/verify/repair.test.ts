import { expect, test } from "vitest";
import type { Viewer } from "../../src/invalidate/viewer.ts";
import { hold } from "../../src/pipeline/hold.ts";
import type { Wired } from "../../src/pipeline.ts";
import { type Artifact, address, digest, routeOfKey } from "../../src/site.ts";
import { openDamage, repair } from "../../src/verify/repair.ts";
import { verify } from "../../src/verify.ts";
import { type CacheCdn, cacheCdn } from "../pipeline/cache-cdn.ts";
import { later } from "../pipeline/later.ts";
import { differences, openSmall } from "../pipeline/small-site.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { verifying } from "./verifying.ts";

interface Rewired {
  readonly rewire?: (wired: Wired) => Wired;
  readonly edge?: Viewer;
  readonly cdn?: CacheCdn;
  /** Findings that are kept in memory. */
  readonly most?: number;
}

/** Checks a world, puts right what is wrong, and gives the objects that were put. */
async function repairing(world: World, options: Rewired = {}): Promise<readonly string[]> {
  const { rewire = (same) => same, edge, most, cdn } = options;
  const puts: string[] = [];
  const { store } = world;
  const parts = { ledger: "ledger.db", ...(cdn && { cdn }) };
  await using wired = await openSmall(world.site, {
    ...parts,
    store: {
      ...store,
      async put(artifact, write) {
        puts.push(artifact.key);
        return await store.put(artifact, write);
      },
    },
  });
  const signal = new AbortController().signal;
  const asked = { signal, emit: () => {}, sample: Number.POSITIVE_INFINITY, edge };
  const found = openDamage(most);
  await verify(wired, { ...asked, onFindings: found.add });
  await repair(rewire(wired), found.damage(), { ...asked, now: () => world.now });
  return puts.sort();
}

function deface(world: World, key: string): void {
  const body = Buffer.from("defaced");
  const there = world.objects.get(key) as Artifact;
  world.objects.set(key, { ...there, body, hash: digest(body) });
}

async function isExact(world: World): Promise<void> {
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
  expect((await world.bake()).release).toBeUndefined();
  expect((await verifying(world)).told).toEqual([]);
}

const PAGES = ["notes/2/index.html", "posts/p1/index.html", "topics/x/index.html"];

test("pages that are missing, altered or have other headers are made again, and no others", async () => {
  await using world = await smallWorld(6);
  await world.bake();
  const [note = "", post = "", list = ""] = PAGES;
  world.objects.delete(note);
  deface(world, post);
  world.objects.set(list, { ...(world.objects.get(list) as Artifact), cacheControl: "no-cache" });

  expect(await repairing(world)).toEqual(PAGES);

  await isExact(world);
});

test("so are assets, sitemaps and redirects", async () => {
  await using world = await smallWorld(6);
  await world.bake();
  world.edit(1, "slug", "moved");
  await world.bake();
  const lost = [...world.objects.keys()].filter((key) => /^assets|sitemap|p1/.test(key)).sort();
  for (const key of lost) world.objects.delete(key);

  expect(await repairing(world)).toEqual(lost);

  expect(lost.length).toBeGreaterThan(3);
  await isExact(world);
});

test("more than are kept in memory are found again under the claim", async () => {
  await using world = await smallWorld(12);
  await world.bake();
  const posts = [...world.objects.keys()].filter((key) => key.startsWith("posts/")).sort();
  for (const key of posts) deface(world, key);

  expect(await repairing(world, { most: 3 })).toEqual(posts);

  await isExact(world);
});

test("foreign objects stay", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  const icon = world.objects.get("index.html") as Artifact;
  world.objects.set("favicon.ico", icon);
  world.objects.delete(PAGES[1] ?? "");

  await repairing(world);

  expect(world.objects.get("favicon.ico")).toBe(icon);
  expect((await verifying(world)).told).toEqual(["foreign favicon.ico"]);
});

test("a page whose row is gone since is not put again", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.objects.delete("posts/p1/index.html");
  world.edit(1, "status", "draft");

  expect(await repairing(world)).not.toContain("posts/p1/index.html");

  // A rebuild is told of no other tables' rows.
  await world.bake();
  await isExact(world);
});

test("nothing is repaired while publishing is held, and the check still tells", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.objects.delete("posts/p1/index.html");
  await world.ledger((ledger) => hold(ledger, { release: 1, since: world.now }));

  await expect(repairing(world)).rejects.toMatchObject({ code: "publishing_held" });

  expect((await verifying(world)).told).toEqual(["missing posts/p1/index.html"]);
});

/** What readers get of a cache. */
function edgeOf({ held }: CacheCdn): Viewer {
  return {
    name: "edge",
    get: async (path) => held.get(path)?.body,
  };
}

test("copies that are stale at the edge are invalidated again, and their pages not put", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  const cdn = cacheCdn(world.objects, world.store);
  const key = "posts/p1/index.html";
  const { viewerPath } = address(routeOfKey(key));
  cdn.held.set(viewerPath, world.objects.get("index.html") as Artifact);

  const puts = await repairing(world, { edge: edgeOf(cdn), cdn });

  expect(puts).toEqual([]);
  expect(cdn.stale()).toEqual([]);
  expect([...cdn.accepted.values()].flat()).toContain(viewerPath);
});

test.for([1, 2, 3, 5, 8])(
  "killed at call %i that changes something, the next build ends exact",
  async (nth) => {
    await using world = await smallWorld(6);
    await world.bake();
    for (const key of PAGES) deface(world, key);
    let calls = 0;
    const dying = <T extends object>(port: T, names: readonly (keyof T & string)[]): T => {
      const own = names.map((name) => [
        name,
        (...of: unknown[]) => {
          calls += 1;
          if (calls >= nth) throw new Error("killed");
          return (port[name] as (...of: unknown[]) => unknown)(...of);
        },
      ]);
      return { ...port, ...Object.fromEntries(own) };
    };
    const rewire = (wired: Wired): Wired => ({
      ...wired,
      ledger: dying(wired.ledger, ["claim", "doubt", "finish", "intend", "confirm"]),
      store: dying(wired.store, ["put"]),
    });

    await expect(repairing(world, { rewire })).rejects.toThrow("killed");
    await world.bake({}, later);

    const left = await verifying(world);
    // Until pages are in doubt nobody has noted anything, so the check finds them again.
    expect(left.told.length === 0 || calls < 4).toBe(true);
    if (left.told.length > 0) await repairing(world);
    await isExact(world);
  },
);
