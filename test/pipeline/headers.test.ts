import { expect, test } from "vitest";
import { smallWorld } from "./world.ts";

test("a page whose cache tags alone changed is put again", async () => {
  await using world = await smallWorld(1);
  await world.bake();
  const before = world.objects.get("notes/1/index.html");
  world.edit(1, "topic", "y");

  await world.bake();

  const after = world.objects.get("notes/1/index.html");
  expect(after?.body).toEqual(before?.body);
  expect(after?.metadata).not.toEqual(before?.metadata);
  expect(world.shown()).toEqual(await world.scratch());
});
