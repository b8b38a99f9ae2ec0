import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { exportHistory, importHistory } from "../../src/pipeline/route-history.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { type Artifact, address } from "../../src/site.ts";
import { foldingStore } from "./folding-store.ts";
import { later } from "./later.ts";
import { brokenLinks } from "./links.ts";
import { bake, FILES, openSmall, served, shown } from "./small-site.ts";
import { failures, smallWorld, type World } from "./world.ts";

/** Where the redirect at a route leads, `page` for another page, undefined where nothing is. */
function at({ objects }: World, route: string): string | undefined {
  const object = objects.get(address(route).key);
  if (object === undefined) return undefined;
  const text = Buffer.from(object.body).toString("utf8");
  return /^<a href="([^"]*)">moved<\/a>/.exec(text)?.[1] ?? "page";
}

async function declare({ site }: World, ...lines: readonly string[]): Promise<void> {
  await writeFile(join(site.dir, "redirects.txt"), lines.join("\n"));
}

function row(world: World, from: string, to: string): void {
  world.sql("INSERT OR REPLACE INTO moved VALUES (?, ?)", from, to);
}

/** Equal to a build from scratch that was given the history, and a second build has nothing to do. */
async function expectExact(world: World): Promise<void> {
  expect(brokenLinks(world.objects)).toEqual([]);
  expect(world.shown()).toEqual(await world.scratch());
  expect((await world.bake()).release).toBeUndefined();
}

describe("a changed slug", () => {
  test("leaves a redirect page at the old route, in the same build", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.edit(2, "slug", "new");

    const { failed } = await world.bake();

    expect(failed).toBe(0);
    expect([at(world, "/posts/p2/"), at(world, "/posts/new/")]).toEqual(["/posts/new/", "page"]);
    expect(world.shown()["posts/p2/index.html"]).toContain("https://small.example/posts/new/");
    expect(
      Object.values(world.shown()).filter((each) => each.includes("/posts/p2/</loc>")),
    ).toEqual([]);
    await expectExact(world);
  });

  test("that changes again leads from both old routes to the newest: chains collapse", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    for (const slug of ["a", "b", "c"]) {
      world.edit(1, "slug", slug);
      await world.bake();
    }

    const old = ["/posts/p1/", "/posts/a/", "/posts/b/"].map((route) => at(world, route));
    expect(old).toEqual(["/posts/c/", "/posts/c/", "/posts/c/"]);
    await expectExact(world);
  });

  test("that comes back takes its route from the redirect", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "a");
    await world.bake();
    world.edit(1, "slug", "p1");
    await world.bake();

    expect([at(world, "/posts/p1/"), at(world, "/posts/a/")]).toEqual(["page", "/posts/p1/"]);
    await expectExact(world);
  });

  test("that two rows exchange leaves no redirect", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "p2");
    world.edit(2, "slug", "p1");
    await world.bake();

    expect([at(world, "/posts/p1/"), at(world, "/posts/p2/")]).toEqual(["page", "page"]);
    expect(await world.ledger((ledger) => ledger.former(undefined, 9))).toEqual([]);
    await expectExact(world);
  });

  test("in a ring of three leaves none either", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.edit(1, "slug", "p2");
    world.edit(2, "slug", "p3");
    world.edit(3, "slug", "p1");
    await world.bake();

    expect(await world.ledger((ledger) => ledger.former(undefined, 9))).toEqual([]);
    await expectExact(world);
  });

  test("of a page that fails to render leaves page and route as they are", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.post(1, { slug: "new", title: "throw" });
    await world.bake();

    expect([at(world, "/posts/p1/"), at(world, "/posts/new/")]).toEqual(["page", undefined]);
    expect(await world.ledger((ledger) => ledger.former(undefined, 9))).toEqual([]);

    world.post(1, { slug: "new" });
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("/posts/new/");
    await expectExact(world);
  });

  test("of a page whose put the store refuses leaves no redirect to nothing", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "new");
    const refused = new Set(["posts/new/index.html"]);
    await world.bake({}, (wired) => ({ ...wired, store: refusing(world, refused) }));

    expect([at(world, "/posts/p1/"), at(world, "/posts/new/")]).toEqual(["page", undefined]);
    expect(brokenLinks(world.objects)).toEqual([]);

    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("/posts/new/");
    await expectExact(world);
  });

  test("is found by looking at every page as well", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.edit(2, "slug", "new");
    await world.bake({ isVerify: true });

    expect(at(world, "/posts/p2/")).toBe("/posts/new/");
    await expectExact(world);
  });

  test("is found by a rebuild of its row, and a redirect by one of its route", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.edit(2, "slug", "new");
    row(world, "/old/", "/posts/p3/");
    await world.bake({ targets: ["post:2"] });
    expect([at(world, "/posts/p2/"), at(world, "/old/")]).toEqual(["/posts/new/", undefined]);
    await world.bake({ targets: ["redirect:/old/"] });

    expect(at(world, "/old/")).toBe("/posts/p3/");
    row(world, "/old/", "/posts/p1/");
    await world.bake({ targets: ["/old/"] });

    expect(at(world, "/old/")).toBe("/posts/p1/");
    await expectExact(world);
  });

  test("in a build of one kind is made good by the next whole build", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.edit(2, "slug", "new");
    await world.bake({ only: "post" });
    expect(brokenLinks(world.objects)).toEqual([]);
    await world.bake();

    expect(at(world, "/posts/p2/")).toBe("/posts/new/");
    await expectExact(world);
  });

  test("whose redirect fails to render leaves no link to it", async () => {
    await using world = await smallWorld(3);
    world.post(2, { body: "[one](/posts/p1/)" });
    await world.bake();
    const template = join(world.site.dir, "templates", "moved.eta");
    await writeFile(template, `<% throw new Error("asked for") %>`);
    world.edit(1, "slug", "new");
    const { events } = await world.bake();

    expect(failures(events)).toEqual(["redirect %2Fposts%2Fp1%2F: template_failed at - - -"]);
    expect(at(world, "/posts/p1/")).toBeUndefined();
    expect(world.shown()["notes/2/index.html"]).not.toContain("/posts/p1/");
    expect(brokenLinks(world.objects)).toEqual([]);

    await writeFile(template, FILES["templates/moved.eta"] ?? "");
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("/posts/new/");
    expect(world.shown()["notes/2/index.html"]).toContain("/posts/p1/");
    await expectExact(world);
  });

  test("is told by a dry run", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "new");

    const { events } = await world.bake({ isDryRun: true });

    const steps = events.flatMap((each) => (each.event === "step" ? [each.step] : []));
    expect(steps.filter(({ kind }) => kind === "redirect")).toMatchObject([
      { route: "/posts/p1/", action: "create", reason: "absent", phase: "changed" },
    ]);
  });
});

