import { expect, test } from "vitest";
import { type Due, dueNext, leavingNext } from "../../src/explain.ts";
import type { Wired } from "../../src/pipeline.ts";
import { withHeaders } from "../pipeline/declared.ts";
import { DAY, START } from "../pipeline/rows.ts";
import { takeAway } from "../pipeline/takedowns.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { looking } from "./looking.ts";

async function due(world: World, until = START + 1000 * DAY, limit = 100): Promise<readonly Due[]> {
  return await looking(world, (context) => Array.fromAsync(dueNext(context, { until, limit })));
}

function told(rows: readonly Due[]): readonly string[] {
  return rows.map(({ at, table, key, pages, lists }) =>
    [
      `day ${(at - START) / DAY} ${table}/${key}`,
      ...pages.map(({ kind, route, becomes }) => `${kind} ${route} ${becomes}`),
      ...lists,
    ].join("; "),
  );
}

test("rows are told by moment, with the pages and lists that they enter or leave", async () => {
  await using world = await smallWorld(2);
  world.post(3, { published_at: START + 5 * DAY, expires_at: START + 9 * DAY });
  world.post(4, { expires_at: START + 2 * DAY });
  world.post(5, { published_at: START + DAY, status: "draft" });
  await world.bake();

  expect(told(await due(world))).toEqual([
    "day 1 posts/5",
    "day 1 topics/x,5",
    "day 2 posts/4; post /posts/p4/ goes; note /notes/4/ goes; posts_by_author/ann; posts",
    "day 2 topics/x,4; topics_by_topic/x",
    "day 5 posts/3; post /posts/p3/ appears; note /notes/3/ appears; posts_by_author/ann; posts",
    "day 5 topics/x,3; topics_by_topic/x",
  ]);
  expect(told(await due(world, START + 2 * DAY))).toHaveLength(4);
  expect(told(await due(world, START + 1000 * DAY, 1))).toEqual(["day 1 posts/5"]);
});

test("what a moment said has happened once a build has seen it", async () => {
  await using world = await smallWorld(2);
  world.post(3, { published_at: START + 5 * DAY, expires_at: START + 9 * DAY });
  await world.bake();
  const before = Object.keys(world.shown());
  world.now = START + 5 * DAY;
  const [over] = await due(world);

  await world.bake({ targets: ["people:nobody"] });

  expect(over).toMatchObject({ isOver: true });
  expect(before).not.toContain("posts/p3/index.html");
  expect(world.shown()).toEqual(await world.scratch());
  expect(world.shown()["posts/p3/index.html"]).toBeDefined();
  expect(told(await due(world))[0]).toMatch(/^day 9 posts\/3; post \/posts\/p3\/ goes/);
});

test("objects that wait to be deleted are told with their moments", async () => {
  await using world = await smallWorld(2);
  const kept = (wired: Wired) => withHeaders(wired, "note", { cache: { maxAge: 3600 } });
  await world.bake({}, kept);
  world.edit(2, "status", "draft");
  await world.bake({}, kept);
  const ask = (until: number) =>
    looking(world, (context) => leavingNext(context, { until, limit: 9 }));

  expect(await ask(world.now + DAY)).toMatchObject([
    { object: "notes/2/index.html", isOver: false },
    { object: "posts/p2/index.html", isOver: false },
  ]);
  expect((await ask(world.now + DAY))[0]?.at).toBeGreaterThanOrEqual(START + 3600 * 1_000_000);
  expect(await ask(world.now)).toEqual([]);
  world.now += DAY;
  expect((await ask(world.now)).map(({ isOver }) => isOver)).toEqual([true, true]);
});

test("the clock brings no page back that is taken down", async () => {
  await using world = await smallWorld(2);
  world.post(3, { expires_at: START + 2 * DAY });
  await world.bake();
  await takeAway(world, "/posts/p3/");

  expect(told(await due(world))[0]).toContain(
    "post /posts/p3/ stays taken down; note /notes/3/ goes",
  );
});
