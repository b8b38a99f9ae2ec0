import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Cdn } from "../../src/invalidate/cdn.ts";
import { openPlan, type PlanLine } from "../../src/pipeline/plan-file.ts";
import { type PlanSummary, planOnly } from "../../src/pipeline/plan-only.ts";
import type { Wired } from "../../src/pipeline.ts";
import { priceOf } from "../../src/price.ts";
import { address } from "../../src/site.ts";
import { dumpLedger } from "./ledger-dump.ts";
import { badChange, type Change, change, DAY, postChange, writeRows } from "./rows.ts";
import { differences, openSmall } from "./small-site.ts";
import { names, smallWorld, type World } from "./world.ts";

/** A CDN that completes at once. */
const CACHING: Cdn = {
  name: "cache",
  isCaching: true,
  hasTags: false,
  batchItems: 100,
  send: async ({ id }) => id,
  isCompleted: async () => true,
};

const RUNS = Number(process.env["HISTORIES"] ?? 25);

async function plan(
  world: World,
  options: { readonly targets?: readonly string[]; readonly only?: string } = {},
): Promise<PlanSummary> {
  const { site, store, cdn } = world;
  await using wired = await openSmall(site, { ledger: "ledger.db", store, ...(cdn && { cdn }) });
  const { signal } = new AbortController();
  const run = { allowDeletes: true, signal, emit: () => {}, now: () => world.now };
  return await planOnly(wired, { ...run, ...options }, fileOf(world));
}

async function apply(world: World, rewire?: (wired: Wired) => Wired) {
  const file = await openPlan(fileOf(world));
  const { only, targets } = file.header;
  return await world.bake(
    { plan: file, only: only ?? undefined, targets: targets ?? undefined },
    rewire,
  );
}

function keyOf(route: string): string {
  return address(route).key;
}

function fileOf({ site }: World): string {
  return join(site.dir, "plan.ndjson");
}

function linesIn(world: World): readonly PlanLine[] {
  const [, ...rest] = readFileSync(fileOf(world), "utf8").trim().split("\n");
  return rest.slice(0, -1).map((line) => JSON.parse(line));
}

interface Moment {
  readonly changes: readonly Change[];
  readonly days: number;
}

const moment: fc.Arbitrary<Moment> = fc.record({
  changes: fc.array(
    fc.oneof({ weight: 12, arbitrary: change }, { weight: 1, arbitrary: badChange }),
    { minLength: 1, maxLength: 6 },
  ),
  days: fc.integer({ min: 0, max: 60 }),
});

test(`plan and apply leave what a build leaves (${RUNS} histories)`, async () => {
  const seed = Number(process.env["SEED"] ?? 8);
  console.info(`seed ${seed}`);
  const history = fc.record({
    posts: fc.array(postChange, { maxLength: 16 }),
    moments: fc.array(moment, { minLength: 1, maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ posts, moments }) => {
      await using built = await smallWorld(0);
      await using applied = await smallWorld(0);
      for (const world of [built, applied]) {
        writeRows(world.site.source, posts);
        await quarantined(world);
      }
      for (const { changes, days } of moments) {
        for (const world of [built, applied]) {
          world.now += days * DAY;
          writeRows(world.site.source, changes);
        }
        const build = await built.bake();
        const before = shownState(applied);
        await plan(applied);
        expect(shownState(applied)).toEqual(before);
        const did = await apply(applied);

        expect(applied.shown()).toEqual(built.shown());
        expect(await quarantined(applied)).toEqual(await quarantined(built));
        const { release, deleted, failed } = build;
        expect(did).toMatchObject({ release, deleted, failed });
        // It knows from the plan what fails, so it puts nothing that counts on that.
        expect(did.changed).toBeLessThanOrEqual(build.changed);
      }
      expect(await applied.bake()).toMatchObject({ changed: 0, deleted: 0 });
    }),
    { numRuns: RUNS, seed },
  );
}, 300_000);

/** Names of tables and kinds are numbered when they are first met. */
function shownState(world: World): unknown {
  const { nb_name: _, ...ledger } = dumpLedger(`${world.site.dir}/ledger.db`);
  return [world.shown(), ledger];
}

async function quarantined(world: World): Promise<readonly string[]> {
  return await world.ledger(async (ledger) => names(await ledger.quarantined()));
}

test("says what is created, updated, deleted and unchanged, with reasons, bytes, items and price", async () => {
  await using world = await smallWorld(3, { cdn: CACHING });
  await world.bake();
  world.edit(2, "title", "New");
  world.post(4);
  world.sql("DELETE FROM posts WHERE id = 1");
  world.sql("DELETE FROM topics WHERE post_id = 1");
  // The template shows nothing of it.
  world.sql("UPDATE posts SET extra = '{}' WHERE id = 3");

  const { groups, price, deletes, bytes } = await plan(world);
  const lines = linesIn(world);

  const told = (kind: string) =>
    lines
      .filter((line) => line.kind === kind)
      .map(({ action, route, reason }) => `${action} ${route}: ${reason}`);
  expect(told("post").slice(0, 2)).toEqual([
    "delete /posts/p1/: gone",
    "update /posts/p2/: row:posts/2",
  ]);
  expect(told("note")).toContain("unchanged /notes/3/: row:posts/3");
  expect(told("note")).toContain("create /notes/4/: absent");
  expect(deletes).toBe(lines.filter(({ action }) => action === "delete").length);
  const puts = lines.filter(({ action }) => ["create", "update"].includes(action));
  expect(bytes).toBe(puts.reduce((sum, line) => sum + line.bytes, 0));
  expect(price).toEqual(priceOf({ puts: puts.length, items: price.items }));
  expect(price.items).toBeGreaterThan(0);
  expect(groups.reduce((sum, { pages }) => sum + pages, 0)).toBe(lines.length);
});

