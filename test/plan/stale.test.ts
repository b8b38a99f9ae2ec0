import { describe, expect, test } from "vitest";
import { planChecks, stageChecks } from "../../src/plan/checks.ts";
import { BATCH, type PlanContext } from "../../src/plan/context.ts";
import { loadPages } from "../../src/plan/kinds.ts";
import { checkStep } from "../../src/plan/recut.ts";
import { planStale, stalePages } from "../../src/plan/stale.ts";
import { decodeTrace, encodeTrace } from "../../src/plan/trace.ts";
import { decodeKey, digest, keyName, type PageId, pageName } from "../../src/site.ts";
import {
  drop,
  idOf,
  kindOf,
  openPosts,
  people,
  post,
  posts,
  put,
  SITE,
  spoil,
  telling,
  told,
} from "./plan-site.ts";
import { countedContext, type PlanWorld, stepsIn } from "./plan-world.ts";

const POST = kindOf("row", "post");

function upTo(count: number) {
  return Array.from({ length: count }, (_, n) => post(n + 1));
}

/** Checks the pages of a kind; gives the steps, and what was told. */
async function stale(
  world: PlanWorld,
  name = "post",
  parts: Partial<PlanContext> = {},
  options: Parameters<typeof planStale>[2] = {},
) {
  const kind = SITE.kinds.find((each) => each.name === name);
  if (kind === undefined) throw new Error(`There is no kind "${name}".`);
  return await world.plan("stale", async (plain) => {
    const { context, failures, same } = telling(plain);
    await planStale(kind, { ...context, ...parts }, options);
    return { steps: await reasons(context), same, told: told(failures) };
  });
}

async function reasons({ ledger, run }: PlanContext): Promise<readonly string[]> {
  const steps = await ledger.staged(run, { limit: 10_000 });
  return steps.map(
    ({ kind, key, action, reason }) => `${action} ${kind}/${keyName(decodeKey(key))}: ${reason}`,
  );
}

/** Other traces, hashes … for live pages. */
async function relive(world: PlanWorld, ids: readonly PageId[], parts: object): Promise<void> {
  const live = await world.ledger.pages(ids);
  await world.ledger.confirm(
    "other",
    live.flatMap((page) => (page ? [{ ...page, ...parts }] : [])),
  );
}

