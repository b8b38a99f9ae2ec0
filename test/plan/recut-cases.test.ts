import { describe, expect, test } from "vitest";
import { recut, touchWindows } from "../../src/plan/recut.ts";
import { Touched } from "../../src/plan/touched.ts";
import { decodeKey, encodeKey, type Key, keyName, type Row } from "../../src/site.ts";
import {
  at,
  byTopic,
  drop,
  HOUR,
  idOf,
  kindOf,
  openLists,
  post,
  posts,
  put,
  stream,
  telling,
  told,
} from "./plan-site.ts";
import { countedContext, type PlanWorld } from "./plan-world.ts";

const JAN = at("2024-01-01");
const OLD = at("2023-01-01");

type Name = "topic" | "stream";

function upTo(count: number): readonly Row[] {
  return Array.from({ length: count }, (_, n) => post(n + 1));
}

/** Posts of the year before, an hour apart. */
function old(...ids: readonly number[]): readonly Row[] {
  return ids.map((id) => post(id, { at: OLD + id * HOUR }));
}

function placeOf(row: Row): Key {
  return [Number(row["at"]), Number(row["id"])];
}

/** Cuts the lists that these rows are in where they are; gives the steps in words. */
async function cut(
  world: PlanWorld,
  name: Name,
  rows: readonly Row[],
  part = "x",
  counts = new Map<string, number>(),
) {
  const kind = kindOf("list", name);
  const touched = {
    list: kind.list,
    part: name === "topic" ? part : undefined,
    places: rows.map(placeOf),
  };
  return await world.plan("cut", async (context) => {
    const steps = await recut(kind, touched, countedContext(context, counts));
    return steps.map(({ action, key, start, reason }) => {
      const [, id] = start === undefined ? [] : decodeKey(start);
      return `${action} ${keyName(decodeKey(key))}: ${reason}${id === undefined ? "" : ` from ${id}`}`;
    });
  });
}

const CHECK = { topic: "list:posts_by_topic", stream: "list:stream" };

interface Case {
  readonly before: readonly Row[];
  readonly put?: readonly Row[];
  readonly drop?: readonly Row[];
  readonly topic: readonly string[];
  readonly stream: readonly string[];
}

