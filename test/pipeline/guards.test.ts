import { describe, expect, test } from "vitest";
import type { Wired } from "../../src/pipeline.ts";
import { dumpLedger } from "./ledger-dump.ts";
import { smallWorld } from "./world.ts";

const careful = (wired: Wired) => ({ ...wired, deleteShare: 0.2 });
const refusing = { allowDeletes: false };

describe("a build that would delete more than its share", () => {
  test("refuses before anything changed; with leave it passes", async () => {
    await using world = await smallWorld(30);
    await world.bake();
    const before = [world.shown(), dumpLedger(`${world.site.dir}/ledger.db`)];
    world.sql("DELETE FROM posts WHERE id > 5");

    await expect(world.bake(refusing, careful)).rejects.toMatchObject({ code: "deletes_refused" });
    await expect(world.bake({ ...refusing, isDryRun: true }, careful)).rejects.toMatchObject({
      code: "deletes_refused",
    });
    expect([world.shown(), dumpLedger(`${world.site.dir}/ledger.db`)]).toEqual(before);

    await world.bake({ allowDeletes: true }, careful);

    expect(world.shown()).toEqual(await world.scratch());
  });

  test("may delete a few pages", async () => {
    await using world = await smallWorld(30);
    await world.bake();
    world.sql("DELETE FROM posts WHERE id = 30");

    await world.bake(refusing, careful);

    expect(world.shown()).toEqual(await world.scratch());
  });
});

describe("a table that is empty and was not", () => {
  test("stops the build before anything changed; with leave it passes, once and for all", async () => {
    await using world = await smallWorld(3);
    world.sql("INSERT INTO people VALUES ('ann', 'Ann')");
    await world.bake(refusing);
    const before = [world.shown(), dumpLedger(`${world.site.dir}/ledger.db`)];
    world.sql("DELETE FROM people");

    await expect(world.bake(refusing)).rejects.toMatchObject({
      code: "source_empty",
      problems: [{ place: "people" }],
    });
    expect([world.shown(), dumpLedger(`${world.site.dir}/ledger.db`)]).toEqual(before);

    await world.bake({ allowDeletes: true });
    await world.bake(refusing);

    expect(world.shown()).toEqual(await world.scratch());
  });

  test("passes once and for all also when no page was made of it", async () => {
    await using world = await smallWorld(3);
    world.sql("INSERT INTO people VALUES ('nobody', 'Nobody')");
    await world.bake(refusing);
    world.sql("DELETE FROM people");

    const allowed = await world.bake({ allowDeletes: true });
    const next = await world.bake(refusing);

    expect([allowed.release, next.release]).toEqual([2, undefined]);
  });
});
