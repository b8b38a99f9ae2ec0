import { describe, expect, test } from "vitest";
import { usesOf } from "../../src/plan/basis.ts";
import { BATCH, type PlanContext } from "../../src/plan/context.ts";
import type { TableUse } from "../../src/plan/row-state.ts";
import { lookUp, scanTable, seeDue } from "../../src/plan/scan.ts";
import { type AnyTable, decodeKey, keyName } from "../../src/site.ts";
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
  spoil,
  spoilHandles,
  telling,
  told,
} from "./plan-site.ts";
import { countedContext, finishPlan, type PlanWorld, planWorld } from "./plan-world.ts";

const PLAIN = { onRows: () => {}, trustsSums: true };

/** What a run saw changed, in words. */
async function seenRows({ ledger, run }: PlanContext): Promise<readonly string[]> {
  const rows = await ledger.seen(run, undefined, 100_000);
  return rows.map(({ table, key, now }) => {
    const due = now?.dueAt === undefined ? "" : ` due ${(now.dueAt - NOW) / HOUR}`;
    return `${table}/${keyName(decodeKey(key))}${now === undefined ? " gone" : due}`;
  });
}

/** Scans the posts; gives what was told, too. */
async function scan(world: PlanWorld, table: AnyTable = posts, now = NOW) {
  return await world.plan("scan", async (plain) => {
    const { context, failures } = telling({ ...plain, now });
    const progress: number[] = [];
    const use = useOf(table, context);
    const changed = await scanTable(use, context, {
      ...PLAIN,
      onRows: (rows) => void progress.push(rows),
    });
    return { changed, seen: await seenRows(context), progress, told: told(failures) };
  });
}

function useOf(table: AnyTable, context: PlanContext): TableUse {
  const use = usesOf(context).find((each) => each.table === table);
  if (use === undefined) throw new Error(`The site does not use ${table.name}.`);
  return use;
}

/** Posts with these ids, known to the ledger; no pages. */
async function knownPosts(ids: readonly number[]): Promise<PlanWorld> {
  const world = await postsWorld(ids);
  await know(world);
  return world;
}

