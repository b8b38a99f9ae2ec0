import { expect, test } from "vitest";
import type { Wired } from "../../src/pipeline.ts";
import { differences } from "./small-site.ts";
import { smallWorld } from "./world.ts";

/** Does the deed before the nth put. */
function beforePut(nth: number, deed: () => void) {
  let puts = 0;
  return (wired: Wired): Wired => ({
    ...wired,
    store: {
      ...wired.store,
      async put(...of) {
        puts += 1;
        if (puts % nth === 0) deed();
        return await wired.store.put(...of);
      },
    },
  });
}

test("a build ends with what changed while it published", async () => {
  await using world = await smallWorld(6);
  const late = beforePut(12, () => world.edit(2, "title", "Meanwhile"));

  const { events, ...whole } = await world.bake({ closes: true }, late);

  expect(differences(world.shown(), await world.scratch())).toEqual([]);
  const summaries = events.flatMap((each) => (each.event === "summary" ? [each.summary] : []));
  expect(summaries.map(({ release }) => release)).toEqual([1, 2]);
  expect(whole.release).toBe(2);
  expect(whole.changed).toBe(summaries.reduce((sum, { changed }) => sum + changed, 0));
});

test("one that found nothing new tells no second summary, and one that is not asked does not look", async () => {
  await using world = await smallWorld(3);
  const { events } = await world.bake({ closes: true });
  world.edit(1, "title", "Now");
  const late = beforePut(1, () => world.edit(2, "title", "Meanwhile"));

  const plain = await world.bake({}, late);

  expect(events.filter(({ event }) => event === "summary")).toHaveLength(1);
  expect(plain.release).toBe(2);
  expect(world.shown()["notes/2/index.html"]).toContain("Title 2");
});

test("a database that never rests is left to the next build after some rounds", async () => {
  await using world = await smallWorld(3);
  let edits = 0;
  const busy = beforePut(1, () => {
    edits += 1;
    world.edit(2, "title", `Edit ${edits}`);
  });

  const { release } = await world.bake({ closes: true }, busy);

  expect(release).toBe(4);
  await world.bake();
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
});
