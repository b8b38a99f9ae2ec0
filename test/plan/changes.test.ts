import { describe, expect, test } from "vitest";
import { usesOf } from "../../src/plan/basis.ts";
import { planChanges, planOwnPages, planWithout } from "../../src/plan/changes.ts";
import { BATCH, type PlanContext } from "../../src/plan/context.ts";
import { scanTable } from "../../src/plan/scan.ts";
import { encodeKey, pageName } from "../../src/site.ts";
import {
  at,
  drop,
  HOUR,
  idOf,
  kindOf,
  NOW,
  openPosts,
  people,
  post,
  posts,
  put,
  spoil,
  telling,
  told,
} from "./plan-site.ts";
import { type PlanWorld, stepsIn } from "./plan-world.ts";

function upTo(count: number) {
  return Array.from({ length: count }, (_, n) => post(n + 1));
}

/** Plans from the rows that changed; gives the steps in short, and what was looked at in vain. */
async function follow(
  world: PlanWorld,
  parts: Partial<PlanContext> = {},
  options: Partial<Parameters<typeof planChanges>[2]> = {},
) {
  const work = async (plain: PlanContext) => {
    const { context, failures, same } = telling({ ...plain, ...parts });
    for (const use of usesOf(context))
      await scanTable(use, context, { onRows: () => {}, trustsSums: true });
    await planChanges(context, usesOf(context), { foldsCase: false, lastNow: NOW, ...options });
    const steps = (await stepsIn(context)).map(short);
    return { steps, same: same.toSorted(), told: told(failures) };
  };
  return await world.plan("follow", work, parts.now);
}

function short(step: string): string {
  return step
    .replace(/@\d+,/, "@")
    .replace(/, start .*$/, "")
    .replace(/ from undefined$/, "")
    .replace(/, at \S+$/, "");
}