/** The world's store, which refuses puts of these objects. */
function refusing(world: World, keys: ReadonlySet<string>): World["store"] {
  return {
    ...world.store,
    async put(artifact, write) {
      const { key } = artifact;
      if (!keys.has(key)) return await world.store.put(artifact, write);
      throw new PipelineError("store_rejected", "This key is refused.", { at: { key } });
    },
  };
}

describe("a route that a page left", () => {
  test("is taken back by a new page, for good", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "new");
    await world.bake();
    world.post(3, { slug: "p1", title: "Third" });
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("page");
    expect(world.shown()["posts/p1/index.html"]).toContain("Third");
    await expectExact(world);

    world.sql("DELETE FROM posts WHERE id = 3");
    await world.bake();

    expect(at(world, "/posts/p1/")).toBeUndefined();
    await expectExact(world);
  });

  test("is taken in the build in which it was left, and then nobody remembers", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "new");
    world.post(3, { slug: "p1" });
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("page");
    expect(await world.ledger((ledger) => ledger.former(undefined, 9))).toEqual([]);
    await expectExact(world);
  });

  test.for(["render", "put"])("keeps its redirect when the new page fails to %s", async (how) => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "new");
    await world.bake();
    world.post(3, { slug: "p1", title: how === "render" ? "throw" : "Third" });
    const refused = new Set(how === "put" ? ["posts/p1/index.html"] : []);
    const { events } = await world.bake({}, (wired) => ({
      ...wired,
      store: refusing(world, refused),
    }));

    expect(failures(events).some((each) => each.startsWith("post 3:"))).toBe(true);
    expect(at(world, "/posts/p1/")).toBe("/posts/new/");
    expect(brokenLinks(world.objects)).toEqual([]);

    world.post(3, { slug: "p1", title: "Third" });
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("page");
    await expectExact(world);
  });

  test("keeps its redirect when two pages want it, and clash", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "new");
    await world.bake();
    world.post(3, { slug: "p1" });
    world.post(4, { slug: "p1" });
    await world.bake();
    world.edit(2, "title", "Other");
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("/posts/new/");
    world.edit(4, "slug", "p4");
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("page");
    await expectExact(world);
  });

  test("has no redirect while its page is unpublished, and has it again afterwards", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    world.edit(1, "slug", "new");
    await world.bake();
    world.edit(1, "status", "draft");
    await world.bake();

    expect([at(world, "/posts/p1/"), at(world, "/posts/new/")]).toEqual([undefined, undefined]);
    await expectExact(world);

    world.edit(1, "status", "published");
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("/posts/new/");
    await expectExact(world);
  });

  test("that bodies link to stays a link", async () => {
    await using world = await smallWorld(2);
    world.post(2, { body: "[one](/posts/p1/)" });
    await world.bake();
    world.edit(1, "slug", "new");
    await world.bake();

    expect(world.shown()["notes/2/index.html"]).toContain("/posts/p1/");
    await expectExact(world);
  });
});

