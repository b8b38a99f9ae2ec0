import { describe, expect, test } from "vitest";
import { usesOf } from "../../src/plan/basis.ts";
import type { PlanContext } from "../../src/plan/context.ts";
import { lookUp, scanTable, seeDue } from "../../src/plan/scan.ts";
import { type AnyTable, decodeKey, keyName } from "../../src/site.ts";
import { type Random, randomFrom } from "../services/random.ts";
import {
  drop,
  HOUR,
  NOW,
  people,
  post,
  posts,
  postsWorld,
  put,
  SITE,
  spoilHandles,
  telling,
  told,
} from "./plan-site.ts";
import {
  applyPlan,
  finishPlan,
  type PlanWorld,
  planRows,
  planWorld,
  stepsIn,
} from "./plan-world.ts";
import { noted, summed } from "./summed.ts";

const SIZE = 4;
const onRows = () => {};

/** Scans a table as a build does; gives the rows it fetched and those it saw changed. */
async function scan(
  world: PlanWorld,
  { keeps = true, trustsSums = true, of = posts as AnyTable, now = NOW, code = "1" } = {},
) {
  return await world.plan(
    "scan",
    async (plain) => {
      const scans: string[] = [];
      const making = () => ({ "runtime:nightbake": code });
      const { context, failures } = telling({ ...plain, making });
      const own = noted(summed(context, SIZE), scans);
      const uses = usesOf(context).filter(({ table }) => table.name === of.name);
      for (const use of uses) await scanTable(use, own, { onRows, trustsSums });
      const seen = await seenBy(context);
      if (keeps) await finishPlan(context, {});
      else await context.ledger.discard(context.run);
      return { fetched: scans, seen, told: told(failures) };
    },
    now,
  );
}

async function seenBy({ ledger, run }: PlanContext): Promise<readonly string[]> {
  const rows = await ledger.seen(run, undefined, 10_000);
  return rows.map(({ table, key, now }) => {
    const state =
      now === undefined ? "gone" : `${Buffer.from(now.hash).toString("hex")} ${now.dueAt}`;
    return `${table}/${keyName(decodeKey(key))} ${state}`;
  });
}

/** Names of the rows only. */
function names(seen: readonly string[]): readonly string[] {
  return seen.map((each) => each.split(/[ /]/)[1] ?? "");
}

/** What begins where, and whether its checksum is known. */
async function rangesOf({ ledger }: PlanWorld, table = "posts"): Promise<readonly string[]> {
  const ranges = await ledger.ranges(table, undefined, 1000);
  return ranges.map(({ start, checksum }) => {
    return `${keyName(decodeKey(start))}${checksum === undefined ? "?" : ""}`;
  });
}

/** Posts with these ids, which a scan has made known. */
async function knownPosts(ids: readonly number[]): Promise<PlanWorld> {
  const world = await postsWorld(ids);
  await scan(world);
  return world;
}

const TWELVE = Array.from({ length: 12 }, (_, at) => 10 * (at + 1));

