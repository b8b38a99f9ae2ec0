import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { kindFingerprints } from "../../src/engine.ts";
import type { Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { type Artifact, tablesOf } from "../../src/site.ts";
import { readChanges } from "../../src/source/changes.ts";
import { withWindows } from "../history/variants.ts";
import { isComparable } from "./comparable.ts";
import { change, DAY, REDIRECTS, START, TOPICS, writeRows } from "./rows.ts";
import { bake, openSmall, SITE, scratch, served, shown, smallSite } from "./small-site.ts";
import { smallWorld } from "./world.ts";

const RUNS = Number(process.env["HISTORIES"] ?? 40);

/** Every row that a history of `rows.ts` may touch. */
const TARGETS = [
  ...Array.from({ length: 12 }, (_, at) => `post:${at + 1}`),
  ...TOPICS.flatMap((topic) => Array.from({ length: 12 }, (_, at) => `topics:${topic},${at + 1}`)),
  ...["ann", "bob", "Ann"].map((handle) => `people:${handle}`),
  ...REDIRECTS.map((route) => `moved:${route}`),
];

test(`after rebuilds of the rows that changed the store equals a build from scratch (${RUNS} histories)`, async () => {
  const moment = fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 6 }),
    days: fc.integer({ min: 0, max: 60 }),
  });
  const seed = Number(process.env["SEED"] ?? 11);
  console.info(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 2, maxLength: 6 }), async (history) => {
      await using site = await smallSite();
      const objects = new Map<string, Artifact>();
      const store = memoryStore(objects);
      let now = START;
      for (const [at, { changes, days }] of history.entries()) {
        now += days * DAY;
        writeRows(site.source, changes);
        await using wired = await openSmall(site, { ledger: "ledger.db", store });
        const targets = at > 0 ? TARGETS : undefined;
        const { events } = await bake(wired, { now: () => now, targets });

        if (!isComparable(events, objects)) continue;
        expect(shown(served(objects))).toEqual(shown(await scratch(site, now)));
      }
      await using wired = await openSmall(site, { ledger: "ledger.db", store });
      const verified = await bake(wired, { now: () => now, isVerify: true });
      expect(verified).toMatchObject({ rendered: 0, changed: 0, deleted: 0 });
    }),
    { numRuns: RUNS, seed },
  );
}, 300_000);

test("a rebuild renders what the change touches and nothing else", async () => {
  await using world = await smallWorld(8);
  await world.bake();
  world.edit(4, "title", "New");

  const { candidates, rendered, changed } = await world.bake({ targets: TARGETS });
  const again = await world.bake({ isVerify: true });

  expect(rendered).toBe(changed);
  expect(candidates).toBeLessThan(Object.keys(world.shown()).length);
  expect(changed).toBeGreaterThan(0);
  expect(again.rendered).toBe(0);
});

test("a rebuild of other rows leaves a change to the next build", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(1, "title", "New");

  const other = await world.bake({ targets: ["post:2", "/nowhere/"] });
  const build = await world.bake();

  expect(other).toMatchObject({ changed: 0, release: undefined });
  expect(build.changed).toBeGreaterThan(0);
});

test("a rebuild leaves failed pages to the next build when there are many", async () => {
  await using world = await smallWorld(3);
  for (let id = 10; id < 70; id += 1) world.post(id, { slug: "/bad", topic: null });
  await world.bake();
  world.post(70, { slug: "p2", topic: null });
  const { failed } = await world.bake();
  world.edit(2, "status", "draft");

  const rebuilt = await world.bake({ targets: ["post:2", "topics:x,2"] });
  const quarantined = await world.ledger((ledger) => ledger.quarantined());

  expect([failed, rebuilt.failed, quarantined.length]).toEqual([61, 0, 61]);
  expect(world.objects.has("posts/p2/index.html")).toBe(false);

  const build = await world.bake();
  const again = await world.bake();

  expect([build.failed, again.failed, again.release]).toEqual([60, 60, undefined]);
  expect(world.shown()).toEqual(await world.scratch());
});

test("a rebuild does not put a window that it left to the next build where it last began", async () => {
  await using world = await smallWorld(6);
  for (let id = 10; id < 70; id += 1) world.post(id, { slug: "/bad", topic: null, author: "bob" });
  const list = join(world.site.dir, "templates", "list.eta");
  appendFileSync(list, `<% if (it.person?.name === "Bad") { throw new Error("asked for"); } %>`);
  world.sql("INSERT INTO people VALUES ('ann', 'Good')");
  await world.bake();
  const before = world.shown();
  world.sql("UPDATE people SET name = 'Bad'");
  world.edit(1, "status", "draft");
  await world.bake();
  world.sql("UPDATE people SET name = 'Better'");

  await world.bake({ targets: ["people:ann"] });

  expect(world.shown()["authors/ann/1/index.html"]).toBe(before["authors/ann/1/index.html"]);

  await world.bake();

  expect(world.shown()).toEqual(await world.scratch());
});

test("a rebuild mends one of many failed pages", async () => {
  await using world = await smallWorld(3);
  for (let id = 10; id < 70; id += 1) world.post(id, { slug: "/bad", topic: null });
  await world.bake();
  world.edit(10, "slug", "p10");

  await world.bake({ targets: ["post:10"] });

  expect(world.shown()).toEqual(await world.scratch());
  expect(await world.ledger((ledger) => ledger.quarantined())).toHaveLength(59);
});

