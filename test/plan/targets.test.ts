import { describe, expect, test } from "vitest";
import {
  appendOnly,
  bigint,
  defineSite,
  instant,
  int,
  list,
  listPage,
  path,
  rowPage,
  table,
  text,
} from "../../src/index.ts";
import { usesOf } from "../../src/plan/basis.ts";
import { BATCH, type PlanContext } from "../../src/plan/context.ts";
import { type NamedRow, parseTargets, seeNamed, seeTargets } from "../../src/plan/targets.ts";
import { Touched } from "../../src/plan/touched.ts";
import { decodeKey, keyName, type Site } from "../../src/site.ts";
import {
  at,
  byTopic,
  drop,
  HOUR,
  openPosts,
  people,
  post,
  posts,
  put,
  SITE,
  telling,
} from "./plan-site.ts";
import { type PlanWorld, stepsIn } from "./plan-world.ts";

describe("a target is read", () => {
  const things = table("things", {
    key: ["tenant", "at", "name"],
    columns: { tenant: bigint(), at: instant(), name: text({ max: 9 }), size: int() },
  });
  const bySize = list(things, { by: "size", order: ["at", "tenant", "name"], cut: appendOnly() });
  const all = list(things, { name: "all", order: ["at", "tenant", "name"], cut: appendOnly() });
  const site: Site = defineSite({
    origin: "https://small.example",
    title: "Small",
    pages: {
      thing: rowPage(things, {
        see: [],
        route: (t) => path`/${t.tenant}/${t.name}/`,
        template: "t",
      }),
      size: listPage(bySize, { route: (part) => path`/sizes/${part}/`, template: "l" }),
      all: listPage(all, { route: () => path`/all/`, template: "l" }),
    },
  });

  test.each([
    ["a route", "/things/x:y/", { is: "route", route: "/things/x:y/" }],
    ["a kind's row", "thing:7,-3,a:b", { is: "row", table: things, key: [7n, -3, "a:b"] }],
    ["a table's row", "things:7,3,", { is: "row", table: things, key: [7n, 3, ""] }],
    ["a partition", "size:12", { is: "part", kind: site.kinds[1], part: 12 }],
    ["a list that is one", "all:", { is: "part", kind: site.kinds[2], part: undefined }],
    ["text of several lines", "thing:1,1,a\nb", { is: "row", table: things, key: [1n, 1, "a\nb"] }],
  ])("that is %s", (_, target, read) => {
    expect(parseTargets([target], site)).toEqual([read]);
  });

  test.each([
    ["nothing", "", 'There is no kind or table "".'],
    ["no kind", "thingy:1", 'There is no kind or table "thingy". Did you mean thing?'],
    ["no colon", "thing", 'There is no kind or table "".'],
    ["too short a key", "thing:1", "The key is (tenant, at, name)."],
    ["too long a key", "thing:1,2,3,4", "The key is (tenant, at, name)."],
    ["text for a number", "thing:x,1,a", "x,1,a is no key of things."],
    ["a number with text after it", "thing:1x,1,a", "1x,1,a is no key of things."],
    ["a number with text before it", "thing:x1,1,a", "x1,1,a is no key of things."],
    ["text for an instant", "thing:1,x,a", "1,x,a is no key of things."],
    [
      "a number of too many digits",
      "thing:12345678901234567890,1,a",
      "12345678901234567890,1,a is no key of things.",
    ],
    ["text for a partition", "size:big", "big is no size."],
  ])("and refused when it has %s", (_, target, message) => {
    expect(() => parseTargets(["all:", target], site)).toThrow(
      expect.objectContaining({
        code: "input_invalid",
        message: "Some targets name nothing.",
        hint: "Write KIND:KEY, TABLE:KEY, or a route that begins with a slash.",
        problems: [{ place: target, message }],
      }),
    );
  });

  test("and refused with all that are wrong", () => {
    expect(() => parseTargets(["x:", "size:x"], site)).toThrow(
      expect.objectContaining({
        problems: [{ place: "x:" }, { place: "size:x" }].map((each) =>
          expect.objectContaining(each),
        ),
      }),
    );
  });

  test("with a key of one column whatever it holds", () => {
    expect(parseTargets(["person:a,b"], SITE)).toEqual([
      { is: "row", table: people, key: ["a,b"] },
    ]);
  });
});

