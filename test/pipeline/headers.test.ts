import { expect, test } from "vitest";
import type { Wired } from "../../src/pipeline.ts";
import { cacheCdn } from "./cache-cdn.ts";
import { withHeaders } from "./declared.ts";
import { smallWorld } from "./world.ts";

test("a page whose cache tags alone changed is put again", async () => {
  await using world = await smallWorld(1);
  await world.bake();
  const before = world.objects.get("notes/1/index.html");
  world.edit(1, "author", "bob");

  await world.bake();

  const after = world.objects.get("notes/1/index.html");
  expect(after?.body).toEqual(before?.body);
  expect(after?.metadata).not.toEqual(before?.metadata);
  expect(world.shown()).toEqual(await world.scratch());
});

test("headers that a kind declares alone changed: its pages are put again and invalidated", async () => {
  await using world = await smallWorld(2);
  const cdn = cacheCdn(world.objects, world.store);
  const cached = (wired: Wired) => ({ ...wired, store: cdn.origin, cdn });
  await world.bake({}, cached);
  const before = world.objects.get("notes/1/index.html");

  const said = { cache: { maxAge: 60 }, language: "de" };
  const { changed } = await world.bake({}, (wired) => cached(withHeaders(wired, "note", said)));

  // Both notes, and the page of content/, which has the same template and another kind, not.
  expect(changed).toBe(2);
  const after = world.objects.get("notes/1/index.html");
  expect(after?.body).toEqual(before?.body);
  expect(after).toMatchObject({
    cacheControl: "public, max-age=60, s-maxage=31536000",
    contentLanguage: "de",
  });
  expect([...cdn.accepted.values()].flat()).toContain("/notes/1/");
  expect(cdn.stale()).toEqual([]);
  const again = await world.bake({}, (wired) => cached(withHeaders(wired, "note", said)));
  expect(again).toMatchObject({ release: undefined, changed: 0 });
});