describe("a scan of rows that can be summed up", () => {
  test("fetches all rows at first, and cuts them into ranges", async () => {
    await using world = await postsWorld(TWELVE);

    const { fetched, seen } = await scan(world);

    expect(fetched).toEqual(["<x<=", "40<x<=", "80<x<=", "120<x<="]);
    expect(names(seen)).toHaveLength(12);
    expect(await rangesOf(world)).toEqual(["", "40", "80"]);
  });

  test("fetches nothing where all sums are the same", async () => {
    await using world = await knownPosts(TWELVE);

    expect(await scan(world)).toMatchObject({ fetched: [], seen: [] });
  });

  test.each([
    ["before all rows", () => [post(5)], ["<x<=40", "30<x<=40"], [5]],
    ["in the middle", () => [post(45)], ["40<x<=80", "70<x<=80"], [45]],
    ["behind all rows", () => [post(125)], ["80<x<=", "120<x<="], [125]],
    [
      "as the last row of a range",
      () => [post(80, { title: "x" })],
      ["40<x<=80", "80<x<=80"],
      [80],
    ],
    [
      "as the first row of a range",
      () => [post(50, { title: "x" })],
      ["40<x<=80", "80<x<=80"],
      [50],
    ],
  ])("fetches the range of a change %s", async (_, rows, fetched, ids) => {
    await using world = await knownPosts(TWELVE);
    put(world, posts, rows());

    const found = await scan(world);

    expect(found.fetched).toEqual(fetched);
    expect(names(found.seen)).toEqual(ids.map(String));
    expect(await scan(world)).toMatchObject({ fetched: [], seen: [] });
  });

  test("finds what is gone, whole ranges and all rows, too", async () => {
    await using world = await knownPosts(TWELVE);
    drop(world, 40, 50, 60, 70, 80);

    const found = await scan(world);

    expect(found.fetched).toEqual(["<x<=80"]);
    expect(names(found.seen)).toEqual(["40", "50", "60", "70", "80"]);
    expect(await rangesOf(world)).toEqual(["", "80"]);

    drop(world, ...TWELVE);
    expect(names((await scan(world)).seen)).toEqual(["10", "20", "30", "90", "100", "110", "120"]);
    expect(await rangesOf(world)).toEqual([""]);
    expect(await scan(world)).toMatchObject({ fetched: [], seen: [] });

    put(world, posts, [post(1)]);
    expect(names((await scan(world)).seen)).toEqual(["1"]);
  });

  test("cuts a range that has grown, and leaves no short one at its end", async () => {
    await using world = await knownPosts(TWELVE);
    put(
      world,
      posts,
      [41, 42, 43, 44, 45].map((id) => post(id)),
    );

    await scan(world);

    // Nine rows: four and five.
    expect(await rangesOf(world)).toEqual(["", "40", "44", "80"]);
    expect(await scan(world)).toMatchObject({ fetched: [] });
  });

  test("compares all rows where sums are not trusted, and cuts them anew", async () => {
    await using world = await knownPosts(TWELVE);
    drop(world, 10, 20);

    const { fetched, seen } = await scan(world, { trustsSums: false });

    expect([fetched.length, names(seen)]).toEqual([3, ["10", "20"]]);
    expect(await rangesOf(world)).toEqual(["", "60", "100"]);
    expect(await scan(world)).toMatchObject({ fetched: [] });
  });

  test("compares all rows once other code reads them", async () => {
    await using world = await knownPosts(TWELVE);

    const { fetched, seen } = await scan(world, { code: "2" });

    expect([fetched[0], seen]).toEqual(["<x<=", []]);
    expect(await scan(world, { code: "2" })).toMatchObject({ fetched: [] });
  });

  test("keeps nothing of a run that is discarded", async () => {
    await using world = await knownPosts(TWELVE);
    put(world, posts, [post(10, { title: "x" })]);

    const first = await scan(world, { keeps: false });

    expect(await scan(world)).toEqual(first);
  });

  test("fetches a range again whose row became known otherwise, also if it then became as it was", async () => {
    await using world = await knownPosts(TWELVE);
    put(world, posts, [post(50, { title: "x" })]);
    await look(world, [50]);
    expect(await rangesOf(world)).toEqual(["", "40?", "80"]);
    put(world, posts, [post(50)]);

    const { fetched, seen } = await scan(world);

    expect(fetched[0]).toBe("40<x<=80");
    expect(names(seen)).toEqual(["50"]);
  });

  test("forgets no checksum for a row that is only due", async () => {
    await using world = await knownPosts([]);
    put(world, posts, [post(1, { until: NOW + HOUR })]);
    await scan(world);

    await look(world, [1], NOW + HOUR);

    expect(await rangesOf(world)).toEqual([""]);
  });

  test("tells of bad rows each time", async () => {
    await using world = await planWorld(SITE, NOW);
    put(world, people, [{ handle: "ann", name: "Ann" }]);
    spoilHandles(world);

    const first = await scan(world, { of: people });

    expect(first.told).toHaveLength(1);
    expect(await rangesOf(world, "people")).toEqual(["?"]);
    expect((await scan(world, { of: people })).told).toEqual(first.told);
  });
});

