import type { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  appendOnly,
  byMonth,
  byYear,
  defineSite,
  instant,
  int,
  list,
  listPage,
  newest,
  oneOf,
  page,
  path,
  table,
  text,
} from "../../src/index.ts";
import type { Site } from "../../src/site.ts";
import {
  applyPlan,
  applyRows,
  countedContext,
  finishPlan,
  type PlanWorld,
  planRows,
  planWorld,
  stepsIn,
} from "./plan-world.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 8);
const DAY = 86_400_000_000;
const START = Date.UTC(2020, 0, 1) * 1000;
const DAYS = 1500;
/** So far are two entries apart. */
const DAYS_EACH = 0.3;
const NOW = START + DAYS * DAY;

const entries = table("entries", {
  key: "id",
  columns: {
    id: int(),
    part: text({ max: 9 }),
    title: text(),
    status: oneOf("draft", "published"),
    at: instant(),
  },
});

const visible = { show: { status: "published" }, from: "at" } as const;
const order = ["at", "id"] as const;
const see = ["title"] as const;
const stream = list(entries, {
  ...visible,
  name: "stream",
  order,
  see,
  head: 5,
  cut: appendOnly({ max: 10 }),
});
const years = list(entries, {
  ...visible,
  name: "years",
  order,
  see,
  head: 5,
  cut: byYear("at", { max: 10 }),
});
const byPart = list(entries, {
  ...visible,
  by: "part",
  order,
  see,
  head: 5,
  cut: byMonth("at", { max: 4 }),
});
const numbered = list(entries, {
  name: "numbered",
  by: "part",
  order,
  see,
  head: 1,
  cut: appendOnly({ max: 9 }),
});

const months = {
  part: listPage(byPart, { route: (part) => path`/parts/${part}/`, template: "list" }),
};
const calendars = {
  ...months,
  years: listPage(years, { route: () => path`/years/`, template: "list" }),
};
const numbers = {
  stream: listPage(stream, { route: () => path`/stream/`, template: "list" }),
  numbered: listPage(numbered, { route: (part) => path`/numbered/${part}/`, template: "list" }),
  home: page({ route: "/", reads: { latest: newest(stream, 3) }, template: "home" }),
};

function siteOf(pages: Parameters<typeof defineSite>[0]["pages"]): Site {
  return defineSite({ origin: "https://small.example", title: "Small", pages });
}

interface Entry {
  readonly part: string;
  readonly title: string;
  readonly status: string;
  readonly at: number;
}

const entry: fc.Arbitrary<Entry> = fc.record({
  part: fc.constantFrom("a", "b", "c", "rare", "e f"),
  title: fc.constantFrom("One", "Two", "Three"),
  status: fc.constantFrom("published", "published", "published", "draft"),
  // Some are at one moment, and some to come.
  at: fc
    .oneof(fc.integer({ min: 0, max: DAYS + 3 }), fc.constantFrom(700, 701))
    .map((day) => START + day * DAY),
});

/** Inserts, replaces or deletes the row at an id. */
interface Edit {
  readonly id: number;
  readonly entry: Entry | undefined;
}

function editOf(count: number): fc.Arbitrary<Edit> {
  return fc.record({
    id: fc.integer({ min: 1, max: count + 50 }),
    entry: fc.option(entry, { freq: 3, nil: undefined }),
  });
}

function write(database: DatabaseSync, edits: readonly Edit[]): void {
  const put = database.prepare(
    "INSERT OR REPLACE INTO entries (id, part, title, status, at) VALUES (?, ?, ?, ?, ?)",
  );
  const drop = database.prepare("DELETE FROM entries WHERE id = ?");
  for (const { id, entry: row } of edits) {
    if (row === undefined) drop.run(id);
    else put.run(id, row.part, row.title, row.status, row.at);
  }
}

/** A world with `count` entries, three or four a day until now; one in a thousand is in a part of its own. */
async function largeWorld(site: Site, count: number): Promise<PlanWorld> {
  const world = await planWorld(site, NOW);
  const rows = Array.from({ length: count }, (_, n) => ({ id: n + 1, entry: entryAt(n, count) }));
  world.change((database) => write(database, rows));
  await applyRows(world);
  return world;
}

function entryAt(n: number, count: number): Entry {
  return {
    part: n % 1000 === 7 ? "rare" : (["a", "b", "c"][n % 3] ?? "a"),
    title: `Title ${n}`,
    status: n % 50 === 3 ? "draft" : "published",
    at: NOW - Math.floor((count - n) * DAYS_EACH) * DAY,
  };
}

test("after random edits of a list of 5,000 entries the plan is that of a look at every page", async () => {
  const count = 5000;
  await using world = await largeWorld(siteOf({ ...calendars, ...numbers }), count);
  const seed = Number(process.env["SEED"] ?? 20_261_123);
  const rounds = fc.sample(fc.array(editOf(count), { minLength: 1, maxLength: 6 }), {
    seed,
    numRuns: ROUNDS,
  });

  for (const [round, edits] of rounds.entries()) {
    world.change((database) => write(database, edits));
    const all = await world.plan("all", async (context) => {
      await planRows(context, { isVerify: true });
      return await stepsIn(context);
    });
    await world.plan("some", async (context) => {
      const { notes } = await planRows(context, { isVerify: false });
      expect(await stepsIn(context), `round ${round}: ${JSON.stringify(edits)}`).toEqual(all);
      await applyPlan(context);
      await finishPlan(context, notes);
    });
  }
}, 120_000);

describe("planning costs as many calls in a list of 5,000 entries as in one of 500", () => {
  const middle = (count: number) => Math.floor(count / 2) + 1;
  const edited = (id: number, count: number) => ({
    id,
    entry: { ...entryAt(id - 1, count), title: "Other" },
  });
  const added = (id: number, count: number) => ({
    id: count + 1,
    entry: { ...entryAt(id, count), title: "New" },
  });

  const CASES: Readonly<
    Record<string, readonly [Parameters<typeof siteOf>[0], (count: number) => readonly Edit[]]>
  > = {
    "after an edit in the middle": [
      { ...calendars, ...numbers },
      (count) => [edited(middle(count), count)],
    ],
    "after edits at both ends": [
      { ...calendars, ...numbers },
      (count) => [edited(2, count), edited(count - 9, count)],
    ],
    "after an entry at the end": [
      { ...calendars, ...numbers },
      (count) => [added(count - 1, count)],
    ],
    "after one in the middle of a calendar": [months, (count) => [added(middle(count), count)]],
    "after one that left the middle of a calendar": [
      months,
      (count) => [{ id: middle(count), entry: undefined }],
    ],
  };

  test.each(Object.entries(CASES))("%s", async (_, [pages, edits]) => {
    const calls = async (count: number) => {
      await using world = await largeWorld(siteOf(pages), count);
      world.change((database) => write(database, edits(count)));
      const counts = new Map<string, number>();
      await world.plan("some", async (context) => {
        await planRows(countedContext(context, counts), { isVerify: false });
        expect((await stepsIn(context)).length).toBeGreaterThan(0);
      });
      // Every row is looked at once, in batches.
      for (const name of ["scan", "known"]) counts.delete(name);
      return counts;
    };

    const [few, many] = [await calls(500), await calls(5000)];

    // Windows are found by halving, and the head of a list names all of its archive.
    expect(sum(many)).toBeLessThanOrEqual(sum(few) + 60);
  });
});

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((a, b) => a + b, 0);
}
