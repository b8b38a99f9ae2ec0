import { expect, test } from "vitest";
import { type Affects, affects, type Reach } from "../../src/explain.ts";
import { priceOf } from "../../src/price.ts";
import { DAY, START } from "../pipeline/rows.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { looking } from "./looking.ts";

function asked(world: World, row: string, ...columns: readonly string[]): Promise<Affects> {
  return looking(world, (context) => affects(context, row, { columns, isCaching: true }));
}

function told(reach: Reach | undefined): readonly string[] {
  return reach?.pages.map(({ route, reason }) => `${route} ${reason}`) ?? [];
}

/** Five posts on two topics; the oldest is in no head; two authors, one of them known. */
async function affectsWorld(): Promise<World> {
  const world = await smallWorld(4);
  world.sql("INSERT INTO people VALUES ('bob', 'Bob')");
  world.post(5, { author: "bob", topic: "z" });
  world.post(6, { published_at: START + 5 * DAY, author: "eve", topic: "v" });
  await world.bake();
  return world;
}

test("a joined row touches the pages that join it, and no other column does", async () => {
  await using world = await affectsWorld();

  const { edited, gone } = await asked(world, "people/bob");

  expect(told(edited)).toEqual(["/authors/bob/ row:people/bob", "/posts/p5/ row:people/bob"]);
  expect(edited?.price).toEqual(priceOf({ puts: 2, items: 4 }));
  expect(gone).toBeUndefined();
});

test("a row that is absent touches the pages that found it so", async () => {
  await using world = await affectsWorld();

  const { exists, edited } = await asked(world, "people/ann");

  expect(exists).toBe(false);
  expect(new Set(edited?.pages.map(({ reason }) => reason))).toEqual(
    new Set(["absent:people/ann"]),
  );
});

test("a column touches what shows it", async () => {
  await using world = await affectsWorld();

  expect(told((await asked(world, "post:5", "body")).edited)).toEqual(["/notes/5/ row:posts/5"]);
  expect(told((await asked(world, "topics/z,5", "title")).edited)).toEqual([
    "/topics/z/ list:topics_by_topic/z#head",
  ]);
});

test("a column that no page declares touches nothing", async () => {
  await using world = await affectsWorld();

  expect(await asked(world, "posts/5", "views")).toMatchObject({
    columns: [],
    ignored: ["views"],
    edited: undefined,
    gone: undefined,
  });
});

test.each([
  ["posts/2", "UPDATE posts SET title = 'x', body = 'x', slug = 'x', extra = '{}' WHERE id = 2"],
  ["people/bob", "UPDATE people SET name = 'x' WHERE handle = 'bob'"],
  ["topics/x,3", "UPDATE topics SET title = 'x' WHERE post_id = 3"],
])("an edit of %s touches what the build after it puts", async (row, edit) => {
  await using world = await affectsWorld();
  const { edited } = await asked(world, row, "title", "body", "slug", "extra", "name");
  world.sql(edit);

  const build = await world.bake({ isDryRun: true });

  const steps = build.events.flatMap((event) => (event.event === "step" ? [event.step] : []));
  const wanted = steps
    .filter(({ kind }) => kind !== "sitemap")
    .map(({ kind, reason }) => `${kind} ${reason}`);
  expect(edited?.pages.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(wanted);
});

test.each([
  ["posts/2", "DELETE FROM posts WHERE id = 2"],
  ["posts/5", "DELETE FROM posts WHERE id = 5"],
  ["topics/x,4", "DELETE FROM topics WHERE post_id = 4"],
  ["people/bob", "DELETE FROM people WHERE handle = 'bob'"],
])("the going of %s touches what the build after it puts and deletes", async (row, edit) => {
  await using world = await affectsWorld();
  const { gone, edited } = await asked(world, row);
  world.sql(edit);

  const build = await world.bake({ isDryRun: true });

  const steps = build.events.flatMap((event) => (event.event === "step" ? [event.step] : []));
  const wanted = steps
    .filter(({ kind }) => kind !== "sitemap")
    .map(({ route, reason }) => `${route} ${reason}`);
  expect(told(gone ?? edited)).toEqual(wanted);
});

test("leaves the ledger as it was, and what changed meanwhile aside", async () => {
  await using world = await affectsWorld();
  world.edit(1, "title", "Pending");

  const { edited } = await asked(world, "people/bob");

  expect(told(edited)).toEqual(["/authors/bob/ row:people/bob", "/posts/p5/ row:people/bob"]);
  expect((await world.bake()).changed).toBeGreaterThan(0);
  expect(world.shown()).toEqual(await world.scratch());
});

test("what names no row is refused", async () => {
  await using world = await affectsWorld();

  await expect(asked(world, "/posts/p1/")).rejects.toMatchObject({ code: "input_invalid" });
  await expect(asked(world, "peple/bob")).rejects.toMatchObject({ code: "input_invalid" });
});