describe("declared redirects", () => {
  test("come from lines and rows, and lead away from the site, too", async () => {
    await using world = await smallWorld(2);
    await declare(
      world,
      "# moved",
      "/old/ /posts/p1/  # by hand",
      "/caf%C3%A9/ https://else.example/",
    );
    row(world, "/row/", "/posts/p2/");
    await world.bake();

    expect(at(world, "/old/")).toBe("/posts/p1/");
    expect(at(world, "/café/")).toBe("https://else.example/");
    expect(at(world, "/row/")).toBe("/posts/p2/");
    await expectExact(world);
  });

  test("that appear are put before the pages that link to them", async () => {
    await using world = await smallWorld(2);
    world.post(2, { body: "[old](/old/)" });
    await world.bake();
    row(world, "/old/", "/all/");
    const puts: string[] = [];
    await world.bake({}, (wired) => ({
      ...wired,
      store: {
        ...wired.store,
        async put(artifact, write) {
          puts.push(artifact.key);
          return await wired.store.put(artifact, write);
        },
      },
    }));

    expect(puts).toEqual(["old/index.html", "notes/2/index.html"]);
    await expectExact(world);
  });

  test("lead through others of all three sources to the page at the end", async () => {
    await using world = await smallWorld(2);
    await declare(world, "/line/ /row/");
    row(world, "/row/", "/posts/p1/");
    row(world, "/top/", "/line/");
    await world.bake();
    world.edit(1, "slug", "new");
    await world.bake();
    const routes = ["/line/", "/row/", "/top/", "/posts/p1/"];

    expect(routes.map((route) => at(world, route))).toEqual(routes.map(() => "/posts/new/"));
    await expectExact(world);

    world.edit(1, "slug", "newer");
    await world.bake();

    expect(routes.map((route) => at(world, route))).toEqual(routes.map(() => "/posts/newer/"));
    await expectExact(world);

    row(world, "/row/", "/posts/p2/");
    await world.bake();

    expect(routes.map((route) => at(world, route))).toEqual([
      "/posts/p2/",
      "/posts/p2/",
      "/posts/p2/",
      "/posts/newer/",
    ]);
    await expectExact(world);
  });

  test("that lead in a circle are refused, with each line and row", async () => {
    await using world = await smallWorld(1);
    await declare(world, "", "/a/ /b/", "/self/ /self/");
    row(world, "/b/", "/a/");
    const { events } = await world.bake();

    expect(told(events)).toEqual([
      "redirect_invalid redirects.txt:2 The redirect leads in a circle: /a/ to /b/ to /a/.",
      "redirect_invalid moved /b/ The redirect leads in a circle: /b/ to /a/ to /b/.",
      "redirect_invalid redirects.txt:3 The redirect leads in a circle: /self/ to /self/.",
    ]);
    expect([at(world, "/a/"), at(world, "/b/")]).toEqual([undefined, undefined]);

    row(world, "/b/", "/all/");
    await declare(world, "/a/ /b/");
    await world.bake();

    expect([at(world, "/a/"), at(world, "/b/")]).toEqual(["/all/", "/all/"]);
    await expectExact(world);
  });

  test("that lead nowhere are told, and made once there is a page", async () => {
    await using world = await smallWorld(1);
    row(world, "/old/", "/posts/p2/");
    const first = await world.bake();

    expect(told(first.events)).toEqual([
      "redirect_invalid moved /old/ The redirect leads to /posts/p2/, where there is no page.",
    ]);
    world.post(2);
    const { failed } = await world.bake();

    expect({ failed, old: at(world, "/old/") }).toEqual({ failed: 0, old: "/posts/p2/" });
    await expectExact(world);

    world.sql("DELETE FROM posts WHERE id = 2");
    const gone = await world.bake();

    expect(gone.failed).toBe(1);
    expect(at(world, "/old/")).toBeUndefined();
    expect(brokenLinks(world.objects)).toEqual([]);
  });

  test("keep their last good version when they are mistyped, as long as it leads to a page", async () => {
    await using world = await smallWorld(2);
    row(world, "/old/", "/posts/p1/");
    await world.bake();
    row(world, "/old/", "/posts/p11/");
    const { failed } = await world.bake();

    expect({ failed, old: at(world, "/old/") }).toEqual({ failed: 1, old: "/posts/p1/" });

    world.sql("DELETE FROM posts WHERE id = 1");
    await world.bake();

    expect(at(world, "/old/")).toBeUndefined();
    expect(brokenLinks(world.objects)).toEqual([]);
  });

  test.for([
    ["old/", "/posts/p1/", "route_invalid"],
    ["/old", "/posts/p1/", "route_invalid"],
    ["/../x/", "/posts/p1/", "route_invalid"],
    ["/old/", "javascript:alert(1)", "redirect_invalid"],
    ["/old/", "http://else.example/", "redirect_invalid"],
    ["/old/", "//else.example/", "redirect_invalid"],
    ["/old/", "https://", "redirect_invalid"],
  ] as const)("in a row from %s to %s are refused", async ([from, to, code]) => {
    await using world = await smallWorld(1);
    row(world, from, to);
    const { events, failed } = await world.bake();

    expect(failed).toBe(1);
    expect(told(events)[0]).toMatch(new RegExp(`^${code} moved `));
    expect(world.shown()).toEqual(await world.scratch());
  });

  test("give way to every page, without a word", async () => {
    await using world = await smallWorld(2);
    await declare(world, "/posts/p1/ /all/", "/ /all/");
    row(world, "/notes/2/", "/all/");
    const { failed } = await world.bake();

    expect(failed).toBe(0);
    const pages = ["/posts/p1/", "/", "/notes/2/"].map((route) => at(world, route));
    expect(pages).toEqual(["page", "page", "page"]);
    await expectExact(world);

    world.edit(1, "status", "draft");
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("/all/");
    await expectExact(world);
  });

  test("of lines come before those of rows, and both before the history", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.edit(1, "slug", "new");
    row(world, "/posts/p1/", "/posts/p2/");
    await world.bake();
    expect(at(world, "/posts/p1/")).toBe("/posts/p2/");
    await declare(world, "/posts/p1/ /posts/p3/");
    await world.bake();
    expect(at(world, "/posts/p1/")).toBe("/posts/p3/");
    await expectExact(world);

    await rm(join(world.site.dir, "redirects.txt"));
    world.sql("DELETE FROM moved");
    await world.bake();

    expect(at(world, "/posts/p1/")).toBe("/posts/new/");
    await expectExact(world);
  });
});

