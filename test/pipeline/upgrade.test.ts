import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { TO_THIRD_SCHEMA } from "../ledger/third-schema.ts";
import { smallWorld } from "./world.ts";

test("a ledger of an earlier schema: the next run looks at every page and puts what changed", async () => {
  await using world = await smallWorld(6);
  await world.bake();
  await world.rest();
  {
    using database = new DatabaseSync(`${world.site.dir}/ledger.db`);
    for (const statement of TO_THIRD_SCHEMA) database.exec(statement);
  }
  world.edit(2, "title", "New");

  const first = await world.bake({ targets: ["post:6"] });

  expect(first.rendered).toBeGreaterThan(first.changed);
  expect(world.shown()).toEqual(await world.scratch());

  world.sql("UPDATE people SET name = 'Anna' WHERE handle = 'ann'");
  const second = await world.bake({ targets: ["people:ann"] });

  expect(second.rendered).toBe(second.changed);
  expect(world.shown()).toEqual(await world.scratch());
});
