import { describe, expect, test } from "vitest";
import { basisOf, usesOf } from "../../src/plan/basis.ts";
import type { PlanContext } from "../../src/plan/context.ts";
import { type PlanOptions, planBuild } from "../../src/plan/plan.ts";
import { digest } from "../../src/site.ts";
import {
  ABOUT,
  drop,
  HOUR,
  idOf,
  NOW,
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
import { finishPlan, type PlanWorld, planWorld, stepsIn } from "./plan-world.ts";

const OPTIONS: PlanOptions = {
  only: undefined,
  targets: undefined,
  isVerify: false,
  foldsCase: false,
  onPages: () => {},
};

/** Plans a build; gives the plan, its steps in short, and what was looked at. */
async function build(
  world: PlanWorld,
  options: Partial<PlanOptions> = {},
  change: (context: PlanContext) => Partial<PlanContext> = () => ({}),
) {
  return await world.plan("build", async (plain) => {
    const { context, failures, same } = telling(plain);
    const looked: Record<string, number> = {};
    const onPages: PlanOptions["onPages"] = (phase, pages) => {
      looked[phase] = (looked[phase] ?? 0) + pages;
    };
    const own = { ...context, ...change(context) };
    const plan = await planBuild(own, { ...OPTIONS, onPages, ...options });
    const steps = (await stepsIn(own)).map((each) => each.split(", at ")[0] ?? "");
    return { ...plan, steps, looked, same, told: told(failures) };
  });
}

function upTo(count: number) {
  return Array.from({ length: count }, (_, n) => post(n + 1));
}

/** Pages that failed at the last build. */
async function fail(
  world: PlanWorld,
  ids: readonly ReturnType<typeof idOf>[],
  code = "template_failed",
) {
  const failed = ids.map((id) => ({ ...id, code, message: "It threw.", at: '{"route":"/x/"}' }));
  await world.ledger.quarantine(failed, []);
}

describe("a build where nothing changed", () => {
  test("has no steps, and need not be recorded", async () => {
    await using world = await openPosts(upTo(3));

    expect(await build(world)).toMatchObject({
      steps: [],
      isNew: false,
      found: [],
      feeds: "none",
      looked: { scan: 4 },
      told: [],
    });
  });

  test("tells failures again without trying, since they would fail again", async () => {
    await using world = await openPosts(upTo(3));
    await fail(world, [idOf("post", 2)]);

    expect(await build(world)).toMatchObject({
      steps: [],
      isNew: false,
      feeds: "none",
      told: ['post/2: template_failed {"route":"/x/"}'],
    });
  });

  test("tries pages again that failed because of the store", async () => {
    await using world = await openPosts(upTo(3));
    await fail(world, [idOf("post", 2), idOf("person", "ann")], "store_unavailable");

    const { same, told, isNew, feeds } = await build(world);

    expect({ told, isNew, feeds }).toEqual({ told: [], isNew: false, feeds: "touched" });
    expect(same.toSorted()).toEqual(["1 person by row", "1 post by row"]);
  });
});

describe("a build", () => {
  test("that is the first looks at everything", async () => {
    await using world = await planWorld(SITE, NOW);
    put(world, posts, upTo(1));

    const { steps, isNew, feeds, found, notes } = await build(world);

    expect(steps).toEqual([
      "create home/ in new: absent",
      "create post/1 in new: absent",
      "create stream/ in new: absent",
      "create text/about in new: absent",
      "create topic/x in new: absent",
    ]);
    expect({ isNew, feeds, found }).toEqual({ isNew: true, feeds: "all", found: [] });
    expect(notes).toMatchObject({ failed: "tried", basis: expect.stringContaining('"now":') });
  });

  test("follows the rows that changed, and names them", async () => {
    await using world = await openPosts(upTo(3));
    put(world, people, [{ handle: "ann", name: "Anna" }]);
    put(world, posts, [post(4, { status: "draft" })]);

    const plan = await build(world);

    expect(plan).toMatchObject({
      steps: [
        "update person/ann in changed: row:people/ann",
        "update post/1 in changed: row:people/ann",
        "update post/2 in changed: row:people/ann",
        "update post/3 in changed: row:people/ann",
      ],
      isNew: true,
      found: ["row:people/ann", "row:posts/4"],
      feeds: "touched",
      notes: { failed: "tried" },
    });
    expect(plan.leavesFailed).toBe(false);
  });

  test("names no more rows than a release keeps", async () => {
    await using world = await openPosts([]);
    put(world, posts, upTo(101));

    expect((await build(world)).found).toHaveLength(100);
  });

  test("finds the same when it checks every trace", async () => {
    await using world = await openPosts(upTo(5));
    put(world, posts, [post(2, { title: "Other" })]);

    const followed = await build(world);
    const checked = await build(world, { isVerify: true });

    expect(checked.steps).toEqual(followed.steps);
    expect(checked.feeds).toBe("all");
    expect(checked.looked).toMatchObject({ check: 14 });
  });

  test("of one kind finds and checks its pages and assets only, and deletes none", async () => {
    await using world = await openPosts(upTo(2));
    put(world, people, [{ handle: "bob", name: "Bob" }]);
    drop(world, 1);
    put(world, posts, [post(2, { title: "Other" })]);

    const plan = await build(world, { only: "post" }, () => ({
      assets: [{ name: "a.css", key: "assets/a.1.css", body: new Uint8Array() }],
    }));

    expect(plan.steps).toEqual([
      "create asset/a.css in assets: absent",
      "update post/2 in changed: row:posts/2",
    ]);
    expect(plan).toMatchObject({ notes: {}, isNew: false, found: [], feeds: "none" });
  });

  test("of sitemaps alone keeps those that would go", async () => {
    await using world = await openPosts([]);

    expect(await build(world, { only: "sitemap" })).toMatchObject({ steps: [], feeds: "kept" });
    expect(await build(world, { only: "none" })).toMatchObject({ steps: [], feeds: "none" });
  });

  test("takes away the pages of kinds that are gone", async () => {
    await using world = await openPosts(upTo(1));
    const kinds = SITE.kinds.filter(({ name }) => name !== "person");

    for (const isVerify of [false, true]) {
      const { steps } = await build(world, { isVerify }, () => ({ site: { ...SITE, kinds } }));
      expect(steps).toContain("delete person/ann in deletes: kind");
      expect(steps.filter((each) => each.startsWith("delete"))).toHaveLength(1);
    }
  });

  test("of one kind leaves kinds that are gone alone", async () => {
    await using world = await openPosts(upTo(1));
    const kinds = SITE.kinds.filter(({ name }) => name !== "person");

    const { steps } = await build(world, { only: "post" }, () => ({ site: { ...SITE, kinds } }));

    expect(steps.filter((each) => each.startsWith("delete"))).toEqual([]);
  });

  test("makes assets that changed, and deletes those that are gone", async () => {
    await using world = await openPosts([]);

    const { steps, isNew } = await build(world, {}, () => ({
      assets: [{ name: "a.css", key: "assets/a.1.css", body: new Uint8Array() }],
    }));

    expect({ steps, isNew }).toEqual({
      steps: ["create asset/a.css in assets: absent"],
      isNew: true,
    });
  });

  test("looks at all texts when one changed", async () => {
    await using world = await openPosts([]);
    const more = { ...ABOUT, name: "more" };

    const { steps, feeds } = await build(world, {}, () => ({
      content: new Map([["pages", [{ ...ABOUT, body: "Other" }, more]]]),
    }));

    expect(steps).toEqual([
      "update text/about in changed: content:pages/about.md",
      "create text/more in new: absent",
    ]);
    expect(feeds).toBe("touched");
  });

  test("checks all pages of a kind whose making changed, and no others", async () => {
    await using world = await openPosts(upTo(2));
    const print = (name: string) => ({
      fingerprint: (kind: { readonly name: string }) =>
        digest(kind.name === name ? "other" : kind.name),
    });

    const { steps, looked, feeds } = await build(world, {}, () => print("post"));

    expect(steps).toEqual(
      ["update post/1", "update post/2"].map((each) => `${each} in changed: template:post`),
    );
    expect(looked).toEqual({ scan: 3, check: 3 });
    expect(feeds).toBe("touched");
    expect((await build(world, {}, () => print("sitemap"))).feeds).toBe("all");
  });

  test("names the parts that changed before the rows", async () => {
    await using world = await openPosts(upTo(1));
    put(world, posts, [post(1, { title: "Other" })]);

    const { found } = await build(world, {}, () => ({ making: () => ({ "template:post": "1" }) }));

    expect(found).toEqual(["template:post", "row:posts/1"]);
  });
});

describe("every page is checked", () => {
  test.each<[string, (context: PlanContext) => Partial<PlanContext>, string | undefined]>([
    ["where the store is not trusted", () => ({ isStoreTrusted: false }), "store"],
    ["after a run that was cut off", () => ({ isCutOff: true }), undefined],
    ["when the clock was set back", () => ({ now: NOW - 1 }), undefined],
    ["when pages read other columns", (context) => ({ site: withoutPosts(context) }), undefined],
  ])("%s", async (_, change, reason) => {
    await using world = await openPosts(upTo(1));

    const { feeds, looked, steps, isNew } = await build(world, {}, change);

    expect(feeds).toBe("all");
    expect(looked["check"]).toBeGreaterThan(3);
    expect(isNew).toBe(reason !== undefined ? false : isNew);
    if (reason !== undefined) {
      expect(steps.every((each) => each.endsWith(`: ${reason}`))).toBe(true);
      expect(steps.length).toBeGreaterThan(3);
    }
  });

  test("also when only some rows were asked for, after all were looked at", async () => {
    await using world = await openPosts(upTo(2));
    put(world, posts, [post(2, { title: "Other" })]);

    const plan = await build(world, { targets: ["post:1"] }, () => ({ isCutOff: true }));

    expect(plan.steps).toContain("update post/2 in changed: row:posts/2");
    expect(plan.isNew).toBe(true);
  });

  test("not when the clock stands still", async () => {
    await using world = await openPosts(upTo(1));

    expect((await build(world, {}, () => ({ now: NOW }))).looked).not.toHaveProperty("check");
  });
});

function withoutPosts({ site }: PlanContext) {
  return { ...site, kinds: site.kinds.filter(({ name }) => name !== "topic" && name !== "post") };
}

describe("a rebuild", () => {
  test("looks at the rows asked for, and at those that are due", async () => {
    await using world = await openPosts([...upTo(2), post(3, { at: NOW + HOUR })]);
    put(world, posts, [post(1, { title: "Other" })]);
    put(world, people, [{ handle: "bob", name: "Bob" }]);

    const plan = await build(world, { targets: ["post:1"] }, () => ({ now: NOW + HOUR }));

    expect(plan.found).toEqual(["row:posts/1", "row:posts/3"]);
    expect(plan.steps).toContain("create post/3 in new: clock:posts/3");
    expect(plan.steps).not.toContain("create person/bob in new: absent");
    expect(plan).toMatchObject({ isNew: true, feeds: "touched", looked: {} });
  });

  test("looks at rows that records name", async () => {
    await using world = await openPosts(upTo(2));
    put(world, posts, [post(2, { title: "Other" })]);
    async function* changes() {
      yield [{ table: posts, key: [2] }];
    }

    const { found } = await build(world, { targets: [], changes: changes() });

    expect(found).toEqual(["row:posts/2"]);
  });

  test("of nothing plans nothing, but tries again what failed", async () => {
    await using world = await openPosts(upTo(2));
    await fail(world, [idOf("post", 1)]);

    const { steps, same, isNew } = await build(world, { targets: [] });

    expect({ steps, same, isNew }).toEqual({ steps: [], same: ["1 post by row"], isNew: false });
  });

  test.each([
    [50, "tried"],
    [51, "left"],
  ])("of a site with %i failed pages has them %s", async (count, retries) => {
    await using world = await openPosts(upTo(1));
    await fail(
      world,
      Array.from({ length: count }, (_, n) => idOf("post", n + 100)),
    );

    const rebuilt = await build(world, { targets: ["post:1"] });

    expect(rebuilt).toMatchObject({ leavesFailed: retries === "left", notes: { failed: retries } });
  });

  test("that left failed pages makes the next build try them", async () => {
    await using world = await openPosts(upTo(1));
    await world.ledger.setNote("failed", "left");
    await fail(world, [idOf("post", 1)]);

    expect(await build(world)).toMatchObject({
      isNew: true,
      same: ["1 post by row"],
      leavesFailed: false,
    });
    expect(await build(world, { targets: [] })).toMatchObject({ isNew: false });
  });
});

describe("pages that failed are tried again with what changed", () => {
  test("of each kind, and sitemaps as a whole when one of theirs did", async () => {
    await using world = await openPosts(upTo(4));
    const [topic] = await world.ledger.pages([idOf("topic", "x", "2024", 2)]);
    await world.ledger.retire("x", [idOf("home"), idOf("post", 2), ...(topic ? [topic] : [])], {});
    await fail(world, [
      idOf("home"),
      idOf("none", 1),
      idOf("post", 2),
      idOf("topic", "x", "2024", 2),
      idOf("sitemap"),
    ]);
    put(world, people, [{ handle: "bob", name: "Bob" }]);

    const { steps, feeds } = await build(world);

    expect(steps.filter((each) => each.startsWith("create"))).toEqual([
      "create home/ in new: absent",
      "create person/bob in new: absent",
      "create post/2 in new: absent",
      "create topic/x,2024,2 in new: absent",
    ]);
    expect(feeds).toBe("all");
  });

  test("and their rows are told of when they still are bad", async () => {
    await using world = await openPosts(upTo(2));
    spoil(world, "slug", 1);
    await fail(world, [idOf("post", 1)]);

    const { told } = await build(world);

    expect(told).toContain('post/1: row_invalid {"table":"posts","key":"1","column":"slug"}');
  });
});

test("the basis of a plan is the one of its context", async () => {
  await using world = await openPosts([]);

  const { notes } = await build(world);
  const basis = await world.plan("basis", async (plain) => {
    const { context } = telling(plain);
    return basisOf(context, usesOf(context));
  });

  expect(JSON.parse(notes["basis"] ?? "")).toEqual(JSON.parse(JSON.stringify(basis)));
  await world.plan("end", (context) => finishPlan(context, notes));
});