describe("a check of live pages", () => {
  test("finds nothing where all traces are as they were", async () => {
    await using world = await openPosts(upTo(3));

    expect(await stale(world)).toEqual({ steps: [], same: ["3 post by all"], told: [] });
    expect(await stale(world, "stream")).toMatchObject({ steps: [], same: ["2 stream by all"] });
  });

  test("finds pages whose reads changed, with the read's name", async () => {
    await using world = await openPosts(upTo(5));
    put(world, posts, [post(5, { title: "Other" })]);

    expect(await stale(world)).toEqual({
      steps: [
        "update post/1: list:posts_by_topic/x#newest1",
        "update post/2: list:posts_by_topic/x#newest1",
        "update post/3: list:posts_by_topic/x#newest1",
        expect.stringMatching(/^update post\/4: list:posts_by_topic\/x@\d+,4-2\+1$/),
        "update post/5: row:posts/5",
      ],
      same: [],
      told: [],
    });
  });

  test("stages whole steps", async () => {
    await using world = await openPosts(upTo(3));
    put(world, people, [{ handle: "ann", name: "Anna" }]);
    put(world, posts, [post(1, { title: "Other" })]);

    const steps = await world.plan("stale", async (plain) => {
      const { context } = telling(plain);
      await planStale(kindOf("row", "person"), context);
      await planStale(kindOf("list", "topic"), context);
      return await stepsIn(context);
    });

    expect(steps).toEqual([
      "update person/ann in changed: row:people/ann, at /people/ann/ from undefined, start undefined",
      expect.stringMatching(
        /^update topic\/x,2024,1 in lists: list:posts_by_topic\/x#2024, at \/topics\/x\/2024\/ from undefined, start \d+,1$/,
      ),
    ]);
  });

  test("finds all pages where the store is not trusted", async () => {
    await using world = await openPosts(upTo(2));

    expect(await stale(world, "post", { isStoreTrusted: false })).toMatchObject({
      steps: ["update post/1: store", "update post/2: store"],
      same: [],
    });
  });

  test("finds pages of which nobody knows what is stored", async () => {
    await using world = await openPosts(upTo(2));
    await relive(world, [idOf("post", 2)], { hash: undefined });

    expect(await stale(world)).toMatchObject({
      steps: ["update post/2: unfinished"],
      same: ["1 post by all"],
    });
  });

  test("finds pages made with another template, without loading them", async () => {
    await using world = await openPosts(upTo(2));
    const rows = (plain: PlanContext) => plain.rows;

    const steps = await world.plan("stale", async (plain) => {
      const { context } = telling(plain);
      const broken = { ...rows(plain), rows: () => Promise.reject(new Error("No row is needed.")) };
      const fingerprint = () => digest("other");
      await planStale(POST, { ...context, fingerprint, rows: broken }, {});
      return await reasons(context);
    });

    expect(steps).toEqual(["update post/1: template:post", "update post/2: template:post"]);
  });

  test("finds pages with an empty trace", async () => {
    await using world = await openPosts(upTo(1));
    await relive(world, [idOf("post", 1)], { trace: new Uint8Array() });

    expect((await stale(world)).steps).toEqual(["update post/1: template:post"]);
  });

  test("finds pages whose bodies name a route that appeared or went", async () => {
    await using world = await openPosts(upTo(4));
    const refer = async (id: number, ...refs: (readonly [string, boolean])[]) => {
      const [page] = await world.ledger.pages([idOf("post", id)]);
      const { digests, uses } = decodeTrace(page?.trace ?? new Uint8Array());
      const reads = digests.map((each) => ({ key: "", digest: each }));
      const named = refs.map(([route, exists]) => ({ route, exists }));
      await relive(world, [idOf("post", id)], { trace: encodeTrace({ reads, uses, refs: named }) });
    };
    await refer(1, ["/posts/p2/", true], ["/none/", false]);
    await refer(2, ["/posts/p2/", true], ["/posts/p3/", false]);
    await refer(3, ["/none/", true]);

    expect(await stale(world)).toMatchObject({
      steps: ["update post/2: page:/posts/p3/", "update post/3: page:/none/"],
      same: ["2 post by all"],
    });
  });

  test("names the read that changed before a route that appeared", async () => {
    await using world = await openPosts(upTo(2));
    const [page] = await world.ledger.pages([idOf("person", "ann")]);
    const { digests, uses } = decodeTrace(page?.trace ?? new Uint8Array());
    const reads = digests.map((each) => ({ key: "", digest: each }));
    const refs = [{ route: "/posts/p2/", exists: false }];
    await relive(world, [idOf("person", "ann")], { trace: encodeTrace({ reads, uses, refs }) });
    put(world, people, [{ handle: "ann", name: "Anna" }]);

    expect((await stale(world, "person")).steps).toEqual(["update person/ann: row:people/ann"]);
  });

  test("asks for no routes and stages nothing where there are none", async () => {
    await using world = await openPosts([]);
    const counts = new Map<string, number>();

    await world.plan("stale", async (plain) => {
      const { context } = telling(plain);
      await planStale(kindOf("row", "person"), countedContext(context, counts));
    });

    expect(counts.get("live")).toBe(1);
    expect([counts.get("liveFolded"), counts.get("stage")]).toEqual([undefined, undefined]);
  });

  test("leaves pages to the plan that already touches them, pages that failed, and unwanted ones", async () => {
    await using world = await openPosts(upTo(5));
    put(world, people, [{ handle: "ann", name: "Anna" }]);
    const [second] = await world.ledger.pages([idOf("post", 2)]);
    if (second === undefined) throw new Error("Post 2 is live.");
    await world.ledger.stage("stale", [checkStep(second, "asked")]);
    const failed = pageName(idOf("post", 3));

    const { steps } = await stale(
      world,
      "post",
      { hasFailed: (page) => pageName(page) === failed },
      { isWanted: ({ route }) => route !== "/posts/p4/" },
    );

    expect(steps).toEqual([
      "update post/1: row:people/ann",
      "check post/2: asked",
      "update post/5: row:people/ann",
    ]);
  });

  test("tells of pages that cannot be loaded, and goes on with the others", async () => {
    await using world = await openPosts(upTo(3));
    put(world, posts, [post(1, { section: "none" })]);
    spoil(world, "title", 2);
    drop(world, 3);

    const { steps, told } = await stale(world);

    expect(steps).toEqual([expect.stringMatching(/^update post\/1: list:/)]);
    expect(told.filter((each) => each.startsWith("post"))).toEqual([
      'post/2: row_invalid {"table":"posts","key":"2","column":"title"}',
      'post/3: row_invalid {"table":"posts","key":"3","route":"/posts/p3/"}',
    ]);
  });

  test("says nothing of texts whose files are gone, which the plan deletes", async () => {
    await using world = await openPosts([]);

    expect(await stale(world, "text", { content: new Map() })).toMatchObject({
      steps: [],
      told: [],
    });
  });

  test.each([BATCH - 1, BATCH, BATCH + 1])(
    "of %i pages goes on after each batch",
    async (count) => {
      await using world = await openPosts([]);
      await livePeople(world, count);
      const batches: number[] = [];

      const { steps, same } = await stale(
        world,
        "person",
        {},
        { onBatch: (n) => void batches.push(n) },
      );

      expect(steps).toHaveLength(count);
      expect(same).toEqual([]);
      expect(batches.reduce((a, b) => a + b, 0)).toBe(count);
      expect(batches).toHaveLength(count < BATCH ? 1 : 2);
    },
  );
});

