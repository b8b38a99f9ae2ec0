import { describe, expect, test } from "vitest";
import type { Artifact } from "../../src/site.ts";
import { foldingStore } from "./folding-store.ts";
import { brokenLinks } from "./links.ts";
import { bake, openSmall, scratch, shown } from "./small-site.ts";
import { failures, smallWorld, type World } from "./world.ts";

const taken = (id: number) => `post ${id}: route_taken at - ${id} -`;

describe("two rows with one route", () => {
  test("are told by name; the live one keeps its page", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    const before = world.shown();
    world.post(4, { slug: "p2" });

    const { events } = await world.bake();

    expect(failures(events)).toEqual([taken(4)]);
    expect(messages(events)).toEqual([
      "post/4 cannot have the route /posts/p2/: post/2 has or wants it too.",
    ]);
    expect(world.shown()["posts/p2/index.html"]).toBe(before["posts/p2/index.html"]);
    expect(world.shown()["posts/p2/index.html"]).toContain("Title 2");
    expect(brokenLinks(world.objects)).toEqual([]);

    world.edit(4, "slug", "p4");
    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
  });

  test("that are both new have no page", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.post(4, { slug: "same" });
    world.post(5, { slug: "same" });

    const { events, failed } = await world.bake();

    expect(failures(events).toSorted()).toEqual([taken(4), taken(5)]);
    expect(failed).toBe(2);
    expect(world.objects.has("posts/same/index.html")).toBe(false);
    expect(world.shown()).toEqual(await world.scratch());

    world.edit(5, "slug", "other");
    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
  });

  test("lead to no other page for as long as they clash", async () => {
    await using world = await smallWorld(9);
    world.post(4, { slug: "p2" });
    world.post(9, { topic: "y", author: "bob" });
    await world.bake();
    world.edit(9, "title", "New");

    const { events, candidates } = await world.bake();

    expect(failures(events)).toEqual([taken(2), taken(4)]);
    expect(candidates).toBeLessThan(9);

    world.edit(4, "slug", "p4");
    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
  });

  test("keep what they have when both move there", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    world.edit(1, "slug", "same");
    world.edit(2, "slug", "same");

    const { events } = await world.bake();

    expect(failures(events).toSorted()).toEqual([taken(1), taken(2)]);
    for (const key of ["posts/p1/index.html", "posts/p2/index.html"]) {
      expect(world.objects.has(key)).toBe(true);
    }
    expect(brokenLinks(world.objects)).toEqual([]);
  });

  test("do not free theirs for a third that counts on it, nor that its own for a fourth", async () => {
    await using world = await smallWorld(4);
    await world.bake();
    const before = world.shown();
    // 3 cannot leave, so 2 cannot, so 1 cannot.
    world.edit(3, "slug", "p4");
    world.edit(2, "slug", "p3");
    world.edit(1, "slug", "p2");

    const { events } = await world.bake();

    expect(failures(events).toSorted()).toEqual([taken(1), taken(2), taken(3)]);
    expect(world.shown()).toMatchObject(posts(before));
    expect(brokenLinks(world.objects)).toEqual([]);

    world.edit(3, "slug", "end");
    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
  });
});

function posts(shown: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(shown).filter(([key]) => key.startsWith("posts/")));
}

function messages(events: Awaited<ReturnType<World["bake"]>>["events"]): readonly string[] {
  return events.flatMap((event) => (event.event === "failed" ? [event.error.message] : []));
}

test("a page moves into a route that another leaves, in one build", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  world.edit(1, "slug", "p2");
  world.edit(2, "slug", "p3");
  world.edit(3, "slug", "end");

  const { failed } = await world.bake();

  expect(failed).toBe(0);
  expect(world.shown()).toEqual(await world.scratch());
});

test("a body's link to a route that a page leaves stays: it leads on", async () => {
  await using world = await smallWorld(2);
  world.post(2, { body: "[one](/posts/p1/)" });
  await world.bake();
  world.edit(1, "slug", "moved");

  await world.bake();

  expect(world.shown()["notes/2/index.html"]).toContain("/posts/p1/");
  expect(world.shown()["posts/p1/index.html"]).toContain("/posts/moved/");
  expect(world.shown()).toEqual(await world.scratch());
});

test("two rows exchange their slugs in one build", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(1, "slug", "p2");
  world.edit(2, "slug", "p1");

  const { failed } = await world.bake();

  expect(failed).toBe(0);
  expect(world.shown()).toEqual(await world.scratch());
  expect((await world.bake()).release).toBeUndefined();
});

test("a new page takes the route of one that goes", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(2, "status", "draft");
  world.post(9, { slug: "p2" });

  const { failed } = await world.bake();

  expect(failed).toBe(0);
  expect(world.shown()).toEqual(await world.scratch());
});

describe("when two rows exchange their slugs and one fails", () => {
  test("both keep their pages", async () => {
    await using world = await smallWorld(3);
    await world.bake();
    const before = world.shown();
    world.post(1, { slug: "p2" });
    world.post(2, { slug: "p1", title: "throw" });

    const { events } = await world.bake();

    expect(failures(events).filter((each) => each.startsWith("post"))).toEqual([
      "post 2: template_failed at posts 2 -",
      taken(1),
    ]);
    for (const key of ["posts/p1/index.html", "posts/p2/index.html"]) {
      expect(world.shown()[key]).toBe(before[key]);
    }
    expect(brokenLinks(world.objects)).toEqual([]);

    world.post(2, { slug: "p1" });
    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
  });
});

test("when a new page fails at the route of one that goes, links there go, too", async () => {
  await using world = await smallWorld(3);
  world.edit(1, "body", "[two](/posts/p2/)");
  await world.bake();
  expect(world.shown()["notes/1/index.html"]).toContain("/posts/p2/");
  world.edit(2, "status", "draft");
  world.post(9, { slug: "p2", title: "throw" });

  await world.bake();

  expect(world.objects.has("posts/p2/index.html")).toBe(false);
  expect(brokenLinks(world.objects)).toEqual([]);
  expect(world.shown()).toEqual(await world.scratch());
});

describe("routes that differ only in case", () => {
  test("clash where the store cannot tell them apart, and only there", async () => {
    await using world = await smallWorld(2);
    world.post(3, { slug: "P1" });
    const objects = new Map<string, Artifact>();
    await using wired = await openSmall(world.site, {
      ledger: "folds.db",
      store: foldingStore(objects),
    });

    const folded = await bake(wired, { now: () => world.now });
    const told = await world.bake();

    expect(failures(folded.events).toSorted()).toEqual([taken(1), taken(3)]);
    expect(told.failed).toBe(0);
    expect(world.objects.has("posts/P1/index.html")).toBe(true);
    expect(world.objects.has("posts/p1/index.html")).toBe(true);
  });

  test("are one page when a slug changes its case", async () => {
    await using world = await smallWorld(3);
    const objects = new Map<string, Artifact>();
    await using wired = await openSmall(world.site, {
      ledger: "folds.db",
      store: foldingStore(objects),
    });
    await bake(wired, { now: () => world.now });
    world.edit(2, "slug", "P2");

    const { failed } = await bake(wired, { now: () => world.now });

    expect(failed).toBe(0);
    expect(shown(objects)).toMatchObject(shown(await scratch(world.site, world.now)));
    expect(objects.has("posts/p2/index.html")).toBe(false);
    expect((await bake(wired, { now: () => world.now })).release).toBeUndefined();
  });
});