describe("what is asked for", () => {
  async function see(world: PlanWorld, ...targets: readonly string[]) {
    return await world.plan("asked", async (plain) => {
      const { context } = telling(plain);
      const touched = new Touched();
      const changed = await seeTargets(
        context,
        usesOf(context),
        parseTargets(targets, SITE),
        touched,
      );
      const parts = touched
        .take()
        .map(({ list, part, places }) => [list.name, part, places.length]);
      return {
        changed,
        seen: await seenRows(context),
        steps: (await stepsIn(context)).map(short),
        parts,
      };
    });
  }

  const short = (step: string) => step.split(", at")[0];
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => post(n + 1));

  test("as a row is looked up, with others of its table at once", async () => {
    await using world = await openPosts(upTo(3));
    put(world, posts, [post(1, { title: "Other" }), post(2, { title: "Other" }), post(4)]);
    put(world, people, [{ handle: "ann", name: "Anna" }]);

    expect(await see(world, "post:1", "post:3", "people:ann", "posts:4")).toEqual({
      changed: 3,
      seen: ["people/ann", "posts/1", "posts/4"],
      steps: [],
      parts: [],
    });
  });

  test("as a route is checked, and its page's row looked up", async () => {
    await using world = await openPosts(upTo(3));
    put(world, posts, [post(1, { title: "Other" }), post(2, { title: "Other" })]);

    expect(await see(world, "/posts/p1/", "/stream/", "/none/")).toEqual({
      changed: 1,
      seen: ["posts/1"],
      steps: ["check post/1 in changed: asked", "check stream/ in changed: asked"],
      parts: [],
    });
  });

  test("as a partition has its pages checked, its places touched and its entries' rows looked up", async () => {
    await using world = await openPosts([
      ...upTo(5),
      post(6, { topic: "xx" }),
      post(7, { at: at("2023-01-01") }),
    ]);
    put(world, posts, [post(2, { title: "Other" }), post(6, { title: "Other", topic: "xx" })]);

    expect(await see(world, "topic:x")).toEqual({
      changed: 1,
      seen: ["posts/2"],
      steps: [
        "check topic/x in changed: asked",
        "check topic/x,2023,1 in changed: asked",
        "check topic/x,2024,1 in changed: asked",
        "check topic/x,2024,2 in changed: asked",
      ],
      parts: [[byTopic.name, "x", 6]],
    });
  });

  test("as a list that is one has all its pages checked", async () => {
    await using world = await openPosts(upTo(4));

    const { steps, parts } = await see(world, "stream:");

    expect(steps).toEqual(["", "1", "2"].map((key) => `check stream/${key} in changed: asked`));
    expect(parts).toEqual([["stream", undefined, 4]]);
  });

  test("as a long partition is walked to its end", async () => {
    const rows = upTo(BATCH + 1).map((row) => ({
      ...row,
      at: at("2020-01-01") + Number(row["id"]),
    }));
    await using world = await openPosts(rows.slice(0, 3));
    put(world, posts, rows.slice(3));

    const { changed, parts } = await see(world, "topic:x");

    expect(changed).toBe(BATCH - 2);
    expect(parts).toEqual([[byTopic.name, "x", BATCH + 1]]);
  });

  test("and gone is found gone", async () => {
    await using world = await openPosts(upTo(1));
    drop(world, 1);

    expect((await see(world, "post:1")).seen).toEqual(["posts/1 gone"]);
  });
});

test("rows that are named in batches are looked up by table; those of other tables are not", async () => {
  await using world = await openPosts([post(1), post(2)]);
  put(world, posts, [post(1, { title: "Other" }), post(2, { at: at("2024-02-02") + HOUR })]);
  put(world, people, [{ handle: "ann", name: "Anna" }]);
  async function* batches(): AsyncGenerator<readonly NamedRow[]> {
    yield [
      { table: posts, key: [1] },
      { table: people, key: ["ann"] },
    ];
    yield [{ table: posts, key: [2] }];
  }

  const found = await world.plan("named", async (context) => {
    const uses = usesOf(context).filter((use) => use.table === posts);
    return [await seeNamed(context, uses, batches()), await seenRows(context)];
  });

  expect(found).toEqual([2, ["posts/1", "posts/2"]]);
});

async function seenRows({ ledger, run }: PlanContext): Promise<readonly string[]> {
  const rows = await ledger.seen(run, undefined, 10_000);
  return rows.map(
    ({ table, key, now }) =>
      `${table}/${keyName(decodeKey(key))}${now === undefined ? " gone" : ""}`,
  );
}