/** Windows hold three; `check …` is short for a check because of the list. */
const CASES: Readonly<Record<string, Case>> = {
  "after an edit the window with its place is looked at": {
    before: upTo(9),
    put: [post(5, { title: "Other" })],
    topic: ["check x,2024,2 from 4"],
    stream: ["check 2 from 4"],
  },
  "after an edit of the last entry on the head page it is looked at, too": {
    before: upTo(9),
    put: [post(8, { title: "Other" })],
    topic: ["check x", "check x,2024,3 from 7"],
    stream: ["check ", "check 3 from 7"],
  },
  "after an edit of the first entry that is not there it is not": {
    before: upTo(9),
    put: [post(7, { title: "Other" })],
    topic: ["check x,2024,3 from 7"],
    stream: ["check 3 from 7"],
  },
  "after edits far apart the windows between are not looked at": {
    before: upTo(12),
    put: [post(2, { title: "Other" }), post(11, { title: "Other" })],
    topic: ["check x", "check x,2024,1 from 1", "check x,2024,4 from 10"],
    stream: ["check ", "check 1 from 1", "check 4 from 10"],
  },
  "after edits in neighbouring windows each is looked at once": {
    before: upTo(9),
    put: [post(3, { title: "Other" }), post(4, { title: "Other" })],
    topic: ["check x,2024,1 from 1", "check x,2024,2 from 4"],
    stream: ["check 1 from 1", "check 2 from 4"],
  },
  "an entry at the end fills its window": {
    before: upTo(5),
    put: [post(6)],
    topic: ["check x", "check x,2024,2 from 4"],
    stream: ["check ", "check 2 from 4"],
  },
  "an entry after a full window makes another": {
    before: upTo(6),
    put: [post(7)],
    topic: ["check x", "check x,2024,2 from 4", "create x,2024,3: absent from 7"],
    stream: ["check ", "check 2 from 4", "create 3: absent from 7"],
  },
  "an entry at the beginning moves all windows of its bucket": {
    before: [...upTo(7), ...old(50, 51, 52, 53)],
    put: [post(0)],
    topic: [
      "update x,2024,1: window from 0",
      "update x,2024,2: window from 3",
      "update x,2024,3: window from 6",
    ],
    stream: ["check 2 from 53", "update 3: window from 2", "update 4: window from 5"],
  },
  "an entry that goes moves those after it, until they fit again": {
    before: [...upTo(9)],
    drop: [post(5)],
    put: [post(8, { title: "Other" })],
    topic: ["check x", "check x,2024,2 from 4", "update x,2024,3: window from 8"],
    stream: ["check ", "check 2 from 4", "update 3: window from 8"],
  },
  "an entry that goes and one that comes leave later windows as they were": {
    before: upTo(9),
    drop: [post(2)],
    put: [post(20, { at: JAN + 2 * HOUR + 1 })],
    topic: ["check x,2024,1 from 1"],
    stream: ["check 1 from 1"],
  },
  "a window that loses its last entry goes": {
    before: upTo(7),
    drop: [post(7)],
    topic: ["check x", "delete x,2024,3: gone"],
    stream: ["check ", "delete 3: gone"],
  },
  "all windows go that have no entries any more": {
    before: upTo(10),
    drop: [4, 5, 6, 7, 8, 9, 10].map((id) => post(id)),
    topic: ["check x", "delete x,2024,2: gone", "delete x,2024,3: gone", "delete x,2024,4: gone"],
    stream: ["check ", "delete 2: gone", "delete 3: gone", "delete 4: gone"],
  },
  "a bucket that loses its last entry goes": {
    before: [...upTo(4), ...old(50, 51)],
    drop: old(50, 51),
    topic: ["delete x,2023,1: gone"],
    stream: ["update 1: window from 1", "update 2: window from 4"],
  },
  "a bucket appears with its first entry": {
    before: upTo(3),
    put: old(50),
    topic: ["create x,2023,1: absent from 50"],
    stream: ["update 1: window from 50", "create 2: absent from 3"],
  },
  "entries in two buckets touch both": {
    before: [...upTo(4), ...old(50, 51)],
    put: [post(4, { title: "Other" }), ...old(52)],
    topic: ["check x", "check x,2023,1 from 50", "check x,2024,2 from 4"],
    stream: ["check ", "check 1 from 50", "update 2: window from 1", "create 3: absent from 4"],
  },
  "a list that outgrows its head gets its whole archive": {
    before: [post(4), ...old(50)],
    put: upTo(4),
    topic: [
      "check x",
      "create x,2023,1: absent from 50",
      "create x,2024,1: absent from 1",
      "create x,2024,2: absent from 4",
    ],
    stream: ["check ", "create 1: absent from 50", "create 2: absent from 3"],
  },
  "a list that fits on its head loses its archive": {
    before: [...upTo(4), ...old(50)],
    drop: [...upTo(3)],
    topic: ["check x", "delete x,2023,1: gone", "delete x,2024,1: gone", "delete x,2024,2: gone"],
    stream: ["check ", "delete 1: gone", "delete 2: gone"],
  },
  "a list without entries goes": {
    before: upTo(4),
    drop: upTo(4),
    topic: ["delete x: gone", "delete x,2024,1: gone", "delete x,2024,2: gone"],
    stream: ["delete : gone", "delete 1: gone", "delete 2: gone"],
  },
  "a list appears with its first entry": {
    before: [],
    put: upTo(1),
    topic: ["create x: absent"],
    stream: ["create : absent"],
  },
  "a list that was never there is not missed": { before: [], topic: [], stream: [] },
  "a list in which no place was touched has its head looked at": {
    before: upTo(4),
    topic: ["check x"],
    stream: ["check "],
  },
};

