import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import {
  exportQuarantine,
  exportTakedowns,
  importQuarantine,
  importTakedowns,
  rebuildAround,
  releasesOf,
  removePages,
  takeDown,
} from "../../src/pipeline.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { verifying } from "../verify/verifying.ts";
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
import { failures, smallWorld, type World } from "./world.ts";

const P3 = "/posts/p3/";

/** The store is exact, the cache too, nothing leads nowhere, and a build finds nothing to do. */
async function settled(world: World): Promise<void> {
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
  expect(brokenLinks(world.objects)).toEqual([]);
  expect((world as Partial<CachedWorld>).cdn?.stale?.() ?? []).toEqual([]);
  expect((await world.bake()).release).toBeUndefined();
}

function mentions(world: World, text: string): readonly string[] {
  return Object.entries(world.shown()).flatMap(([key, body]) => (body.includes(text) ? [key] : []));
}

test("a page that is taken down goes with its redirects, and what links to it or lists it is without it", async () => {
  await using world = await cachedWorld();
  expect(mentions(world, P3)).toHaveLength(9);

  await takeAway(world, P3);

  expect(mentions(world, P3)).toEqual([]);
  expect(isThere(world, "/posts/once/")).toBe(false);
  expect(isThere(world, "/notes/3/")).toBe(true);
  await settled(world);
});

test("its object goes first, then the cache's copies, then all else follows", async () => {
  await using world = await cachedWorld();
  const told: string[] = [];
  const tell = (what: string) => told.push(`${what}: ${isThere(world, P3) ? "there" : "gone"}`);
  await wiredOf(world, async (wired) => {
    const cdn = {
      ...wired.cdn,
      async isCompleted(id: string) {
        const isDone = await wired.cdn.isCompleted(id);
        tell("completed");
        return isDone;
      },
    };
    const store = {
      ...wired.store,
      async put(...of: Parameters<typeof wired.store.put>) {
        tell("put");
        return await wired.store.put(...of);
      },
      async delete(...of: Parameters<typeof wired.store.delete>) {
        const refused = await wired.store.delete(...of);
        told.push(`deleted ${of[0]}`);
        return refused;
      },
    };
    await takeDown({ ...wired, store, cdn }, [P3], asked(world));
    told.push("taken down");
    await rebuildAround({ ...wired, store, cdn }, around(world));
  });

  expect(told.slice(0, 3)).toEqual([
    "deleted posts/p3/index.html",
    "completed: gone",
    "taken down",
  ]);
  expect(new Set(told.slice(3).map((each) => each.split(",")[0]))).toEqual(
    new Set(["put: gone", "completed: gone", "deleted posts/once/index.html"]),
  );
  expect([...world.cdn.accepted.values()].flat().filter((item) => item === P3)).toHaveLength(1);
});

test("whatever becomes of its row it stays away, and comes back as the row says when it is lifted", async () => {
  await using world = await cachedWorld();
  const before = world.shown();
  await takeAway(world, P3);

  for (const [column, value] of [
    ["title", "Other"],
    ["status", "draft"],
    ["slug", "elsewhere"],
    ["status", "published"],
    ["title", "Title 3"],
  ] as const) {
    world.edit(3, column, value);
    await world.bake();
    expect(isThere(world, P3) || isThere(world, "/posts/elsewhere/")).toBe(false);
    await settled(world);
  }

  await bringBack(world, P3);
  expect(isThere(world, "/posts/elsewhere/")).toBe(true);
  await settled(world);
  world.edit(3, "slug", "p3");
  await world.bake();
  const { "posts/elsewhere/index.html": redirect, ...rest } = world.shown();
  expect(redirect).toBeDefined();
  expect(differences(rest, before)).toEqual([]);
});

test("lifted at once, it is what it was", async () => {
  await using world = await cachedWorld();
  const before = world.shown();
  await takeAway(world, P3, "/topics/x/", "/about/");

  await bringBack(world, P3, "/topics/x/", "/about/");

  expect(differences(world.shown(), before)).toEqual([]);
  await settled(world);
});