describe("a change of a row leads to", () => {
  test("nothing when nothing changed", async () => {
    await using world = await openPosts(upTo(3));

    expect(await follow(world)).toEqual({ steps: [], same: [], told: [] });
  });

  test("its own page, its neighbours, and the windows that show it", async () => {
    await using world = await openPosts(upTo(9));
    put(world, posts, [post(5, { title: "Other" })]);

    const { steps, same } = await follow(world);

    expect(steps).toEqual([
      "update post/4 in changed: list:posts_by_topic/x@4-2+1",
      "update post/5 in changed: row:posts/5",
      "update post/6 in changed: list:posts_by_topic/x@6-2+1",
      "update post/7 in changed: list:posts_by_topic/x@7-2+1",
      "update stream/2 in lists: list:stream/#2",
      "update topic/x,2024,2 in lists: list:posts_by_topic/x#2024/2",
    ]);
    // Those that count or show the newest of the list were looked at.
    expect(same).toEqual(["1 home by list", "3 topic by list", "5 post by list"]);
  });

  test("the pages that join it", async () => {
    await using world = await openPosts([post(1), post(2, { author: "bob" })]);
    put(world, people, [{ handle: "ann", name: "Anna" }]);

    expect(await follow(world)).toEqual({
      steps: [
        "update person/ann in changed: row:people/ann",
        "update post/1 in changed: row:people/ann",
      ],
      same: [],
      told: [],
    });
  });

  test("the pages that joined it before it was there, and entries that can link to its page", async () => {
    await using world = await openPosts([post(1), post(2, { author: "bob" })]);
    put(world, people, [{ handle: "bob", name: "Bob" }]);

    const { steps, same } = await follow(world);

    expect(steps).toEqual([
      "create person/bob in new: absent",
      "update post/1 in changed: list:posts_by_topic/x@1-2+1",
      "update post/2 in changed: absent:people/bob",
      "update topic/x in lists: list:posts_by_topic/x#head",
    ]);
    expect(same).toEqual([]);
  });

  test("only its own page when none of its lists' columns changed hands", async () => {
    await using world = await openPosts(upTo(1));
    put(world, posts, [post(1, { body: "New" })]);

    const { steps, same } = await follow(world);

    expect(steps).toEqual(["update post/1 in changed: row:posts/1"]);
    expect(same).toEqual(["1 home by list", "1 stream by list", "1 topic by list"]);
  });

  test("both partitions when it goes from one to the other", async () => {
    await using world = await openPosts([...upTo(2), post(3, { topic: "y", section: "y" })]);
    put(world, posts, [post(2, { topic: "y" })]);

    const { steps } = await follow(world);

    expect(steps).toEqual([
      "update post/1 in changed: list:posts_by_topic/x@1-2+1",
      "update post/2 in changed: row:posts/2",
      "update post/3 in changed: list:posts_by_topic/y@3-2+1",
      "update topic/x in lists: list:posts_by_topic/x#head",
      "update topic/y in lists: list:posts_by_topic/y#head",
    ]);
  });

  test("a new page, its list and what links there", async () => {
    await using world = await openPosts([post(1, { topic: "y", section: "y" })]);
    put(world, posts, [post(2, { section: null })]);

    const { steps } = await follow(world);

    expect(steps).toEqual([
      "update home/ in lists: list:stream/#newest2",
      "create post/2 in new: absent",
      "update stream/ in lists: list:stream/#head",
      "create topic/x in new: absent",
    ]);
  });

  test("the pages that linked to the list it was the last of", async () => {
    await using world = await openPosts([post(1), post(2, { topic: "y", section: null })]);
    drop(world, 1);

    const { steps } = await follow(world);

    expect(steps).toEqual([
      "update home/ in lists: list:stream/#newest2",
      "delete post/1 in deletes: gone",
      "update stream/ in lists: list:stream/#head",
      "delete topic/x in deletes: gone",
    ]);
  });

  test("its page at another route, and what links there", async () => {
    await using world = await openPosts(upTo(2));
    put(world, posts, [post(1, { slug: "q" })]);

    const { steps } = await follow(world);

    expect(steps).toEqual([
      "update post/1 in new: route, at /posts/q/ from /posts/p1/",
      "update post/2 in changed: list:posts_by_topic/x@2-2+1",
      "update topic/x in lists: list:posts_by_topic/x#head",
    ]);
  });

  test("the head of a list whose archive has another page", async () => {
    await using world = await openPosts(upTo(6));
    put(world, posts, [post(0, { at: at("2023-01-01") })]);

    const { steps } = await follow(world);

    expect(steps.filter((each) => /^\w+ topic/.test(each))).toEqual([
      "update topic/x in lists: list:posts_by_topic/x#head",
      "create topic/x,2023,1 in new: absent",
      "update topic/x,2024,1 in lists: count:posts_by_topic/x",
      "update topic/x,2024,2 in lists: count:posts_by_topic/x",
    ]);
  });

  test("a failure when it is bad now, and to no step for its page", async () => {
    await using world = await openPosts(upTo(2));
    spoil(world, "slug", 1);

    const { steps, told } = await follow(world);

    expect(steps).toEqual([]);
    expect(new Set(told)).toEqual(
      new Set(['post/1: row_invalid {"table":"posts","key":"1","column":"slug"}']),
    );
  });

  test("what many rows do, in batches", async () => {
    await using world = await openPosts([]);
    const names = Array.from({ length: BATCH + 1 }, (_, n) => ({ handle: `p${n}`, name: "P" }));
    put(world, people, names);

    const { steps } = await follow(world);

    expect(steps).toHaveLength(BATCH + 1);
  });
});

describe("the clock leads to", () => {
  test("a page that appears or goes at its row's moment", async () => {
    const moment = NOW + HOUR;
    await using world = await openPosts([
      post(1),
      post(2, { at: moment }),
      post(3, { until: moment }),
    ]);

    const { steps } = await follow(world, { now: moment });

    expect(steps).toContain("create post/2 in new: clock:posts/2");
    expect(steps).toContain("delete post/3 in deletes: clock:posts/3");
  });

  test("not to a page whose row changed as well", async () => {
    const moment = NOW + HOUR;
    await using world = await openPosts([post(1), post(2, { at: moment })]);
    put(world, posts, [post(2, { at: moment, title: "Other" })]);

    const { steps } = await follow(world, { now: moment });

    expect(steps).toContain("create post/2 in new: absent");
  });

  test("the place where a row was seen before, which was judged by the clock of then", async () => {
    const moment = NOW + HOUR;
    await using world = await openPosts([post(1), post(2), post(3, { until: moment })]);
    put(world, posts, [post(3, { until: moment, topic: "y" })]);

    const { steps } = await follow(world, { now: moment });

    expect(steps).toContain("update topic/x in lists: list:posts_by_topic/x#head");
    expect(steps).toContain("update stream/ in lists: list:stream/#head");
  });
});

