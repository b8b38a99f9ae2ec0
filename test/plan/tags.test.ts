import { expect, test } from "vitest";
import { pageTags } from "../../src/plan/tags.ts";
import { digest, encodeKey } from "../../src/site.ts";
import { kindOf } from "./plan-site.ts";

const KEY = encodeKey([7]);

function short(value: string | Uint8Array): string {
  return digest(value).toString("hex").slice(0, 16);
}

test("a page's tags are its own, its kind's and the declared ones, in that order and in lower case", () => {
  const tags = pageTags(kindOf("row", "post"), KEY, { author: "Ann", topic: 3 });

  expect(tags).toEqual([
    `post-${short(KEY)}`,
    "post",
    `author-${short("Ann")}`,
    `topic-${short("3")}`,
  ]);
});

test.each([
  ["NULL", { author: null, topic: "x" }],
  ["not there", { topic: "x" }],
])("a value that is %s makes no tag", (_, row) => {
  expect(pageTags(kindOf("row", "post"), KEY, row)).toEqual([
    `post-${short(KEY)}`,
    "post",
    `topic-${short("x")}`,
  ]);
});

test("kinds that declare no tags have their own two", () => {
  expect(pageTags(kindOf("single", "home"), KEY, {})).toEqual([`home-${short(KEY)}`, "home"]);
});