test("a rebuild whose clock was set back looks at all rows", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.now = START - 98 * DAY;

  await world.bake({ targets: ["people:ann"] });

  expect(world.objects.has("posts/p3/index.html")).toBe(false);
  expect(world.shown()).toEqual(await world.scratch());
});

test("targets that name nothing are refused, each by name", async () => {
  await using world = await smallWorld(1);
  await world.bake();

  const refused = world.bake({ targets: ["post:1", "pots:1", "post:one", "topics:x"] });

  await expect(refused).rejects.toMatchObject({
    code: "input_invalid",
    problems: [{ place: "pots:1" }, { place: "post:one" }, { place: "topics:x" }],
  });
});

test("change records lead to what changed, whatever they say of it", async () => {
  await using world = await smallWorld(8);
  await world.bake();
  world.edit(4, "title", "New");
  world.sql("DELETE FROM posts WHERE id = 2");
  world.sql("DELETE FROM topics WHERE post_id = 2");

  const rebuilt = await world.bake({ targets: [], changes: records(world.site.dir) });

  expect(rebuilt.changed).toBeGreaterThan(0);
  expect(world.shown()).toEqual(await world.scratch());
  expect(await world.bake()).toMatchObject({ changed: 0, deleted: 0 });
});

test("a change record that cannot be read ends the run before anything is put", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  world.edit(1, "title", "New");
  const before = world.shown();

  const rebuild = world.bake({ targets: ["post:1"], changes: records(world.site.dir, "{") });

  await expect(rebuild).rejects.toMatchObject({ code: "input_invalid" });
  expect(world.shown()).toEqual(before);
});

/** Says of posts 2 and 4 and their topics that they changed, and of post 5, which did not. */
function records(dir: string, ...more: readonly string[]) {
  const lines = [
    ...[2, 4, 5].map((key) => JSON.stringify({ table: "posts", key, after: { title: "Stale" } })),
    ...[2, 4].map((id) => JSON.stringify({ table: "topics", key: ["x", id] })),
    ...more,
  ];
  const file = join(dir, "changes.ndjson");
  writeFileSync(file, lines.join("\n"));
  return readChanges(file, tablesOf(SITE.kinds));
}

test("a build undoes what a rebuild read of a row it was not told of, once that row is as before", async () => {
  await using world = await smallWorld(3);
  world.sql("INSERT INTO people VALUES ('ann', 'Ann')");
  await world.bake();
  world.sql("UPDATE people SET name = 'Bob'");
  world.edit(2, "title", "New");
  await world.bake({ targets: ["post:2"] });
  world.sql("UPDATE people SET name = 'Ann'");

  await world.bake();

  expect(world.shown()).toEqual(await world.scratch());
});

test("a build takes back a list page that a rebuild made of a row it was not told of", async () => {
  await using world = await smallWorld(1);
  await world.bake();
  world.post(2, { topic: "new" });
  await world.bake({ targets: ["post:2"] });
  world.edit(2, "topic", "x");

  await world.bake();

  expect(world.objects.has("topics/new/index.html")).toBe(false);
  expect(world.shown()).toEqual(await world.scratch());
});

test("a build takes back an archive window of a row that only a rebuild saw", async () => {
  await using world = await smallWorld(5);
  world.edit(1, "title", "throw");
  await world.bake();
  world.now += 50 * DAY;
  world.edit(1, "title", "Fine");
  world.edit(1, "published_at", START + 40 * DAY);
  // Pages that failed are tried again, whatever a rebuild is told.
  await world.bake({ targets: ["people:ann"] });
  expect(world.objects.has("all/2024-02/index.html")).toBe(true);
  world.edit(1, "title", "throw");
  world.edit(1, "published_at", START - 99 * DAY);

  await world.bake();

  expect(world.objects.has("all/2024-02/index.html")).toBe(false);
});

test("a build seeks again the head page that a row which only a rebuild saw stood before", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  world.post(4);
  world.edit(1, "status", "draft");
  await world.bake({ targets: ["post:1"] });
  world.sql("DELETE FROM posts WHERE id = 4");

  await world.bake();

  expect(world.shown()).toEqual(await world.scratch());
});

test("a build seeks again the neighbour that a row which only a rebuild saw stood before", async () => {
  await using world = await smallWorld(5);
  const wider = (wired: Wired): Wired => {
    const site = withWindows(SITE, { head: 2, max: 3, near: 1 });
    return {
      ...wired,
      site,
      fingerprint: kindFingerprints(site, wired.templates, Buffer.from("")),
    };
  };
  await world.bake({}, wider);
  const between = START - 95 * DAY - 1;
  world.sql(`INSERT INTO topics VALUES ('x', 9, 'Title 9', 'published', ${between}, NULL)`);
  world.sql("UPDATE topics SET title = 'New' WHERE post_id = 5");
  await world.bake({ targets: ["topics:x,5"] }, wider);
  expect(world.shown()["posts/p4/index.html"]).not.toContain("New");
  world.sql("DELETE FROM topics WHERE post_id = 9");

  await world.bake({}, wider);

  expect(world.shown()["posts/p4/index.html"]).toContain("New");
});

test("a rebuild sees what else became of a row that is due", async () => {
  await using world = await smallWorld(3);
  world.post(4, { published_at: START + DAY });
  await world.bake();
  world.now += 2 * DAY;
  world.edit(4, "status", "draft");
  await world.bake({ targets: ["people:ann"] });
  world.edit(4, "status", "published");

  await world.bake();

  expect(world.objects.has("posts/p4/index.html")).toBe(true);
  expect(world.shown()).toEqual(await world.scratch());
});
