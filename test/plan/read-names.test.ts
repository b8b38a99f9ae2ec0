import fc from "fast-check";
import { expect, test } from "vitest";
import {
  archiveName,
  countName,
  newestName,
  partName,
  placeBounds,
  placeName,
  readName,
  routeName,
} from "../../src/plan/read-names.ts";
import { decodeTrace, encodeTrace, usesOf } from "../../src/plan/trace.ts";
import { encodeKey } from "../../src/site.ts";

const part = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom("", "a", "A", "a/b", "a,b"),
  fc.integer(),
);
const long = fc.nat(400).map((length) => "日".repeat(length));
const order = fc.tuple(fc.oneof(fc.string(), long), fc.integer());

test("names of places order like the places, and lie between the bounds of their partition", () => {
  fc.assert(
    fc.property(part, order, order, (of, a, b) => {
      const { from, to } = placeBounds("l", of);
      const [first, second] = [a, b].map((each) => placeName("l", of, each)) as [Buffer, Buffer];
      const places = Math.sign(Buffer.compare(encodeKey(a), encodeKey(b)));
      const names = Math.sign(Buffer.compare(first, second));

      // Two that are equal for a very long time share a name.
      expect([places, 0]).toContain(names);
      expect(Buffer.compare(from, first)).toBe(-1);
      expect(Buffer.compare(first, to)).toBe(-1);
    }),
  );
});

test("places of other lists and partitions lie elsewhere", () => {
  const { from, to } = placeBounds("l", "a");
  const others = [placeName("l", "b", [1]), placeName("m", "a", [1]), placeName("l", "", [1])];

  for (const name of others) {
    expect(Buffer.compare(name, from) < 0 || Buffer.compare(name, to) > 0).toBe(true);
  }
});

test("names of all sorts come back from a trace, whatever their length", () => {
  fc.assert(
    fc.property(part, order, (of, at) => {
      const uses = [
        readName("row:users/ann"),
        placeName("l", of, at),
        newestName("l", of),
        archiveName("k", of),
      ];
      const refs = [{ route: "/a/", exists: true }];

      const stored = decodeTrace(encodeTrace({ reads: [], uses, refs }));

      expect(stored).toEqual({ digests: [], uses, refs });
      expect([...usesOf(stored).values()]).toEqual([...uses, routeName("/a/")]);
    }),
  );
});

test("a read's name is a digest of what it is of, an alike one for each sort", () => {
  expect(newestName("l", "a/b")).toEqual(readName("newest:l/a%2Fb"));
  expect(countName("l", 3)).toEqual(readName("count:l/3"));
  expect(archiveName("k", undefined)).toEqual(readName("archive:k/"));
  expect(routeName("/a/")).toEqual(readName("page:/a/"));
});

test.each([
  ["a list that is one", undefined, ""],
  ["a page in none", null, ""],
  ["text", "a/b,c", "a%2Fb%2Cc"],
  ["a number", 7, "7"],
])("the partition of %s has its name", (_, part, name) => {
  expect(partName(part)).toBe(name);
});

test("reads of different sorts have different names", () => {
  const names = [
    readName("row:a/1"),
    newestName("a", "1"),
    archiveName("a", "1"),
    routeName("/a/1"),
    newestName("a", undefined),
    newestName("a/1", undefined),
    newestName("a", "1,2"),
  ];

  expect(new Set(names.map((name) => name.toString("hex"))).size).toBe(names.length);
});
