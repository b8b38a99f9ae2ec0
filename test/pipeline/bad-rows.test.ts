import type { SQLInputValue } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { brokenLinks } from "./links.ts";
import { failures, names, smallWorld } from "./world.ts";

interface Case {
  readonly name: string;
  readonly column: string;
  /** As SQL. */
  readonly value: string;
  /** The failures told: both kinds of pages are made of the row. */
  readonly told: readonly string[];
  readonly pages: readonly string[];
}

const HALF_SURROGATE = "CAST(x'eda080' AS TEXT)";

function ofBoth(column: string, code = "row_invalid"): Pick<Case, "told" | "pages"> {
  const told = ["post", "note"].map((kind) => `${kind} 2: ${code} at posts 2 ${column}`);
  return { told, pages: ["note 2", "post 2"] };
}

const inNote = { told: ["note 2: row_invalid at posts 2 extra"], pages: ["note 2"] };

const CASES: readonly Case[] = [
  { name: "of the wrong type", column: "title", value: "x'ff'", ...ofBoth("title") },
  { name: "with NULL in a required column", column: "author", value: "NULL", ...ofBoth("author") },
  { name: "with invalid JSON", column: "extra", value: "'{'", ...inNote },
  {
    name: "with half a surrogate pair",
    column: "title",
    value: HALF_SURROGATE,
    ...ofBoth("title"),
  },
  {
    name: "with half a surrogate pair in JSON",
    column: "extra",
    value: `'{"mood":"\\ud800"}'`,
    ...inNote,
  },
  {
    name: "with an impossible slug",
    column: "slug",
    value: "'../up'",
    told: ["post 2: route_invalid at posts 2 slug"],
    pages: ["post 2"],
  },
  { name: "with an unknown status", column: "status", value: "'gone'", ...ofBoth("status") },
  {
    name: "on which the template throws",
    column: "title",
    value: "'throw'",
    told: ["post 2: template_failed at posts 2 -"],
    pages: ["post 2"],
  },
];

const KEYS: Readonly<Record<string, string>> = {
  "post 2": "posts/p2/index.html",
  "note 2": "notes/2/index.html",
};

describe.each(CASES)("a row $name", ({ column, value, told, pages }) => {
  test("is reported, its last good version stays, the rest is built; mended it heals", async () => {
    await using world = await smallWorld(4);
    world.loosen();
    await world.bake();
    const before = world.shown();
    const keys = pages.map((page) => KEYS[page] ?? "");

    world.sql(`UPDATE posts SET ${column} = ${value} WHERE id = 2`);
    world.sql("UPDATE posts SET title = 'New' WHERE id = 3");
    const { events, failed } = await world.bake();
    const after = world.shown();

    expect(failures(events)).toEqual(expect.arrayContaining([...told]));
    expect(failed).toBe(failures(events).length);
    expect(names(await world.ledger((ledger) => ledger.quarantined()))).toEqual(pages);
    for (const key of keys) expect(after[key]).toBe(before[key]);
    expect(after["posts/p3/index.html"]).toContain("New");
    for (const neighbour of ["p1", "p3"]) {
      expect(after[`posts/${neighbour}/index.html`]).toContain("/posts/p2/");
    }

    world.post(2);
    const healed = await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
    expect({ failed: healed.failed, told: failures(healed.events) }).toEqual({
      failed: 0,
      told: [],
    });
    expect(await world.ledger((ledger) => ledger.quarantined())).toEqual([]);
  });

  test("that never rendered appears nowhere, and nothing leads there", async () => {
    await using world = await smallWorld(4);
    world.loosen();
    world.sql("DELETE FROM posts WHERE id = 2");
    await world.bake();

    world.post(2);
    world.sql(`UPDATE posts SET ${column} = ${value} WHERE id = 2`);
    const { failed } = await world.bake();

    expect(failed).toBeGreaterThan(0);
    expect(brokenLinks(world.objects)).toEqual([]);
    for (const page of pages) expect(world.objects.has(KEYS[page] ?? "")).toBe(false);
    if (pages.includes("post 2")) {
      expect(Object.keys(mentions(world.shown(), "/posts/p2/"))).toEqual([]);
    }
    expect(world.shown()).toEqual(await world.scratch());

    world.post(2);
    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
    expect(world.objects.has("posts/p2/index.html")).toBe(true);
  });
});

function mentions(objects: Readonly<Record<string, string>>, text: string) {
  return Object.fromEntries(Object.entries(objects).filter(([, body]) => body.includes(text)));
}

test("a bad row that others join counts as absent and is reported once", async () => {
  await using world = await smallWorld(3);
  world.loosen();
  world.sql("INSERT INTO people VALUES ('ann', 'Ann')");
  await world.bake();
  expect(world.shown()["posts/p1/index.html"]).toContain("<p>Ann ");

  world.sql("UPDATE people SET name = x'ff'");
  const { events, failed } = await world.bake();

  expect(failures(events)).toEqual(["table people ann: row_invalid at people ann name"]);
  expect(failed).toBe(1);
  expect(world.shown()["posts/p1/index.html"]).toContain("<p>ann ");
  expect(world.shown()).toEqual(await world.scratch());

  const again = await world.bake();

  expect({ release: again.release, failed: again.failed }).toEqual({
    release: undefined,
    failed: 1,
  });

  world.sql("UPDATE people SET name = 'Ann'");
  await world.bake();

  expect(world.shown()["posts/p1/index.html"]).toContain("<p>Ann ");
  expect(world.shown()).toEqual(await world.scratch());
});

test("a bad entry of a listing table is left out and reported; its page stays", async () => {
  await using world = await smallWorld(3);
  world.loosen();
  await world.bake();

  world.sql("UPDATE topics SET title = NULL WHERE post_id = 2");
  const { events, failed } = await world.bake();

  expect(failures(events)).toEqual(["table topics x,2: row_invalid at topics x,2 title"]);
  expect(failed).toBe(1);
  expect(world.shown()["topics/x/index.html"]).not.toContain("/posts/p2/");
  expect(world.shown()["posts/p1/index.html"]).not.toContain("/posts/p2/");
  expect(world.objects.has("posts/p2/index.html")).toBe(true);
  expect(world.shown()).toEqual(await world.scratch());
});

test("a row whose key is bad has no page; its old page goes", async () => {
  await using world = await smallWorld(3);
  world.loosen();
  await world.bake();

  world.sql("UPDATE posts SET id = 'two' WHERE id = 2");
  const { events, failed } = await world.bake();

  expect(failures(events)).toContain("table posts : row_invalid at posts - id");
  expect(failed).toBe(failures(events).length);
  expect(world.objects.has("posts/p2/index.html")).toBe(false);
  expect(world.shown()).toEqual(await world.scratch());
});

test.for<readonly [string, SQLInputValue]>([
  ["title", "throw"],
  ["slug", "../up"],
])("a page whose %s is bad is tried by every run and fails again", async ([column, value]) => {
  await using world = await smallWorld(2);
  await world.bake();
  world.edit(1, column, value);
  await world.bake();
  const before = world.shown();

  const { failed, changed } = await world.bake();

  expect({ failed, changed }).toEqual({ failed: 1, changed: 0 });
  expect(world.shown()).toEqual(before);
});