test("lifted before anything followed, it is what it was", async () => {
  await using world = await cachedWorld();
  const before = world.shown();
  const routes = [P3, "/topics/x/", "/"];
  await wiredOf(world, (wired) => takeDown(wired, routes, asked(world)));

  await bringBack(world, ...routes);

  expect(differences(world.shown(), before)).toEqual([]);
  await settled(world);
});

test.for([
  ["/topics/x/", "topics/x/"],
  ["/authors/ann/", "authors/ann/"],
  ["/all/", "all/"],
  ["/about/", "about/index.html"],
  ["/", "index.html"],
])(
  "a list goes with its archive, a file's page and a lone page go alone: %s",
  async ([route, keys]) => {
    await using world = await cachedWorld();
    const own = Object.keys(world.shown()).filter((key) => key.startsWith(keys ?? "-"));
    await takeAway(world, route ?? "");
    expect(own.filter((key) => world.objects.has(key))).toEqual([]);
    await settled(world);

    world.post(7);
    world.edit(2, "status", "draft");
    await world.bake({ targets: ["post:7", "post:2", "topics:x,7", "topics:x,2"] });
    await settled(world);
  },
);

test("another page may take its route", async () => {
  await using world = await cachedWorld();
  await takeAway(world, P3);
  world.edit(3, "slug", "else");
  world.post(9, { slug: "p3", title: "Nine" });
  await world.bake();

  expect(mentions(world, "Nine")).toContain("posts/p3/index.html");
  await settled(world);
  await bringBack(world, P3);
  expect(isThere(world, "/posts/else/")).toBe(true);
  await settled(world);
});

test("a page that failed for its route takes it at once", async () => {
  await using world = await cachedWorld();
  world.post(9, { slug: "p3", title: "Nine" });
  expect((await world.bake()).failed).toBe(1);

  const { failed } = await takeAway(world, P3);

  expect([failed, mentions(world, "Nine").includes("posts/p3/index.html")]).toEqual([0, true]);
  await settled(world);
});

test("a page that fails is no failure any more, nor among the last good versions", async () => {
  await using world = await cachedWorld();
  world.edit(3, "title", "throw");
  expect((await world.bake()).failed).toBe(1);

  const { failed } = await takeAway(world, P3);

  expect(failed).toBe(0);
  const held = await wiredOf(world, (wired) => Array.fromAsync(exportQuarantine(wired)));
  expect(held).toEqual([]);
  await settled(world);
});

test("rows that cannot be read keep nothing from going; the next build does the rest", async () => {
  await using world = await cachedWorld();
  await wiredOf(world, async (wired) => {
    const down = async () => {
      throw new PipelineError("source_unavailable", "The database does not answer.");
    };
    const broken = { ...wired, source: { ...wired.source, check: down, read: down } };
    await takeDown(broken, [P3], asked(world));
    const rest = rebuildAround(broken, around(world));
    await expect(rest).rejects.toMatchObject({ code: "source_unavailable" });
  });

  expect(isThere(world, P3)).toBe(false);
  expect(mentions(world, P3)).not.toEqual([]);
  expect(await world.bake()).toMatchObject({ failed: 0, deleted: 3 });
  await settled(world);
});

test("what cannot be taken down is said all at once, and nothing is", async () => {
  await using world = await cachedWorld();
  const [archive = ""] = Object.keys(world.shown()).filter((key) => key.startsWith("topics/x/2"));
  const [asset = ""] = Object.keys(world.shown()).filter((key) => key.startsWith("assets/"));
  const routes = [
    "/posts/p33/",
    `/${archive.replace(/index.html$/, "")}`,
    "/posts/once/",
    "/sitemap.xml",
    `/${asset}`,
    P3,
  ];
  const taken = wiredOf(world, (wired) => takeDown(wired, routes, asked(world)));

  await expect(taken).rejects.toMatchObject({
    code: "input_invalid",
    problems: [
      { place: "/posts/p33/", message: expect.stringContaining("Did you mean /posts/p3/?") },
      { message: expect.stringContaining("archive") },
      { message: expect.stringContaining("It leads to /posts/p3/") },
      { message: expect.stringContaining("It lists pages") },
      { message: expect.stringContaining("content/assets") },
    ],
  });
  expect(await world.ledger((ledger) => ledger.bars())).toEqual([]);
  await settled(world);
});