function told(events: Awaited<ReturnType<World["bake"]>>["events"]): readonly string[] {
  return events.flatMap((event) => {
    if (event.event !== "failed") return [];
    const { code, at: place, message } = event.error;
    const { file, line, table, key = "" } = place;
    const where = file === undefined ? `${table} ${decodeURIComponent(key)}` : `${file}:${line}`;
    return [`${code} ${where} ${message}`];
  });
}

describe("the route history", () => {
  test("makes the same pages in a build from scratch that is given it", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.edit(1, "slug", "a");
    world.edit(2, "slug", "ü x");
    await world.bake();
    world.edit(1, "slug", "b");
    await world.bake();
    const lines = await world.ledger((ledger) => Array.fromAsync(exportHistory(ledger)));

    expect(lines).toEqual([
      '{"from":"/posts/a/","kind":"post","key":[1]}\n',
      '{"from":"/posts/p1/","kind":"post","key":[1]}\n',
      '{"from":"/posts/p2/","kind":"post","key":[2]}\n',
    ]);
    const objects = new Map<string, Artifact>();
    await using wired = await openSmall(world.site, {
      ledger: "other.db",
      store: memoryStore(objects),
    });
    await importHistory(wired, lines, "history");
    await bake(wired, { now: () => world.now });
    expect(shown(served(objects))).toEqual(world.shown());
    expect(await Array.fromAsync(exportHistory(wired.ledger))).toEqual(lines);
  });

  test("that is imported is looked at by the next build, though nothing else changed", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    await world.ledger((ledger) =>
      imported(world, ledger, '{"from":"/x/","kind":"post","key":[2]}'),
    );

    const { changed } = await world.bake();

    expect({ changed, x: at(world, "/x/") }).toEqual({ changed: 1, x: "/posts/p2/" });
    await expectExact(world);
  });

  test("is not imported for a route that a page has", async () => {
    await using world = await smallWorld(2);
    await world.bake();
    await world.ledger((ledger) =>
      imported(world, ledger, '{"from":"/posts/p1/","kind":"post","key":[2]}'),
    );

    expect(await world.ledger((ledger) => ledger.former(undefined, 9))).toEqual([]);
  });

  test("is imported with all lines or none; bad ones are told by number", async () => {
    await using world = await smallWorld(1);
    const bad = [
      "{",
      "[]",
      '{"from":"x/","kind":"post","key":[1]}',
      '{"from":"/a/../","kind":"post","key":[1]}',
      '{"from":"/a/","kind":"post","key":[1],"to":"/b/"}',
      '{"from":"/a/","kind":"Post","key":[1]}',
      '{"from":"/a/","kind":"post","key":[]}',
      '{"from":"/a/","kind":"post","key":[1.5]}',
      '{"from":"/a/","kind":"post","key":["1"]}',
      '{"from":"/a/","kind":"post","key":[1,2]}',
      '{"from":"/a/","kind":"all","key":[1]}',
      '{"from":"/good/","kind":"post","key":[1]}',
    ];
    const lines = [
      '{"from":"/good/","kind":"gone","key":["x",{"bigint":"9007199254740993"}]}',
      ...bad,
    ];

    const error = await world.ledger((ledger) =>
      imported(world, ledger, ...lines).catch((caught: unknown) => caught),
    );

    expect(error).toMatchObject({ code: "input_invalid" });
    const places = (error as PipelineError).problems.map(({ place }) => place);
    expect(places).toEqual(bad.map((_, n) => `history:${n + 2}`));
    expect(await world.ledger((ledger) => ledger.former(undefined, 9))).toEqual([]);

    await world.ledger((ledger) => imported(world, ledger, lines[0] ?? ""));

    const [kept] = await world.ledger((ledger) => Array.fromAsync(exportHistory(ledger)));
    expect(kept).toBe(`${lines[0]}\n`);
  });
});

