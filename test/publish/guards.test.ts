import { expect, test } from "vitest";
import { checkDeletes, checkEmpty } from "../../src/publish/guards.ts";

const check = (
  live: number,
  deletes: number,
  parts: { allowed?: boolean; maxShare?: number } = {},
) => {
  return () => checkDeletes({ live, deletes, allowed: false, ...parts });
};

test.each([
  ["nothing of an empty site", 0, 0],
  ["one of two pages", 2, 1],
  ["half of a small site", 16, 8],
  ["ten of thirty", 30, 10],
  ["a fifth of a large site", 1_000_000, 200_000],
])("allows %s", (_, live, deletes) => {
  expect(check(live, deletes)).not.toThrow();
});

test.each([
  ["the only page", 1, 1],
  ["every page of a demo site", 12, 12],
  ["more than half of a small site", 16, 9],
  ["eleven of thirty", 30, 11],
  ["more than a fifth of a large site", 1_000_000, 200_001],
])("refuses %s", (_, live, deletes) => {
  expect(check(live, deletes)).toThrow(
    expect.objectContaining({
      code: "deletes_refused",
      message: expect.stringContaining(`${deletes} of ${live} live pages`),
      hint: expect.stringContaining("--allow-deletes"),
    }),
  );
});

test("the operator may allow any share, and a site its own", () => {
  expect(check(12, 12, { allowed: true })).not.toThrow();
  expect(check(100, 40, { maxShare: 0.4 })).not.toThrow();
  expect(check(100, 100, { maxShare: 1 })).toThrow(/99 are allowed/);
});

test("names every table that became empty", () => {
  expect(() => checkEmpty([])).not.toThrow();
  expect(() => checkEmpty(["articles", "users"])).toThrow(
    expect.objectContaining({
      code: "source_empty",
      message: expect.stringContaining("articles, users"),
      problems: [
        expect.objectContaining({ place: "articles" }),
        expect.objectContaining({ place: "users" }),
      ],
    }),
  );
});