test("taken down twice, moment and reason stay, and the object is removed again", async () => {
  await using world = await cachedWorld();
  await wiredOf(world, (wired) => takeDown(wired, [P3], asked(world, { reason: "asked for" })));
  const object = world.objects.get("posts/p4/index.html");
  world.objects.set("posts/p3/index.html", { ...object, key: "posts/p3/index.html" } as never);
  await wiredOf(world, (wired) => takeDown(wired, [P3], asked({ now: world.now + 5 })));

  expect(world.objects.has("posts/p3/index.html")).toBe(false);
  const [bar] = await world.ledger((ledger) => ledger.bars());
  expect(bar).toMatchObject({ reason: "asked for", since: world.now, state: "removed" });
});

test("most of a small site may be taken down without a word about deletes", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  const deleteShare = 0;
  const pages = [1, 2, 3, 4].flatMap((id) => [`/posts/p${id}/`, `/notes/${id}/`]);
  const routes = [...pages, "/all/", "/authors/ann/", "/topics/x/"];
  await wiredOf(world, async (wired) => {
    await takeDown(wired, routes, asked(world));
    await rebuildAround({ ...wired, deleteShare }, around(world));
  });

  expect(mentions(world, "/posts/p")).toEqual([]);
  await settled(world);
});

test("what is taken down is exported and imported to the byte, and keeps away from the first build on", async () => {
  await using world = await cachedWorld();
  await takeAway(world, P3, "/topics/x/");
  const lines = await world.ledger((ledger) => Array.fromAsync(exportTakedowns(ledger)));
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ kind: "post", key: [3], route: P3 });

  await using other = await smallWorld(6);
  const options = { file: "bars", signal: around(world).signal };
  await wiredOf(other, (wired) => importTakedowns(wired, lines, options));
  await other.bake();

  expect(other.objects.has("posts/p3/index.html")).toBe(false);
  expect(await other.ledger((ledger) => Array.fromAsync(exportTakedowns(ledger)))).toEqual(lines);
  await settled(other);
});

test("imported into a ledger that has them live, pages are removed at once", async () => {
  await using world = await cachedWorld();
  const line = JSON.stringify({ kind: "post", key: [3], route: "/posts/old/", since: 1 });
  const options = { file: "bars", signal: around(world).signal };
  const lines = await wiredOf(world, (wired) => importTakedowns(wired, [line], options));

  expect([lines, isThere(world, P3)]).toEqual([1, false]);
  await world.bake();
  await settled(world);
});

test("lines that are wrong are told with their numbers, and nothing is imported", async () => {
  await using world = await smallWorld(1);
  const good = { kind: "post", key: [3], route: P3, since: 1 };
  const bad = [
    "{",
    "[]",
    { ...good, more: 1 },
    { ...good, kind: "Post" },
    { ...good, key: 3 },
    { ...good, route: "p3" },
    { ...good, since: "now" },
    { ...good, reason: 1 },
    { ...good, erased: "yes" },
    good,
    good,
  ].map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
  const options = { file: "bars", signal: around(world).signal };
  const imported = wiredOf(world, (wired) => importTakedowns(wired, bad, options));

  const places = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11].map((n) => ({ place: `bars:${n}` }));
  await expect(imported).rejects.toMatchObject({ code: "input_invalid", problems: places });
  expect(await world.ledger((ledger) => ledger.bars())).toEqual([]);
});

test("a store that folds case loses no page whose route differs in case alone", async () => {
  await using world = await cachedWorld();
  world.edit(4, "slug", "P3");
  await world.bake();
  await wiredOf(world, async (wired) => {
    const store = { ...wired.store, foldsCase: true };
    await takeDown({ ...wired, store }, [P3], asked(world));
  });

  expect(isThere(world, "/posts/P3/")).toBe(true);
});

