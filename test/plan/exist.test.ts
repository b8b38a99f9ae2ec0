import { describe, expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import type { LivePage } from "../../src/ledger/ledger.ts";
import { BATCH, type PlanContext } from "../../src/plan/context.ts";
import { planExistence, planGoneKind, stepFor } from "../../src/plan/exist.ts";
import { decodeKey, encodeKey, type Kind, keyName } from "../../src/site.ts";
import { idOf, kindOf, NOW, people, put, SITE, telling, told } from "./plan-site.ts";
import { type PlanWorld, planWorld, stepsIn } from "./plan-world.ts";

const PERSON = kindOf("row", "person");
const made = { hash: Buffer.of(1), etag: undefined, bytes: 1, release: 1, trace: Buffer.alloc(2) };

function live(handle: string, parts: Partial<LivePage> = {}): LivePage {
  const where = { route: `/people/${handle}/`, start: undefined, lastmod: undefined };
  return { ...idOf("person", handle), ...where, ...made, ...parts };
}

/** A world with people who have these handles, and pages of those. */
async function worldOf(rows: readonly string[], pages: readonly LivePage[]): Promise<PlanWorld> {
  const world = await planWorld(SITE, NOW);
  put(
    world,
    people,
    rows.map((handle) => ({ handle, name: "N" })),
  );
  await world.ledger.confirm("before", pages);
  return world;
}

/** Plans which pages of people exist; gives the steps in short. */
async function exist(world: PlanWorld, options: Parameters<typeof planExistence>[2] = {}) {
  return await world.plan("exist", async (plain) => {
    const { context, failures } = telling(plain);
    await planExistence(PERSON, context, options);
    const steps = await context.ledger.staged(context.run, { limit: 10_000 });
    const words = steps.map(
      ({ action, key, reason }) => `${action} ${keyName(decodeKey(key))}: ${reason}`,
    );
    return { steps: words, told: told(failures) };
  });
}

function named(count: number, from = 0): readonly string[] {
  return Array.from({ length: count }, (_, n) => `p${String(n + from).padStart(5, "0")}`);
}

describe("what should exist and what is live, side by side", () => {
  test.each([
    ["the same", ["b", "d"], ["b", "d"], []],
    ["nothing", [], [], []],
    ["pages that are missing", ["a", "b", "c", "d"], ["b"], ["create a", "create c", "create d"]],
    ["pages that are gone", ["b"], ["a", "b", "c", "d"], ["delete a", "delete c", "delete d"]],
    [
      "all of one and none of the other",
      ["b", "d"],
      ["a", "c"],
      ["delete a", "create b", "delete c", "create d"],
    ],
    ["no rows any more", [], ["a", "b"], ["delete a", "delete b"]],
    ["no pages yet", ["a", "b"], [], ["create a", "create b"]],
  ])("%s", async (_, rows, pages, steps) => {
    await using world = await worldOf(
      rows,
      pages.map((handle) => live(handle)),
    );

    const found = await exist(world);

    expect(found.steps).toEqual(
      steps.map((step) => `${step}: ${step.startsWith("create") ? "absent" : "gone"}`),
    );
  });

  test.each([BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 1])(
    "whatever the batches: %i",
    async (count) => {
      const rows = named(count);
      await using world = await worldOf(rows, [
        live("a"),
        ...rows.slice(2).map((handle) => live(handle)),
        live("z"),
      ]);
      const batches: number[] = [];

      const { steps } = await exist(world, { onBatch: (pages) => void batches.push(pages) });

      expect(steps).toEqual([
        "delete a: gone",
        ...rows.slice(0, 2).map((handle) => `create ${handle}: absent`),
        "delete z: gone",
      ]);
      expect(batches.reduce((a, b) => a + b, 0)).toBe(count + 2);
    },
  );

  test.each([BATCH - 1, BATCH, 2 * BATCH, 2 * BATCH + 1])(
    "with %i pages and no rows",
    async (count) => {
      await using world = await worldOf(
        [],
        named(count).map((handle) => live(handle)),
      );

      expect((await exist(world)).steps).toHaveLength(count);
    },
  );

  test("many pages between two rows", async () => {
    await using world = await worldOf(
      ["a", "z"],
      named(2 * BATCH + 3).map((handle) => live(handle)),
    );

    expect((await exist(world)).steps).toHaveLength(2 * BATCH + 5);
  });

  test("keeping what is gone, where it is to be kept", async () => {
    await using world = await worldOf(["b"], [live("a")]);

    expect((await exist(world, { keepsGone: true })).steps).toEqual(["create b: absent"]);
  });

  test("leaving pages of bad rows alone, and telling of them", async () => {
    await using world = await worldOf(["../up", "a"], [live("../up"), live("a")]);

    expect(await exist(world)).toEqual({
      steps: [],
      told: ['person/..%2Fup: route_invalid {"table":"people","key":"..%2Fup","column":"handle"}'],
    });
  });

  test("of assets, by their names", async () => {
    await using world = await planWorld(SITE, NOW);
    const asset = (name: string) => ({ name, key: `assets/${name}.2.css`, body: new Uint8Array() });
    const page = (name: string, n: number) => ({
      ...live("x"),
      ...idOf("asset", name),
      route: `/assets/${name}.${n}.css`,
    });
    await world.ledger.confirm("before", [page("a", 1), page("b", 2), page("c", 2)]);

    const steps = await world.plan("exist", async (context) => {
      await planExistence(undefined, { ...context, assets: [asset("a"), asset("b")] });
      return await stepsIn(context);
    });

    expect(steps).toEqual([
      "update asset/a in assets: route, at /assets/a.2.css from /assets/a.1.css, start undefined",
      "delete asset/c in deletes: gone, at /assets/c.2.css from undefined, start undefined",
    ]);
  });
});

describe("the step that a page needs", () => {
  const stepOf = async (
    kind: Kind | undefined,
    difference: Parameters<typeof stepFor>[2],
    parts: Partial<PlanContext> = {},
  ) => {
    await using world = await planWorld(SITE, NOW);
    return await world.plan("step", async (plain) =>
      stepFor(kind, kind?.name ?? "asset", difference, { ...plain, ...parts }),
    );
  };
  const ann = { key: encodeKey(["ann"]), route: "/people/ann/" };
  const step = {
    kind: "person",
    key: ann.key,
    route: ann.route,
    from: undefined,
    start: undefined,
  };

  test("is none when it should not be and is not", async () => {
    expect(await stepOf(PERSON, { found: undefined, live: undefined })).toEqual([]);
  });

  test("is none when it stands where it should", async () => {
    expect(await stepOf(PERSON, { found: ann, live: live("ann") })).toEqual([]);
    const start = encodeKey([1]);
    const found = { ...ann, start: Buffer.from(start) };
    expect(await stepOf(PERSON, { found, live: live("ann", { start }) })).toEqual([]);
  });

  test("deletes one that is gone", async () => {
    expect(await stepOf(PERSON, { found: undefined, live: live("ann") })).toEqual([
      { ...step, phase: "deletes", action: "delete", reason: "gone" },
    ]);
  });

  test("creates one that is missing", async () => {
    const start = encodeKey([1]);

    expect(await stepOf(PERSON, { found: { ...ann, start }, live: undefined })).toEqual([
      { ...step, start, phase: "new", action: "create", reason: "absent" },
    ]);
  });

  test("moves one that is elsewhere", async () => {
    expect(await stepOf(PERSON, { found: ann, live: live("ann", { route: "/old/" }) })).toEqual([
      { ...step, phase: "new", action: "update", reason: "route", from: "/old/" },
    ]);
  });

  test.each([
    ["begins elsewhere", encodeKey([2]), encodeKey([1])],
    ["begins somewhere", encodeKey([2]), undefined],
    ["no longer begins somewhere", undefined, encodeKey([1])],
  ])("updates one that %s", async (_, start, before) => {
    const found = start === undefined ? ann : { ...ann, start };

    expect(await stepOf(PERSON, { found, live: live("ann", { start: before }) })).toEqual([
      { ...step, start, phase: "changed", action: "update", reason: "window" },
    ]);
  });

  test("is none for a page of which nobody knows what is stored, which its trace tells", async () => {
    const unknown = live("ann", { hash: undefined });

    expect(await stepOf(PERSON, { found: ann, live: unknown }, { isStoreTrusted: false })).toEqual(
      [],
    );
  });

  test.each([
    ["nobody knows what is stored", { hash: undefined }, true],
    ["the store is not trusted", {}, false],
  ])("puts an asset again when %s, since it has no trace", async (_, parts, isStoreTrusted) => {
    const difference = { found: ann, live: live("ann", parts) };

    expect(await stepOf(undefined, difference, { isStoreTrusted })).toEqual([
      { ...step, kind: "asset", phase: "assets", action: "update", reason: "store" },
    ]);
    expect(await stepOf(undefined, { found: ann, live: live("ann") })).toEqual([]);
  });

  test("deletes one that fails and whose last good version leads nowhere", async () => {
    const error = new PipelineError("redirect_invalid", "Bad.");
    const found = { key: ann.key, error, isGone: true };
    const parts = { onFailure: () => {} };

    expect(await stepOf(PERSON, { found, live: live("ann") }, parts)).toEqual([
      { ...step, phase: "deletes", action: "delete", reason: "gone" },
    ]);
    expect(await stepOf(PERSON, { found, live: undefined }, parts)).toEqual([]);
  });

  test("is none for one that fails, of which it tells", async () => {
    const failures: unknown[] = [];
    const error = new PipelineError("row_invalid", "Bad.");
    const parts = { onFailure: (failure: unknown) => failures.push(failure) };

    const steps = [
      await stepOf(PERSON, { found: { key: ann.key, error }, live: live("ann") }, parts),
      await stepOf(PERSON, { found: { key: undefined, error }, live: undefined }, parts),
    ];

    expect(steps).toEqual([[], []]);
    expect(failures).toEqual([
      { page: idOf("person", "ann"), error },
      { page: undefined, error },
    ]);
  });
});

test.each([1, BATCH - 1, BATCH, BATCH + 1])(
  "a kind that is gone loses all its %i pages",
  async (count) => {
    await using world = await worldOf(
      [],
      [...named(count).map((handle) => live(handle)), live("a", { kind: "people" })],
    );

    const steps = await world.plan("gone", async (context) => {
      await planGoneKind("person", context);
      return await stepsIn(context);
    });

    expect(steps).toHaveLength(count);
    expect(steps[0]).toBe(
      "delete person/p00000 in deletes: kind, at /people/p00000/ from undefined, start undefined",
    );
  },
);
