import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bucketEnd,
  bucketOf,
  windowCutter,
  windowKey,
  windowName,
  windowOf,
} from "../../src/plan/windows.ts";
import { type AnyList, appendOnly, byDay, byMonth, byYear, encodeKey } from "../../src/site.ts";

const DAY = 86_400_000_000;

function at(iso: string): number {
  return Date.parse(iso) * 1000;
}

function listOf(parts: Partial<AnyList>): AnyList {
  const table = { name: "t", key: ["id"], columns: {}, fill: undefined };
  const empty = { table, visible: {}, see: [], item: undefined, links: {}, name: "l" };
  return {
    ...empty,
    by: "tag",
    order: ["at", "id"],
    head: 2,
    cut: byYear("at", { max: 3 }),
    ...parts,
  };
}

function names(
  list: AnyList,
  places: readonly (readonly [part: string, at: number, id: number])[],
) {
  const next = windowCutter(list);
  return places
    .flatMap(([part, time, id]) => next({ part, order: [time, id] }))
    .map(({ part, archive }) => `${part}#${archive?.name ?? "head"}`);
}

describe("a list is cut into windows", () => {
  test("one that fits on its head has no archive", () => {
    const places = [
      ["a", at("2020-01-01"), 1],
      ["a", at("2021-01-01"), 2],
    ] as const;

    expect(names(listOf({}), places)).toEqual(["a#head"]);
  });

  test("one entry more brings the whole archive", () => {
    const places = [
      ["a", at("2020-01-01"), 1],
      ["a", at("2021-01-01"), 2],
      ["a", at("2021-01-01"), 3],
    ] as const;

    expect(names(listOf({}), places)).toEqual(["a#head", "a#2020", "a#2021"]);
  });

  test("a large bucket is cut again, counted from its oldest entry", () => {
    const places = Array.from({ length: 7 }, (_, id) => ["a", at("2020-01-01") + id, id] as const);

    expect(names(listOf({}), places)).toEqual(["a#head", "a#2020", "a#2020/2", "a#2020/3"]);
  });

  test("appendOnly numbers from the oldest entry", () => {
    const places = Array.from({ length: 5 }, (_, id) => ["a", id * DAY, id] as const);

    expect(names(listOf({ cut: appendOnly({ max: 2 }) }), places)).toEqual([
      "a#head",
      "a#1",
      "a#2",
      "a#3",
    ]);
  });

  test("partitions do not touch each other", () => {
    const places = [
      ["a", 1, 1],
      ["a", 2, 2],
      ["b", 1, 3],
      ["b", 2, 4],
      ["b", 3, 5],
    ] as const;

    expect(names(listOf({}), places)).toEqual(["a#head", "b#head", "b#1970"]);
  });

  test("a list without partitions has one head", () => {
    const next = windowCutter(listOf({ by: undefined }));
    const found = [1, 2].flatMap((id) => next({ part: null, order: [id, id] }));

    expect(found).toEqual([{ part: undefined, archive: undefined, start: undefined }]);
  });
});

test("windows come in the order of their keys, and keys lead back to them", () => {
  const list = listOf({ cut: byMonth("at", { max: 2 }) });
  const entry = fc.tuple(fc.constantFrom("a", "b", "ä", "z"), fc.nat(400));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
      const places = entries
        .map(([part, day], id) => ({ part, order: [day * DAY, id] as const }))
        .sort((x, y) =>
          Buffer.compare(encodeKey([x.part, ...x.order]), encodeKey([y.part, ...y.order])),
        );
      const next = windowCutter(list);
      const found = places.flatMap(next);
      const keys = found.map((window) => encodeKey(windowKey(window)));

      expect([...keys].sort(Buffer.compare)).toEqual(keys);
      for (const { part, archive } of found) {
        expect(windowOf(list, windowKey({ part, archive }))).toEqual({ part, archive });
      }
    }),
  );
});

test.each([
  ["of a partition", listOf({}), { part: "a", archive: undefined }, ["a"]],
  ["of a list that is one", listOf({ by: undefined }), { part: undefined, archive: undefined }, []],
  ["a bucket", listOf({}), archived("a", "2024", 1), ["a", "2024", 1]],
  ["a later part of a bucket", listOf({}), archived("a", "2024", 2), ["a", "2024", 2]],
  ["a bucket of one list", listOf({ by: undefined }), archived(undefined, "2024", 3), ["2024", 3]],
  ["a number", listOf({ cut: appendOnly() }), archived("a", undefined, 12), ["a", 12]],
])("the window %s has its key, and the key leads back", (_, list, window, key) => {
  expect(windowKey(window)).toEqual(key);
  expect(windowOf(list, key)).toEqual(window);
});

test("windows are cut with the place of their first entry", () => {
  const list = listOf({ by: undefined, head: 1, cut: appendOnly({ max: 2 }) });
  const next = windowCutter(list);
  const at = [
    [1, 1],
    [2, 2],
    [3, 3],
  ] as const;
  const [one, two, three] = at.map((order) => next({ part: null, order }));

  expect(one).toEqual([{ part: undefined, archive: undefined, start: undefined }]);
  expect(two).toEqual([{ ...archived(undefined, undefined, 1), start: [1, 1] }]);
  expect(three).toEqual([{ ...archived(undefined, undefined, 2), start: [3, 3] }]);
});

test("a bucket after another begins to count anew, and so does the next partition", () => {
  const days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04", "2021-01-01"];
  const places = ["a", "b"].flatMap((part) => days.map((day, id) => [part, at(day), id] as const));

  expect(names(listOf({}), places)).toEqual(
    ["a", "b"].flatMap((part) =>
      ["head", "2020", "2020/2", "2021"].map((name) => `${part}#${name}`),
    ),
  );
});

function archived(part: string | undefined, bucket: string | undefined, n: number) {
  return { part, archive: { name: windowName(bucket, n), bucket, n } };
}

test.each([
  ["year", "2024", "2025-01-01"],
  ["month", "2024-12", "2025-01-01"],
  ["month", "2024-02", "2024-03-01"],
  ["day", "2024-02-29", "2024-03-01"],
] as const)("the %s %s ends where the next begins", (unit, bucket, end) => {
  expect(bucketEnd(unit, bucket)).toBe(at(end));
});

test("an instant falls into the bucket of its UTC day", () => {
  expect(bucketOf(byYear("at"), at("2024-12-31T23:59:59.999Z") + 999)).toBe("2024");
  expect(bucketOf(byMonth("at"), at("2025-01-01T00:00:00Z"))).toBe("2025-01");
  expect(bucketOf(byMonth("at"), at("1969-12-31T23:59:59Z"))).toBe("1969-12");
  expect(bucketOf(byDay("at"), at("1970-01-01T00:00:00Z") - 1)).toBe("1969-12-31");
  expect(bucketOf(appendOnly(), 1)).toBeUndefined();
});