test("a page of a kind that the site does not have any more may go, too", async () => {
  await using world = await cachedWorld();
  await wiredOf(world, async (wired) => {
    const kinds = wired.site.kinds.filter(({ name }) => name !== "content");
    await takeDown({ ...wired, site: { ...wired.site, kinds } }, ["/about/"], asked(world));
  });

  expect(isThere(world, "/about/")).toBe(false);
  await writeFile(join(world.site.dir, "pages", "about.md"), "---\ntitle: About\n---\nNew.");
  await world.bake();
  expect(isThere(world, "/about/")).toBe(false);
  await settled(world);
});

test("a bad row of a page that is taken down is nobody's failure", async () => {
  await using world = await cachedWorld();
  await takeAway(world, P3, "/notes/3/");
  world.loosen();
  world.edit(3, "status", "odd");

  expect(failures((await world.bake()).events)).not.toContain("post 3: row_invalid");
});

test("a redirect that leads elsewhere stays where an erased page was", async () => {
  await using world = await cachedWorld();
  await writeFile(
    join(world.site.dir, "redirects.txt"),
    "/posts/once/ /all/\n/posts/p3/ /about/\n",
  );
  await takeAway(world, P3);
  expect(mentions(world, "moved<")).toEqual(["posts/once/index.html", "posts/p3/index.html"]);
  await settled(world);

  const bar = await world.ledger((ledger) => ledger.bars());
  await wiredOf(world, async (wired) => {
    await wired.ledger.bar(bar.map((each) => ({ ...each, isErased: true })));
    await removePages(wired, around(world));
  });

  expect(await world.ledger((ledger) => ledger.bars())).toMatchObject([{ isErasing: false }]);
  expect(
    ["p3", "once"].map((slug) => world.versions.get(`posts/${slug}/index.html`)?.length),
  ).toEqual([1, 1]);
  await settled(world);
});

test("the release that follows is told as one of a takedown, and a check of the store finds nothing", async () => {
  await using world = await cachedWorld();
  await wiredOf(world, (wired) => takeDown(wired, [P3], asked(world)));
  expect((await verifying(world)).told).toEqual([]);
  await wiredOf(world, async (wired) => {
    await rebuildAround(wired, around(world));
    expect((await releasesOf(wired, 1))[0]).toMatchObject({ run: "takedown", deleted: 3 });
  });
  expect((await verifying(world)).told).toEqual([]);
});

test("last good versions of pages that are taken down are not imported", async () => {
  await using world = await cachedWorld();
  world.edit(3, "title", "throw");
  world.edit(4, "title", "throw");
  await world.bake();
  const held = await wiredOf(world, (wired) => Array.fromAsync(exportQuarantine(wired)));
  expect(held).toHaveLength(2);
  await using other = await smallWorld(6);
  const bar = JSON.stringify({ kind: "post", key: [3], route: P3, since: 1 });
  const options = { ...around(other), file: "file" };

  const imported = await wiredOf(other, async (wired) => {
    await importTakedowns(wired, [bar], options);
    return await importQuarantine(wired, held, options);
  });

  expect(imported).toBe(1);
  expect(Object.keys(other.shown())).toEqual(["posts/p4/index.html"]);
  expect(await other.ledger((ledger) => ledger.quarantined())).toHaveLength(1);
});

test.each(["before", "after"])(
  "a takedown that is suspended %s its delete spares the page that took the route",
  async (when) => {
    await using world = await cachedWorld();
    let isBuilt = false;
    const build = async () => {
      if (isBuilt) return;
      isBuilt = true;
      world.edit(3, "slug", "else");
      world.post(9, { slug: "p3", title: "Nine" });
      await world.bake();
    };

    await wiredOf(world, async (wired) => {
      const store: ObjectStore = {
        ...wired.store,
        async delete(keys, deletion) {
          if (when === "before") await build();
          const others = await wired.store.delete(keys, deletion);
          if (when === "after") await build();
          return others;
        },
      };
      await takeDown({ ...wired, store }, ["/posts/p3/"], asked(world));
    });

    expect(world.shown()["posts/p3/index.html"]).toContain("Nine");
    await world.bake();
    expect(differences(world.shown(), await world.scratch())).toEqual([]);
  },
);
