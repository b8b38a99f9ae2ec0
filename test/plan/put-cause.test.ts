import { describe, expect, test } from "vitest";
import { causeNamed, putCause } from "../../src/plan/put-cause.ts";
import type { Step } from "../../src/site.ts";

const READS = ["template:post", "row:posts/1", "absent:people/ann", "list:posts/x#head"].map(
  (key) => ({ key, digest: new Uint8Array() }),
);

function step(reason: string): Step {
  const what = { phase: "changed", action: "update", from: undefined, start: undefined } as const;
  return { kind: "post", key: new Uint8Array(), route: "/a/", ...what, reason };
}

describe("why a page was put, as a number", () => {
  test.each([
    ["absent", 1],
    ["route", 2],
    ["window", 3],
    ["store", 4],
    ["unfinished", 5],
    ["clock:posts/1", 6],
    ["page", 7],
    ["template:other", 8],
    ["asset:style.css", 8],
    ["definition:post", 8],
    ["runtime:node", 8],
    ["row:posts/1", 9],
    ["absent:posts/1", 9],
    ["absent:people/ann", 10],
    ["row:people/ann", 10],
    ["list:posts/x#head", 11],
    ["list:posts/y#head", 0],
    ["asked", 0],
    ["", 0],
  ])("%s is %i", (reason, code) => {
    expect(putCause(step(reason), READS)).toBe(code);
  });

  test("is none for reads that have no number left", () => {
    const reads = Array.from({ length: 60 }, (_, n) => ({
      key: `row:a/${n}`,
      digest: new Uint8Array(),
    }));

    expect(putCause(step("row:a/55"), reads)).toBe(63);
    expect(putCause(step("row:a/56"), reads)).toBe(0);
  });
});

test.each([
  [undefined, undefined],
  [0, undefined],
  [1, "absent"],
  [7, "page"],
  [8, "template:post"],
  [10, "absent:people/ann"],
  [12, undefined],
])("the number %s stands for %s", (code, name) => {
  expect(causeNamed(code, READS)).toBe(name);
});