test("a build finds rows that are due although all sums are the same", async () => {
  await using world = await planWorld(SITE, NOW);
  put(world, posts, [post(1, { until: NOW + HOUR }), post(2)]);
  const plan = (now: number) =>
    world.plan(
      "build",
      async (plain) => {
        const scans: string[] = [];
        const context = noted(summed(telling(plain).context, SIZE), scans);
        const { isNew, notes } = await planRows(context, { isVerify: false });
        const steps = await stepsIn(context);
        await applyPlan(context);
        await finishPlan(context, notes);
        return {
          isNew,
          steps: steps.filter((each) => each.includes(" post/1 ")),
          fetched: scans.length,
        };
      },
      now,
    );
  await plan(NOW);

  expect(await plan(NOW + 1)).toEqual({ isNew: false, steps: [], fetched: 0 });
  expect(await plan(NOW + HOUR)).toMatchObject({
    isNew: true,
    steps: [expect.stringMatching(/^delete/)],
  });
});

/** Looks single rows up, as a rebuild does. */
async function look(world: PlanWorld, ids: readonly number[], now = NOW): Promise<void> {
  const work = async (plain: PlanContext) => {
    const { context } = telling(plain);
    const keys = ids.map((id) => [id]);
    for (const use of usesOf(context)) {
      if (use.table.name === "posts") await lookUp(use, keys, context);
    }
    await finishPlan(context, {});
  };
  await world.plan("look", work, now);
}

const SEED = Number(process.env["SEED"] ?? 20_261_123);

test("scans of random histories find what a comparison of all rows finds", async () => {
  console.info(`seed ${SEED}`);
  const random = randomFrom(SEED);
  for (let history = 0; history < 20; history += 1) {
    await using world = await planWorld(SITE, NOW);
    for (let step = 0, now = NOW; step < 25; step += 1, now += HOUR) {
      edit(world, random, now);
      if (random() < 0.3) await look(world, ids(random), now);
      if (random() < 0.5) continue;
      const all = await build(world, now, { trustsSums: false, keeps: false });
      const found = await build(world, now, { trustsSums: true, keeps: random() < 0.8 });
      expect(found, `history ${history}, step ${step}`).toEqual(all);
    }
  }
}, 60_000);

/** What a build finds: rows that are due, and those that changed. */
async function build(
  world: PlanWorld,
  now: number,
  { trustsSums, keeps }: { readonly trustsSums: boolean; readonly keeps: boolean },
): Promise<readonly string[]> {
  const work = async (plain: PlanContext) => {
    const { context } = telling(plain);
    const own = summed(context, SIZE);
    await seeDue(usesOf(own), own);
    for (const use of usesOf(own)) await scanTable(use, own, { onRows, trustsSums });
    const seen = await seenBy(own);
    if (keeps) await finishPlan(own, {});
    else await own.ledger.discard(own.run);
    return seen;
  };
  return await world.plan("build", work, now);
}

function edit(world: PlanWorld, random: Random, now: number): void {
  const until = () => (random() < 0.3 ? now + Math.floor(random() * 5) * HOUR : null);
  const rows = ids(random).map((id) =>
    post(id, { title: random() < 0.5 ? "a" : "b", until: until() }),
  );
  if (random() < 0.7) put(world, posts, rows);
  if (random() < 0.5) drop(world, ...ids(random));
}

/** Some ids that stand together, since neighbours share ranges; now and then all. */
function ids(random: Random): readonly number[] {
  const first = Math.floor(random() * 60);
  const count = random() < 0.1 ? 60 : Math.floor(random() * 8);
  return Array.from({ length: count }, (_, at) => first + at);
}
