import fc from "fast-check";
import Parser, { type MarkdownIt } from "markdown-it";
import { expect, test } from "vitest";
import { quicken } from "../../src/render/commonmark-quick.ts";
import { canonicalJson } from "../../src/site.ts";
import { corpus } from "../corpus.ts";

const [plain, quick] = [parser(), parser()];
quicken(quick);

function parser(): MarkdownIt {
  const md = Parser({ html: true, linkify: true });
  md.linkify.set({ fuzzyLink: false }).add("//", null).add("ftp:", null);
  return md;
}

test("every body of the corpus has the same HTML", { timeout: 120_000 }, async () => {
  for await (const { body_md } of corpus<{ readonly body_md: string }>("articles")) {
    expect(quick.render(body_md)).toBe(plain.render(body_md));
  }
});

test.each([
  "see https://a.org/x, HTTP://B.ORG and MAILTO:c@d.org",
  "write to ann@example.com or ann.example.com",
  "//example.com ftp://example.com",
  "*a **b** c* ~~d~~ `e` ![f](g) [h]: i",
])("%j has the same tokens", (source) => {
  expect(canonicalJson(quick.parse(source, {}))).toBe(canonicalJson(plain.parse(source, {})));
});

test("an address is normalised as ever", () => {
  const seed = Date.now() % 2 ** 31;
  console.info(`seed ${seed}`);
  const piece = fc.oneof(
    fc.constantFrom(
      "http://",
      "https://",
      "HTTPS://",
      "//",
      "/",
      "?",
      "#",
      ".",
      ":",
      "@",
      "%",
      "%4",
      "%41",
    ),
    fc.constantFrom(
      "example",
      "xn--",
      "a".repeat(64),
      "é",
      "A",
      "_",
      "'",
      "[",
      "|",
      " ",
      "\\",
      ";",
    ),
    fc.string({ maxLength: 3 }),
  );
  const address = fc.array(piece, { maxLength: 8 }).map((each) => each.join(""));
  fc.assert(
    fc.property(address, (each) => quick.normalizeLink(each) === plain.normalizeLink(each)),
    { seed, numRuns: 20_000 },
  );
});
