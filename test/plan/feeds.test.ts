import fc from "fast-check";
import { expect, test } from "vitest";
import { defineSite, path, rowPage, sitemap, table, text } from "../../src/index.ts";
import type { LivePage } from "../../src/ledger/ledger.ts";
import type { PlanContext } from "../../src/plan/context.ts";
import { deleteStep } from "../../src/plan/exist.ts";
import { planFeeds } from "../../src/plan/feeds.ts";
import { digest, encodeKey } from "../../src/site.ts";
import {
  applyPlan,
  countedContext,
  finishPlan,
  type PlanWorld,
  planWorld,
  stepsIn,
} from "./plan-world.ts";

const rows = table("rows", { key: "id", columns: { id: text({ max: 60 }) } });
const pages = rowPage(rows, { see: [], route: (row) => path`/${row.id}/`, template: "page" });

/** The name of one kind begins like the other's. */
const KINDS = ["page", "pages", "a"] as const;
const MAX = 12;

const site = defineSite({
  origin: "https://small.example",
  title: "Small",
  pages: {
    page: pages,
    pages,
    a: pages,
    sitemap: sitemap({ route: "/sitemap.xml", template: "index", part: "urls", max: MAX }),
  },
});

/** What happens to `count` neighbouring keys of one kind, from a share of all keys on. */
interface Edit {
  readonly kind: (typeof KINDS)[number];
  readonly does: "insert" | "delete" | "move" | "touch" | "empty";
  readonly from: number;
  readonly count: number;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom(...KINDS),
  does: fc.constantFrom("insert", "insert", "delete", "delete", "move", "touch"),
  from: fc.integer({ min: 0, max: 1000 }),
  count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 3 * MAX })),
});

const emptied: fc.Arbitrary<Edit> = edit.map((each) => ({ ...each, does: "empty" }));

/** Pages that are live, by kind and key in hexadecimal. */
type Pages = Map<string, Map<string, LivePage>>;

function live(kind: string, key: Uint8Array, version = 0): LivePage {
  const name = `${kind}/${Buffer.from(key).toString("hex")}`;
  const route = `/${name}/${version > 0 ? `${version}/` : ""}`;
  const made = { start: undefined, hash: digest(name), etag: undefined, bytes: 1, release: 1 };
  return { kind, key, route, ...made, trace: Buffer.of(0, 0), lastmod: version };
}

/** New keys between two, for instance `n0007`, `n0007x`, `n0007xx`; one is empty. */
function keyName(n: number): string {
  return n === 0 ? "" : `n${String(n).padStart(5, "0")}`;
}

/** The pages that appear or change, and those that go. */
function outcome(all: Pages, { kind, does, from, count }: Edit, round: number) {
  const own = [...(all.get(kind) ?? new Map<string, LivePage>()).values()].sort((a, b) =>
    Buffer.compare(a.key, b.key),
  );
  const at = Math.floor((from / 1000) * own.length);
  const some = own.slice(at, at + count);
  if (does === "empty") return { put: [], gone: own };
  if (does === "delete") return { put: [], gone: some };
  if (does === "insert") {
    const base = `${keyName(from * 3)}${"-".repeat(1 + (round % 7))}`;
    const keys = Array.from({ length: count }, (_, n) =>
      encodeKey([`${base}${String(n).padStart(2, "0")}`]),
    );
    return { put: keys.map((key) => live(kind, key, round)), gone: [] };
  }
  const put = some.map((page) =>
    does === "move" ? live(kind, page.key, round) : { ...page, lastmod: round },
  );
  return { put, gone: [] };
}

async function fill(world: PlanWorld, count: number): Promise<Pages> {
  const all: Pages = new Map(KINDS.map((kind) => [kind, new Map()]));
  const made = KINDS.flatMap((kind) =>
    Array.from({ length: Math.ceil(count / KINDS.length) }, (_, n) =>
      live(kind, encodeKey([keyName(n * 3)])),
    ),
  );
  for (const page of made) all.get(page.kind)?.set(hex(page.key), page);
  await world.ledger.confirm("fill", made);
  await world.plan("fill", async (context) => {
    await planFeeds(context, "all");
    await applyPlan(context);
    await finishPlan(context, {});
  });
  return all;
}

/** Makes edits live; gives the keys that changed, and stages the deletes with both runs. */
async function make(world: PlanWorld, all: Pages, edits: readonly Edit[], round: number) {
  const changed = new Map<string, Uint8Array[]>();
  const gone = new Map<string, LivePage>();
  for (const each of edits) {
    const { put, gone: going } = outcome(all, each, round);
    const own = all.get(each.kind);
    for (const page of put) {
      own?.set(hex(page.key), page);
      gone.delete(`${page.kind} ${hex(page.key)}`);
    }
    for (const page of going) {
      own?.delete(hex(page.key));
      gone.set(`${page.kind} ${hex(page.key)}`, page);
    }
    await world.ledger.confirm("edit", put);
    changed.set(each.kind, [...(changed.get(each.kind) ?? []), ...put.map(({ key }) => key)]);
  }
  const deletes = [...gone.values()].map((page) => deleteStep(page, "gone"));
  for (const run of ["all", "some"]) await world.ledger.stage(run, deletes);
  return changed;
}

test("after random changes of 3,000 pages the sitemaps planned are those of a look at all", async () => {
  await using world = await planWorld(site, 0);
  const all = await fill(world, 3000);
  const seed = Number(process.env["SEED"] ?? 20_261_123);
  const numRuns = Number(process.env["ROUNDS"] ?? 15);
  const some = fc.array(edit, { minLength: 1, maxLength: 5 });
  const rounds = fc.sample(
    fc.oneof({ weight: 19, arbitrary: some }, { weight: 1, arbitrary: fc.tuple(emptied) }),
    {
      seed,
      numRuns,
    },
  );

  for (const [at, edits] of rounds.entries()) {
    const keys = await make(world, all, edits, at + 1);
    const wanted = await world.plan("all", async (context) => {
      await planFeeds(context, "all");
      return await stepsIn(context);
    });
    await world.plan("some", async (context) => {
      await planFeeds(context, "touched", keys);
      expect(await stepsIn(context), `round ${at}: ${JSON.stringify(edits)}`).toEqual(wanted);
      await applyPlan(context);
      await finishPlan(context, {});
    });
  }
}, 120_000);

test("one change costs as many calls among 3,000 pages as among 300", async () => {
  const calls = async (count: number) => {
    await using world = await planWorld(site, 0);
    const all = await fill(world, count);
    const change = { kind: "pages", does: "touch", from: 500, count: 1 } as const;
    const keys = await make(world, all, [change], 1);
    const counts = new Map<string, number>();
    const planned = await world.plan("some", async (context: PlanContext) => {
      await planFeeds(countedContext(context, counts), "touched", keys);
      return await stepsIn(context);
    });
    expect(planned).toHaveLength(1);
    return [...counts.values()].reduce((a, b) => a + b, 0);
  };

  expect(await calls(3000)).toBeLessThanOrEqual((await calls(300)) + 20);
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