/** Makes known what a scan finds. */
async function know(world: PlanWorld): Promise<void> {
  await world.plan("known", async (plain) => {
    const { context } = telling(plain);
    for (const use of usesOf(context)) await scanTable(use, context, PLAIN);
    await finishPlan(context, {});
  });
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

describe("a scan", () => {
  test("finds nothing where nothing changed", async () => {
    await using world = await knownPosts([1, 2, 3]);

    expect(await scan(world)).toEqual({ changed: 0, seen: [], progress: [3], told: [] });
  });

  test("finds rows that are new, other or gone, at the beginning, between and at the end", async () => {
    await using world = await knownPosts([2, 4, 6, 8, 10]);
    drop(world, 2, 6, 10);
    put(world, posts, [post(1), post(4, { title: "Other" }), post(5), post(11)]);

    const { changed, seen } = await scan(world);

    expect(seen).toEqual([
      "posts/1",
      "posts/2 gone",
      "posts/4",
      "posts/5",
      "posts/6 gone",
      "posts/10 gone",
      "posts/11",
    ]);
    expect(changed).toBe(7);
  });

  test("keeps nothing where nothing changed", async () => {
    await using world = await knownPosts([1, 2, 3]);
    const counts = new Map<string, number>();

    await world.plan("scan", async (context) => {
      const counted = countedContext(context, counts);
      await scanTable(useOf(posts, context), counted, PLAIN);
      await lookUp(useOf(posts, context), [[1]], counted);
    });

    expect([counts.get("scan"), counts.get("see")]).toEqual([1, undefined]);
  });

  test("finds that all rows but the first are gone", async () => {
    await using world = await knownPosts(upTo(BATCH + 1));
    drop(world, ...upTo(BATCH + 1).slice(1));

    expect(await scan(world)).toMatchObject({ changed: BATCH });
  });

  test("ends where keys are bad, however many", async () => {
    await using world = await planWorld(SITE, NOW);
    const names = upTo(BATCH + 1).map((id) => ({ handle: `p${id}`, name: "P" }));
    put(world, people, [...names, { handle: "ann", name: "Ann" }]);
    spoilHandles(world, "p%");

    const { seen, told } = await scan(world, people);

    expect(seen).toEqual(["people/ann"]);
    expect(told).toHaveLength(BATCH + 1);
  });

  test("finds that all rows are gone", async () => {
    await using world = await knownPosts(upTo(BATCH + 1));
    drop(world, ...upTo(BATCH + 1));

    const { changed, seen, progress } = await scan(world);

    expect(changed).toBe(BATCH + 1);
    expect(seen).toEqual(upTo(BATCH + 1).map((id) => `posts/${id} gone`));
    expect(progress).toEqual([0]);
  });

  test.each([BATCH, BATCH + 1, 2 * BATCH])("of %i rows goes on after each batch", async (count) => {
    await using world = await knownPosts(upTo(count));
    drop(world, 1);
    put(world, posts, [post(count, { title: "Other" }), post(count + 1)]);

    const { seen, progress } = await scan(world);

    expect(seen).toEqual(["posts/1 gone", `posts/${count}`, `posts/${count + 1}`]);
    expect(progress.reduce((a, b) => a + b, 0)).toBe(count);
    expect(Math.max(...progress)).toBe(BATCH);
  });

  test("does not see columns that nothing reads, and finds a row due at another moment", async () => {
    await using world = await knownPosts([1]);
    put(world, posts, [post(1, { until: NOW + HOUR })]);

    expect((await scan(world)).seen).toEqual(["posts/1 due 1"]);
  });

  test("finds a row whose moment is over although it is the same", async () => {
    await using world = await planWorld(SITE, NOW - 2 * HOUR);
    put(world, posts, [post(1, { at: NOW - HOUR }), post(2)]);
    await know(world);

    expect((await scan(world, posts, NOW)).seen).toEqual(["posts/1"]);
  });

  test("leaves bad rows with pages to their pages, and tells of others", async () => {
    await using world = await knownPosts([1, 2]);
    spoil(world, "title", 1);
    put(world, people, [{ handle: "ann", name: "Ann" }]);
    spoilHandles(world);

    expect(await scan(world)).toMatchObject({ seen: ["posts/1"], told: [] });
    expect(await scan(world, people)).toMatchObject({
      changed: 0,
      told: ['a row: row_invalid {"table":"people","column":"handle"}'],
    });
  });
});

describe("a look at single rows", () => {
  const look = async (world: PlanWorld, ids: readonly number[]) =>
    await world.plan("look", async (plain) => {
      const { context } = telling(plain);
      const keys = ids.map((id) => [id]);
      const changed = await lookUp(useOf(posts, context), keys, context);
      return { changed, seen: await seenRows(context) };
    });

  test("finds those that are new, other or gone, each once", async () => {
    await using world = await knownPosts([1, 2, 3]);
    drop(world, 1);
    put(world, posts, [post(2, { title: "Other" }), post(4)]);

    expect(await look(world, [4, 1, 2, 2, 3, 9])).toEqual({
      changed: 3,
      seen: ["posts/1 gone", "posts/2", "posts/4"],
    });
  });

  test("finds nothing among those that are as they were, or never were", async () => {
    await using world = await knownPosts([1]);

    expect(await look(world, [1, 9])).toEqual({ changed: 0, seen: [] });
  });

  test("keeps what a scan would", async () => {
    await using world = await knownPosts([1]);
    put(world, posts, [post(2, { until: NOW + HOUR })]);
    const keep = async (run: string, see: (use: TableUse, context: PlanContext) => unknown) =>
      await world.plan(run, async (context) => {
        await see(useOf(posts, context), context);
        return await context.ledger.seen(run, undefined, 10);
      });

    const looked = await keep("look", (use, context) => lookUp(use, [[2]], context));

    expect(looked).toHaveLength(1);
    expect(looked).toEqual(await keep("scan", (use, context) => scanTable(use, context, PLAIN)));
  });
});

describe("rows that are due", () => {
  const due = async (world: PlanWorld, now: number) =>
    await world.plan("due", async (plain) => {
      const context = { ...plain, now };
      const count = await seeDue(usesOf(context), context);
      return { count, seen: await seenRows(context) };
    });

  test("are those whose moment has come, each with its next one", async () => {
    await using world = await planWorld(SITE, NOW - 9 * HOUR);
    put(world, posts, [
      post(1, { at: NOW - HOUR, until: NOW + 3 * HOUR }),
      post(2, { until: NOW }),
      post(3, { until: NOW + 1 }),
      post(4),
    ]);
    await know(world);

    expect(await due(world, NOW)).toEqual({ count: 2, seen: ["posts/1 due 3", "posts/2"] });
  });

  test("are none as long as no moment has come", async () => {
    await using world = await knownPosts([1]);

    expect(await due(world, NOW)).toEqual({ count: 0, seen: [] });
  });

  test("of tables that the site no longer has are left alone", async () => {
    await using world = await planWorld(SITE, NOW - HOUR);
    put(world, posts, [post(1, { until: NOW })]);
    await know(world);

    const count = await world.plan("due", (context) =>
      seeDue([useOf(people, context)], { ...context, now: NOW }),
    );

    expect(count).toBe(0);
  });

  test("come however many they are", async () => {
    await using world = await planWorld(SITE, NOW - HOUR);
    put(
      world,
      posts,
      upTo(BATCH + 2).map((id) => post(id, { until: NOW - (id % 2) })),
    );
    await know(world);

    expect(await due(world, NOW)).toMatchObject({ count: BATCH + 2 });
  });
});