/** Makes so many people's pages live, in doubt. */
async function livePeople(world: PlanWorld, count: number): Promise<readonly PageId[]> {
  const ids = Array.from({ length: count }, (_, n) => idOf("person", `p${n}`));
  const made = { start: undefined, hash: undefined, etag: undefined, bytes: 1, release: 1 };
  await world.ledger.retire("others", [idOf("person", "ann")], {});
  await world.ledger.confirm(
    "others",
    ids.map((id, n) => ({
      ...id,
      route: `/people/p${n}/`,
      ...made,
      trace: Buffer.alloc(2),
      lastmod: undefined,
    })),
  );
  return ids;
}

describe("pages that a change may have reached", () => {
  /** Stages checks for pages, then decides them. */
  async function check(
    world: PlanWorld,
    pages: readonly PageId[],
    parts: Partial<PlanContext> = {},
  ) {
    return await world.plan("check", async (plain) => {
      const { context, same } = telling(plain);
      const own = { ...context, ...parts };
      await stageChecks(own, pages, "row:posts/1");
      const staged = await stepsIn(own);
      await planChecks(own);
      return { staged, steps: await stepsIn(own), same };
    });
  }

  test("are staged to be looked at: live ones that the plan does not touch and that did not fail", async () => {
    await using world = await openPosts(upTo(4));
    const [second] = await world.ledger.pages([idOf("post", 2)]);
    if (second === undefined) throw new Error("Post 2 is live.");
    await world.ledger.stage("check", [{ ...checkStep(second, "x"), action: "delete" }]);
    const failed = pageName(idOf("post", 3));

    const { staged } = await check(
      world,
      [1, 2, 3, 9].map((id) => idOf("post", id)),
      { hasFailed: (page) => pageName(page) === failed },
    );

    expect(staged).toEqual([
      "check post/1 in changed: row:posts/1, at /posts/p1/ from undefined, start undefined",
      "delete post/2 in changed: x, at /posts/p2/ from undefined, start undefined",
    ]);
  });

  test("are staged and decided whatever their number, in batches", async () => {
    await using world = await openPosts([]);
    const ids = await livePeople(world, 2 * BATCH);
    const counts = new Map<string, number>();

    const found = await world.plan("check", async (plain) => {
      const { context, same } = telling(plain);
      const counted = countedContext(context, counts);
      await stageChecks(counted, ids, "row:posts/1");
      const staged = [counts.get("pages"), counts.get("stage")];
      await planChecks(counted);
      return { staged, steps: await stepsIn(context), same };
    });

    expect(found.steps).toHaveLength(2 * BATCH);
    expect(new Set(found.steps.map((each) => each.split(" ")[0]))).toEqual(new Set(["update"]));
    expect(found).toMatchObject({ staged: [2, 2], same: [] });
    expect([counts.get("staged"), counts.get("unstage")]).toEqual([3, 2]);
  });

  test("cost no step where there is none", async () => {
    await using world = await openPosts(upTo(1));
    const counts = new Map<string, number>();

    await world.plan("check", async (plain) => {
      const { context } = telling(plain);
      await stageChecks(countedContext(context, counts), [idOf("post", 9)], "x");
      expect(counts.get("stage")).toBeUndefined();
      await stageChecks(context, [idOf("post", 1)], "x");
      await planChecks(countedContext(context, counts));
    });

    expect([counts.get("stage"), counts.get("unstage")]).toEqual([undefined, 1]);
  });

  test("are decided without touching other steps", async () => {
    await using world = await openPosts(upTo(2));
    const [first, second] = await world.ledger.pages([idOf("post", 1), idOf("post", 2)]);
    if (first === undefined || second === undefined) throw new Error("Both are live.");
    const gone = { ...checkStep(first, "gone"), phase: "deletes", action: "delete" } as const;
    const made = { ...checkStep(second, "window"), action: "update" } as const;
    await world.ledger.stage("check", [gone, made]);

    const { staged, steps } = await check(world, []);

    expect(steps).toEqual(staged);
    expect(steps).toHaveLength(2);
  });

  test("leave the plan when they are no longer live", async () => {
    await using world = await openPosts(upTo(1));
    const [page] = await world.ledger.pages([idOf("post", 1)]);
    if (page === undefined) throw new Error("It is live.");
    await world.ledger.stage("check", [checkStep({ ...page, ...idOf("post", 9) }, "x")]);

    expect(await check(world, [])).toMatchObject({ steps: [], same: ["1 post by x"] });
  });

  test("become updates when a read changed, and leave the plan when none did", async () => {
    await using world = await openPosts(upTo(5));
    put(world, posts, [post(1, { title: "Other" })]);

    const { steps, same } = await check(world, [
      ...[1, 2, 4, 5].map((id) => idOf("post", id)),
      idOf("topic", "x"),
      idOf("topic", "x", "2024", 1),
    ]);

    expect(steps.map((each) => each.split(",")[0])).toEqual([
      "update post/1 in changed: row:posts/1",
      expect.stringMatching(/^update post\/2 in changed: list:posts_by_topic\/x@/),
      "update topic/x",
    ]);
    expect(same).toEqual(["2 post by row", "1 topic by row"]);
  });

  test("leave the plan when their kind is gone", async () => {
    await using world = await openPosts(upTo(1));

    const { steps, same } = await check(world, [idOf("post", 1)], { site: { ...SITE, kinds: [] } });

    expect(steps).toEqual([]);
    expect(same).toEqual(["1 post by row"]);
  });

  test("are loaded together", async () => {
    await using world = await openPosts(upTo(2));

    const found = await world.plan("check", async (plain) => {
      const { context } = telling(plain);
      const live = await world.ledger.live("post", undefined, 10);
      expect(await loadPages(POST, context, live)).toHaveLength(2);
      return [await stalePages(POST, context, live), await stalePages(POST, context, [])];
    });

    expect(found).toEqual([[], []]);
  });
});