test("a plan is applied once", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(2, "title", "New");
  await plan(world);
  await apply(world);

  await expect(apply(world)).rejects.toMatchObject({ code: "plan_stale" });
});

test("a page that moved on is named, with what moved, and nothing is put", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(2, "title", "New");
  await plan(world);
  world.edit(2, "title", "Newer");
  const before = world.shown();

  const refused = apply(world);

  await expect(refused).rejects.toMatchObject({
    code: "plan_stale",
    problems: expect.arrayContaining([
      { place: "/posts/p2/", message: "Its read row:posts/2 has changed since." },
    ]),
  });
  expect(world.shown()).toEqual(before);
});

test.each<[string, (world: World) => unknown, string]>([
  ["put by another run", (world) => world.bake(), "as it should be already"],
  ["changed back", (world) => world.edit(2, "title", "Title 2"), "changed back"],
  ["moved", (world) => world.edit(2, "slug", "other"), "Its route would be /posts/other/ now."],
  ["gone", (world) => world.sql("DELETE FROM posts WHERE id = 2"), "would be delete now"],
  [
    "put otherwise by another run",
    async (world) => {
      world.edit(2, "title", "Other");
      await world.bake();
      world.edit(2, "title", "New");
    },
    "Release 2 has put it since.",
  ],
])("a plan whose page was %s is refused", async (_, meanwhile, told) => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(2, "title", "New");
  await plan(world);
  await meanwhile(world);

  await expect(apply(world)).rejects.toMatchObject({
    code: "plan_stale",
    problems: expect.arrayContaining([
      expect.objectContaining({ message: expect.stringContaining(told) }),
    ]),
  });
});

test("what changed meanwhile elsewhere is left to the next build", async () => {
  await using world = await smallWorld(6);
  world.post(7, { topic: "z", author: "zoe" });
  await world.bake();
  world.edit(2, "body", "New");
  await plan(world);
  world.sql("UPDATE posts SET body = 'Meanwhile' WHERE id = 7");

  const { changed } = await apply(world);
  const between = world.shown();
  await world.bake();

  expect(changed).toBe(1);
  expect(between["notes/2/index.html"]).toContain("New");
  expect(between["notes/7/index.html"]).not.toContain("Meanwhile");
  expect(world.shown()).toEqual(await world.scratch());
  expect(world.shown()["notes/7/index.html"]).toContain("Meanwhile");
});

test("after random changes meanwhile a plan is refused or does its pages alone, and the next build ends exact", async () => {
  const seed = Number(process.env["SEED"] ?? 9);
  console.info(`seed ${seed}`);
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  const outcomes = { refused: 0, applied: 0 };
  await fc.assert(
    fc.asyncProperty(changes, changes, async (before, meanwhile) => {
      await using world = await smallWorld(6);
      await world.bake();
      writeRows(world.site.source, before);
      await plan(world);
      writeRows(world.site.source, meanwhile);
      const was = world.shown();
      const done = await apply(world).then(
        () => true,
        (error: { code: string }) => {
          expect(error.code).toBe("plan_stale");
          return false;
        },
      );
      outcomes[done ? "applied" : "refused"] += 1;
      const planned = new Set(
        linesIn(world)
          .flatMap(({ route, from }) => [route, from ?? route])
          .map(keyOf),
      );
      const touched = differences(world.shown(), was).map((each) => each.split(" ")[0] ?? "");
      const others = touched.filter((key) => !planned.has(key) && !key.startsWith("sitemap"));
      expect(done ? others : touched).toEqual([]);
      const { failed } = await world.bake();
      // Pages that fail keep a version that a build from scratch does not know.
      if (failed === 0) expect(world.shown()).toEqual(await world.scratch());
    }),
    { numRuns: RUNS, seed },
  );
  console.info(outcomes);
}, 300_000);

test("a page made otherwise than planned is refused before it is put", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(2, "title", "New");
  await plan(world);
  const before = world.shown();

  const refused = apply(world, (wired) => ({
    ...wired,
    templates: { ...wired.templates, render: () => "other" },
  }));

  await expect(refused).rejects.toMatchObject({ code: "plan_stale" });
  expect(world.shown()).toEqual(before);
});

test("a plan of named rows is applied as it was asked for", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(2, "body", "New");
  world.edit(3, "body", "New");
  await plan(world, { targets: ["note:2"] });

  await apply(world);

  expect(world.shown()["notes/2/index.html"]).toContain("New");
  expect(world.shown()["notes/3/index.html"]).not.toContain("New");
  await world.bake();
  expect(world.shown()).toEqual(await world.scratch());
});

test("a file that is no whole plan is refused", async () => {
  await using world = await smallWorld(2);
  await plan(world);
  const text = readFileSync(fileOf(world), "utf8");
  truncateSync(fileOf(world), text.length - 20);
  await expect(apply(world)).rejects.toMatchObject({ code: "input_invalid" });
  writeFileSync(fileOf(world), '{"hello":1}\n');
  await expect(apply(world)).rejects.toMatchObject({ code: "input_invalid" });
  writeFileSync(fileOf(world), "");
  await expect(apply(world)).rejects.toMatchObject({ code: "input_invalid" });
});