function inFull(name: Name, steps: readonly string[]): readonly string[] {
  return steps.map((each) => each.replace(/^check (\S*)/, `check $1: ${CHECK[name]}`));
}

describe.each(Object.entries(CASES))(
  "%s",
  (_, { before, put: changed = [], drop: gone = [], ...wanted }) => {
    test.each(["topic", "stream"] as const)("(%s)", async (name) => {
      await using world = await openLists(before);
      drop(world, ...gone.map(({ id }) => Number(id)));
      put(world, posts, changed);
      const places = [...changed, ...gone].toSorted((a, b) =>
        Buffer.compare(encodeKey(placeOf(a)), encodeKey(placeOf(b))),
      );

      expect(await cut(world, name, places)).toEqual(inFull(name, wanted[name]));
    });
  },
);

test("windows of partitions whose names begin alike are left alone", async () => {
  await using world = await openLists([
    ...upTo(4),
    ...upTo(4).map((row) => ({
      ...row,
      id: Number(row["id"]) + 10,
      slug: `q${row["id"]}`,
      topic: "xx",
    })),
  ]);
  drop(world, 1, 2, 3, 4);

  expect(await cut(world, "topic", upTo(4))).toEqual([
    "delete x: gone",
    "delete x,2024,1: gone",
    "delete x,2024,2: gone",
  ]);
  expect(await cut(world, "topic", [], "xx")).toEqual(inFull("topic", ["check xx"]));
});

test("a head page that is not there is made, wherever the list was touched", async () => {
  await using world = await openLists(upTo(9));
  await world.ledger.retire("gone", [idOf("topic", "x")], {});

  expect(await cut(world, "topic", [post(5)])).toEqual([
    "create x: absent",
    ...inFull("topic", ["check x,2024,2 from 4"]),
  ]);
});

test("an entry at the first instant of a bucket is in that one alone", async () => {
  await using world = await openLists([...upTo(3), post(4, { at: JAN - 1 }), post(5, { at: JAN })]);
  drop(world, 4);

  expect(await cut(world, "topic", [post(4, { at: JAN - 1 })])).toEqual(["delete x,2023,1: gone"]);
});

test("the pages of a partition that makes no route are told of and left alone", async () => {
  await using world = await openLists([]);
  put(
    world,
    posts,
    upTo(3).map((row) => ({ ...row, topic: ".." })),
  );
  const page = { hash: Buffer.of(1), start: undefined, etag: undefined, bytes: 1, release: 1 };
  const recutIt = async () =>
    await world.plan("cut", async (plain) => {
      const { context, failures } = telling(plain);
      const touched = { list: byTopic, part: "..", places: [placeOf(post(3))] };
      const steps = await recut(kindOf("list", "topic"), touched, context);
      return [steps, new Set(told(failures))];
    });

  const failed = new Set([
    'topic/..: route_invalid {"column":"part"}',
    'topic/..,2024,1: route_invalid {"column":"part"}',
  ]);
  expect(await recutIt()).toEqual([[], failed]);
  await world.ledger.confirm("before", [
    { ...idOf("topic", ".."), ...page, route: "/x/", trace: Buffer.alloc(2), lastmod: undefined },
  ]);
  expect(await recutIt()).toEqual([[], failed]);
});

test("an archive of many pages goes as a whole", async () => {
  await using world = await openLists(upTo(100));
  drop(world, ...upTo(100).map(({ id }) => Number(id)));

  const counts = new Map<string, number>();
  const steps = await cut(world, "stream", upTo(1), "x", counts);

  expect(counts.get("live")).toBe(2);
  expect(steps).toEqual([
    "delete : gone",
    ...Array.from({ length: 34 }, (_, n) => `delete ${n + 1}: gone`),
  ]);
});