test("a page that moves on from where it replaced one that was to go leaves its redirect there", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  world.edit(1, "status", "draft");
  world.edit(2, "slug", "p1");
  const dying = world.bake({}, (wired) => {
    const retire = () => Promise.reject(new Error("killed"));
    return { ...wired, ledger: { ...wired.ledger, retire } };
  });
  await expect(dying).rejects.toThrow("killed");
  world.edit(2, "slug", "p9");

  await world.bake({}, later);

  expect(at(world, "/posts/p1/")).toBe("/posts/p9/");
  await expectExact(world);
});

async function imported(
  { site, store }: World,
  ledger: Ledger,
  ...lines: readonly string[]
): Promise<number> {
  await using wired = await openSmall(site, { ledger: "unused.db", store });
  return await importHistory({ site: wired.site, ledger }, lines, "history");
}

describe("where the store cannot tell routes apart that differ in case", () => {
  test("a redirect gives way to the page at the other spelling", async () => {
    await using world = await smallWorld(3);
    const objects = new Map<string, Artifact>();
    const store = foldingStore(objects);
    const folded = () => world.bake({}, (wired) => ({ ...wired, store }));
    const page = () => [...objects.keys()].filter((key) => /^posts\/p2/i.test(key));
    row(world, "/POSTS/p3/", "/all/");
    await folded();
    world.edit(2, "slug", "P2");
    const { failed } = await folded();

    expect({ failed, page: page() }).toEqual({ failed: 0, page: ["posts/P2/index.html"] });
    expect(Buffer.from(objects.get("posts/P2/index.html")?.body ?? "").toString()).toContain(
      "<h1>",
    );
    expect(objects.has("POSTS/p3/index.html")).toBe(false);

    world.edit(2, "slug", "new");
    world.edit(3, "status", "draft");
    await folded();

    expect(page()).toHaveLength(1);
    expect(Buffer.from(objects.get(page()[0] ?? "")?.body ?? "").toString()).toContain(
      "/posts/new/",
    );
    expect(objects.has("POSTS/p3/index.html")).toBe(true);
    expect((await folded()).release).toBeUndefined();
  });
});
