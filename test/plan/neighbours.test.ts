import { describe, expect, test } from "vitest";
import type { PlanContext } from "../../src/plan/context.ts";
import { neighbours } from "../../src/plan/neighbours.ts";
import type { AnyList, Kind } from "../../src/site.ts";
import { decodeKey, keyName } from "../../src/site.ts";
import { at, byTopic, HOUR, openPosts, post, SITE, stream } from "./plan-site.ts";
import { countedContext } from "./plan-world.ts";

const JAN = at("2024-01-01");

/** The same site, whose posts see so many neighbours. */
function reaching(context: PlanContext, reaches: readonly (readonly [number, number])[]) {
  const reads = reaches.map(([before, after]) => ({
    read: "around" as const,
    list: byTopic as AnyList,
    part: "section",
    at: byTopic.order,
    before,
    after,
  }));
  const kinds = SITE.kinds.map(
    (kind): Kind =>
      kind.is === "row" ? { ...kind, reads: Object.fromEntries(reads.entries()) } : kind,
  );
  return { ...context, site: { ...SITE, kinds } };
}

/** Ids of the posts that have to be looked at when the places of these ids are touched. */
async function near(
  ids: readonly number[],
  reaches: readonly (readonly [number, number])[],
  list: AnyList = byTopic,
) {
  await using world = await openPosts([
    ...Array.from({ length: 9 }, (_, n) => post(n + 1)),
    post(10, { topic: "y", section: "y" }),
  ]);
  return await world.plan("near", async (context) => {
    const places = ids.map((id) => [JAN + id * HOUR, id]);
    const pages = await neighbours({ list, part: "x", places }, reaching(context, reaches));
    return pages.map(({ kind, key }) => `${kind} ${keyName(decodeKey(key))}`);
  });
}

function posts(...ids: readonly number[]): readonly string[] {
  return ids.map((id) => `post ${id}`);
}

// One that sees the next 2 after its own place is looked at from 2 before the place that was touched.
describe("pages near a touched place are looked at", () => {
  test.each([
    ["as far as one sees on each side", [[2, 1]], [5], posts(4, 5, 6, 7)],
    [
      "as far as the widest reader sees",
      [
        [2, 0],
        [0, 3],
        [1, 1],
      ],
      [5],
      posts(2, 3, 4, 5, 6, 7),
    ],
    ["only after it, where nobody sees what comes after", [[2, 0]], [5], posts(5, 6, 7)],
    ["only before it, where nobody sees what came before", [[0, 2]], [5], posts(3, 4, 5)],
    ["up to the partition's ends", [[3, 3]], [1], posts(1, 2, 3, 4)],
    ["up to its other end", [[3, 3]], [9], posts(6, 7, 8, 9)],
    ["also around a place where nothing is any more", [[1, 1]], [0], posts(1)],
    ["around each of several", [[1, 0]], [2, 6], posts(2, 3, 6, 7)],
    ["and none where none was touched", [[1, 1]], [], []],
  ] as const)("%s", async (_, reaches, ids, found) => {
    expect((await near([...ids], reaches)).toSorted()).toEqual([...found].toSorted());
  });

  test("not for a list whose neighbours nobody reads, which costs nothing", async () => {
    await using world = await openPosts([post(1)]);
    const counts = new Map<string, number>();

    const found = await world.plan("near", (context) =>
      neighbours(
        { list: stream, part: undefined, places: [[JAN, 1]] },
        countedContext(context, counts),
      ),
    );

    expect(found).toEqual([]);
    expect(counts.size).toBe(0);
    expect(await near([1], [], byTopic)).toEqual([]);
  });
});