test("an archive of many pages appears as a whole", async () => {
  await using world = await openLists([]);
  const rows = Array.from({ length: 2001 }, (_, n) => post(n + 1));
  put(world, posts, rows);
  await world.ledger.confirm("head", [
    {
      ...idOf("stream"),
      route: "/stream/",
      hash: Buffer.of(1),
      start: undefined,
      etag: undefined,
      bytes: 1,
      release: 1,
      trace: Buffer.alloc(2),
      lastmod: undefined,
    },
  ]);

  const steps = await cut(world, "stream", rows.slice(0, 1));

  expect(steps).toEqual(
    Array.from({ length: 667 }, (_, n) => `create ${n + 1}: absent from ${1 + 3 * n}`),
  );
});

test("the window of a place is found by halving", async () => {
  await using world = await openLists(upTo(3 * 64));
  const calls = async (id: number) => {
    const counts = new Map<string, number>();
    const steps = await world.plan("cut", (context) =>
      recut(
        kindOf("list", "stream"),
        { list: stream, part: undefined, places: [placeOf(post(id))] },
        countedContext(context, counts),
      ),
    );
    expect(steps.map(({ key }) => decodeKey(key)).at(-1)).toEqual([Math.ceil(id / 3)]);
    return counts.get("pages");
  };

  // Two for the head and the window; the others look for where windows begin.
  const all = [await calls(1), await calls(7), await calls(95), await calls(191)];
  expect(all).toEqual([4, 7, 15, 16]);
});

test("cutting goes on after windows that failed, wherever they last began", async () => {
  await using world = await openLists(upTo(12));
  const failed = { code: "template_failed", message: "", at: "{}" };
  await world.ledger.quarantine([{ ...idOf("stream", 2), ...failed }], []);

  expect(await cut(world, "stream", [post(1)])).toEqual(
    inFull("stream", ["check 1 from 1", "check 2 from 4"]),
  );
});

describe("windows that failed are cut again", () => {
  const touch = async (world: PlanWorld, name: Name, ...keys: readonly Key[]) => {
    const touched = new Touched();
    await world.plan("failed", (context) =>
      touchWindows(kindOf("list", name), keys.map(encodeKey), context, touched),
    );
    return touched.take();
  };

  test("from the one before, which is live", async () => {
    await using world = await openLists(upTo(9));

    const places = [placeOf(post(4))];
    expect(await touch(world, "topic", ["x", "2024", 3])).toEqual([
      { list: byTopic, part: "x", places },
    ]);
    expect(await touch(world, "stream", [3])).toEqual([{ list: stream, part: undefined, places }]);
  });

  test("from the oldest entry of their bucket, where none is before", async () => {
    await using world = await openLists([...upTo(4), ...old(50)]);
    put(world, posts, [post(0)]);

    expect(await touch(world, "topic", ["x", "2024", 1])).toEqual([
      { list: byTopic, part: "x", places: [placeOf(post(0))] },
    ]);
  });

  test("from the last one before that did not fail", async () => {
    await using world = await openLists(upTo(12));
    const failed = { code: "template_failed", message: "", at: "{}" };
    await world.ledger.quarantine([{ ...idOf("stream", 2), ...failed }], []);

    const places = [placeOf(post(1))];
    expect(await touch(world, "stream", [3])).toEqual([{ list: stream, part: undefined, places }]);
    expect(await touch(world, "stream", [2], [3])).toEqual([
      { list: stream, part: undefined, places },
    ]);
  });

  test("not where their bucket has no entries any more, but their list is looked at", async () => {
    await using world = await openLists(upTo(4));

    expect(await touch(world, "topic", ["x", "2020", 1], ["y"])).toEqual([
      { list: byTopic, part: "x", places: [] },
      { list: byTopic, part: "y", places: [] },
    ]);
  });
});