describe("the pages of rows", () => {
  const own = async (world: PlanWorld, ids: readonly number[], cause?: "clock") =>
    await world.plan("own", async (plain) => {
      const { context } = telling(plain);
      await planOwnPages(
        kindOf("row", "post"),
        ids.map((id) => encodeKey([id])),
        context,
        cause,
      );
      return (await stepsIn(context)).map(short);
    });

  test("appear, go, move or are looked at", async () => {
    await using world = await openPosts(upTo(4));
    drop(world, 2);
    put(world, posts, [post(3, { slug: "q" }), post(5), post(6, { status: "draft" })]);

    const steps = [
      "check post/1 in changed: row:posts/1",
      "delete post/2 in deletes: gone",
      "update post/3 in new: route, at /posts/q/ from /posts/p3/",
      "create post/5 in new: absent",
    ];
    expect(await own(world, [1, 2, 3, 5, 6, 9])).toEqual(steps);
    expect(await own(world, [1, 2, 3, 5, 6, 9], "clock")).toEqual([
      steps[0],
      "delete post/2 in deletes: clock:posts/2",
      steps[2],
      "create post/5 in new: clock:posts/5",
    ]);
  });

  test("are none without keys", async () => {
    await using world = await openPosts([]);

    expect(await own(world, [])).toEqual([]);
  });
});

describe("pages that do not appear after all", () => {
  test("are not followed themselves, and what would have shown them is looked at again", async () => {
    await using world = await openPosts(upTo(3));
    put(world, posts, [post(4)]);

    const steps = await world.plan("follow", async (plain) => {
      const { context } = telling(plain);
      for (const use of usesOf(context))
        await scanTable(use, context, { onRows: () => {}, trustsSums: true });
      await planChanges(context, usesOf(context), { foldsCase: false, lastNow: NOW });
      const [failed] = await context.ledger.stepsOf(context.run, [idOf("post", 4)]);
      if (failed === undefined) throw new Error("Post 4 is to appear.");
      const all = await context.ledger.staged(context.run, { limit: 100 });
      await context.ledger.unstage(context.run, all);
      await planWithout(context, []);
      const before = await stepsIn(context);
      await planWithout(context, [failed]);
      return [before, (await stepsIn(context)).map(short)];
    });

    // Without its page the new post is no entry of the topic; the plain list shows it.
    expect(steps).toEqual([[], expect.arrayContaining([expect.stringMatching(/^update post\/3/)])]);
    expect(steps[1]).not.toContain(expect.stringContaining("post/4"));
  });
});

describe("pages whose route was taken", () => {
  test("are followed only once they have one", async () => {
    await using world = await openPosts([post(1), post(2, { topic: "y", section: "y" })]);
    put(world, posts, [post(3, { slug: "p2", topic: "x" })]);

    const clashed = [idOf("post", 3)];
    const taken = await follow(world, {}, { clashed });
    drop(world, 2);
    const freed = await follow(world, {}, { clashed });

    expect(taken.told).toEqual([
      'post/3: route_taken {"kind":"post","key":"3","route":"/posts/p2/"}',
    ]);
    expect(taken.steps.filter((each) => each.includes("post/3"))).toEqual([]);
    expect(freed.told).toEqual([]);
    expect(freed.steps).toContain("create post/3 in new: absent");
    expect(freed.steps).toContain("update topic/x in lists: count:posts_by_topic/x");
  });
});

test("what failed in this run is left alone", async () => {
  await using world = await openPosts(upTo(4));
  put(world, posts, [post(5, { at: at("2023-01-01") })]);
  const failed = pageName(idOf("topic", "x", "2023", 1));

  const { steps } = await follow(world, { hasFailed: (page) => pageName(page) === failed });

  expect(steps).toContain("create post/5 in new: absent");
  expect(steps).not.toContain("create topic/x,2023,1 in new: absent");
});
