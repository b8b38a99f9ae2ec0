import { describe, expect, test } from "vitest";
import { routeName } from "../../src/plan/read-names.ts";
import { changedRead, decodeTrace, encodeTrace, usesOf } from "../../src/plan/trace.ts";
import { digestOf, type RecordedRead } from "../../src/site.ts";

function read(key: string, value: unknown): RecordedRead {
  return { key, digest: digestOf(value) };
}

const READS = [read("template:post", 1), read("row:posts/1", { title: "A" })];
const REFS = [
  { route: "/a/", exists: true },
  { route: "/b/", exists: false },
];

test("a trace holds the digests, the shared names and a line for each route", () => {
  const uses = [Buffer.of(1, 2, 3), Buffer.of(10)];
  const bytes = encodeTrace({ reads: READS, uses, refs: REFS });

  expect(bytes).toEqual(
    Buffer.concat([
      Buffer.of(2),
      ...READS.map(({ digest }) => digest),
      Buffer.of(2, 3, 1, 2, 3, 1, 10),
      Buffer.from("+/a/\n-/b/"),
    ]),
  );
  expect(decodeTrace(bytes)).toEqual({
    digests: READS.map(({ digest }) => digest),
    uses,
    refs: REFS,
  });
});

test("an empty trace has nothing", () => {
  expect(decodeTrace(new Uint8Array())).toEqual({ digests: [], uses: [], refs: [] });
});

test("a trace may lie anywhere in a larger buffer", () => {
  const bytes = encodeTrace({ reads: READS, uses: [], refs: REFS });
  const larger = new Uint8Array([9, 9, ...bytes, 9]).subarray(2, 2 + bytes.length);

  expect(decodeTrace(larger)).toEqual(decodeTrace(bytes));
});

test("a page is found by what it shares and by the routes its bodies name, each once", () => {
  const name = routeName("/a/");
  const all = usesOf({ uses: [name, Buffer.of(0xff)], refs: REFS });

  expect([...all.values()]).toEqual([name, Buffer.of(0xff), routeName("/b/")]);
});

describe("what changed in a trace", () => {
  const stored = decodeTrace(encodeTrace({ reads: READS, uses: [], refs: [] }));
  const [template, row] = READS as [RecordedRead, RecordedRead];

  test("is nothing while all digests are as they were", () => {
    expect(changedRead(stored, READS)).toBeUndefined();
  });

  test.each([
    [
      "the first read with another digest",
      [read("template:post", 2), read("row:posts/1", 2)],
      "template:post",
    ],
    [
      "a later one when those before are the same",
      [template, read("row:posts/1", 2)],
      "row:posts/1",
    ],
    [
      "a row that went, as it was recorded",
      [template, read("absent:posts/1", undefined)],
      "row:posts/1",
    ],
    ["a list", [template, read("list:row:x", 2)], "list:row:x"],
    [
      "a row whose key has lines",
      [template, read("absent:posts/a\nb", undefined)],
      "row:posts/a\nb",
    ],
    ["the first of more reads than were recorded", [...READS, row], "template:post"],
    ["the first of fewer", [template], "template:post"],
  ])("is %s", (_, reads, name) => {
    expect(changedRead(stored, reads)).toBe(name);
  });

  test("has no name where nothing is read any more", () => {
    expect(changedRead(stored, [])).toBeUndefined();
  });

  test("is a row that was not there before", () => {
    const reads = [read("absent:people/ann", undefined)];
    const before = decodeTrace(encodeTrace({ reads, uses: [], refs: [] }));

    expect(changedRead(before, [read("row:people/ann", 1)])).toBe("absent:people/ann");
    expect(changedRead(before, reads)).toBeUndefined();
  });
});
