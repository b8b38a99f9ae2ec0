import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memoryCache } from "../cache/memory-cache.ts";
import { smallWorld, type World } from "./world.ts";

const BODIES = [
  "[a](/posts/p1/) *same*",
  "[a](/posts/p1/) *same*",
  "[gone](/posts/none/)",
  "[up](../)",
];

/** Four posts; two share a body, and one body holds a relative link. The about page is a fifth. */
async function bodyWorld(): Promise<World> {
  const world = await smallWorld(0);
  for (const [at, body] of BODIES.entries()) world.post(at + 1, { body });
  return world;
}

async function redraw({ site }: World): Promise<void> {
  const text = `<article><h1><%= it.title ?? it.row.title %></h1><%~ it.html.body %></article>`;
  await writeFile(join(site.dir, "templates", "note.eta"), text);
}

test("after a change of the template no body is made again", async () => {
  await using world = await bodyWorld();
  const bodies = memoryCache();
  await world.bake({}, (wired) => ({ ...wired, bodies }));
  expect(bodies.made).toBe(4);
  await redraw(world);

  const { rendered } = await world.bake({}, (wired) => ({ ...wired, bodies }));

  expect(rendered).toBe(5);
  expect(bodies.made).toBe(4);
  expect(world.shown()).toEqual(await world.scratch());
});

test("links of a kept body follow the pages that there are", async () => {
  await using world = await bodyWorld();
  const bodies = memoryCache();
  await world.bake({}, (wired) => ({ ...wired, bodies }));
  world.edit(2, "slug", "none");

  await world.bake({}, (wired) => ({ ...wired, bodies }));

  expect(bodies.made).toBe(4);
  expect(world.shown()["notes/3/index.html"]).toContain("/posts/none/");
  expect(world.shown()).toEqual(await world.scratch());
});

test("bodies that are damaged or lost are made again", async () => {
  await using world = await bodyWorld();
  const bodies = memoryCache();
  await world.bake({}, (wired) => ({ ...wired, bodies }));
  const [first = "", second = ""] = bodies.values.keys();
  bodies.values.set(first, Buffer.from("no body"));
  bodies.values.delete(second);
  await redraw(world);

  await world.bake({}, (wired) => ({ ...wired, bodies }));

  expect(bodies.made).toBe(6);
  expect(world.shown()).toEqual(await world.scratch());
});

test("another engine makes every body again", async () => {
  await using world = await bodyWorld();
  const bodies = memoryCache();
  await world.bake({}, (wired) => ({ ...wired, bodies }));
  await redraw(world);

  await world.bake({}, (wired) => ({ ...wired, bodies, bodyEngine: Buffer.from("new") }));

  expect(bodies.made).toBe(8);
});
