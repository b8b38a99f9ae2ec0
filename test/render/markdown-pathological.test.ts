import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { renderMarkdown } from "../../src/render/markdown.ts";
import { settleLinks } from "../../src/render/safe-html.ts";
import { dangers } from "./html-tree.ts";

const base = { origin: "https://example.com", route: "/a/" };
const n = 20_000;

/** Ours: many times what any of them takes on the slowest machine seen. */
const LIMIT_MS = 20_000;

test.each<[string, string]>([
  ["nested quotes", `${"> ".repeat(n)}a`],
  ["nested lists", Array.from({ length: 400 }, (_, i) => `${"  ".repeat(i)}- a`).join("\n")],
  ["list marks on one line", "- ".repeat(n)],
  ["nested emphasis", `${"*a **a ".repeat(n / 2)}b${" a** a*".repeat(n / 2)}`],
  ["unclosed emphasis", "*a _b ".repeat(n)],
  ["many openers, one closer", `${"**a *".repeat(n)}b**`],
  ["nested brackets", `${"[".repeat(n)}a${"]".repeat(n)}`],
  ["unclosed links", "[a](".repeat(n)],
  ["unclosed link targets", "[a](<b".repeat(n)],
  ["nested links", `${"[".repeat(n)}a${"](b)".repeat(n)}`],
  ["images in images", `${"![".repeat(n)}a${"](b)".repeat(n)}`],
  ["backticks of all lengths", Array.from({ length: 400 }, (_, i) => "`".repeat(i)).join("a")],
  ["unclosed raw tags", "<a ".repeat(n)],
  ["nested raw elements", `<div>${"<div><b>".repeat(n)}`],
  ["raw elements closed too often", `<div>${"</b></div>".repeat(n)}`],
  ["formatting across blocks", `<p>${'<b title="x"><i>'.repeat(50)}${"<div>a".repeat(2000)}`],
  ["unclosed comments", "a <!-- ".repeat(n)],
  ["unclosed declarations", "a <!A ".repeat(n)],
  ["unclosed CDATA", "a <![CDATA[ ".repeat(n)],
  ["unclosed processing instructions", "a <? ".repeat(n)],
  ["raw attributes", `<p ${'a="b" '.repeat(n)}>c</p>`],
  ["blanks in a raw tag", `<p ${" ".repeat(n)}x"`],
  ["references without definition", "[a][b] ".repeat(n)],
  ["definitions", Array.from({ length: n / 4 }, (_, i) => `[a${i}]: b`).join("\n")],
  ["footnotes", Array.from({ length: n / 10 }, (_, i) => `[^${i}]\n\n[^${i}]: a\n`).join("\n")],
  ["one footnote used often", `${"[^a] ".repeat(n)}\n\n[^a]: b`],
  ["nested inline footnotes", `${"^[".repeat(n / 10)}a${"]".repeat(n / 10)}`],
  [
    "wide tables with short rows",
    `|${"a|".repeat(2000)}\n|${"-|".repeat(2000)}\n${"|\n".repeat(n)}`,
  ],
  ["character references", "&#x1f600;&amp;&".repeat(n)],
  ["escapes", "\\*".repeat(n)],
  ["bare addresses", "https://a.org ".repeat(n / 4)],
  ["at signs", "a@".repeat(n)],
  ["strikes", "~~a ~".repeat(n)],
  ["task marks", "- [ ] a\n".repeat(n / 4)],
  ["hard breaks", "a  \n".repeat(n)],
])("%s end in time and stay safe", { timeout: 60_000 }, (_name, source) => {
  const startedAt = performance.now();

  const html = rendered(source);

  expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS);
  expect(html.length).toBeLessThan(source.length * 64 + 1_000_000);
  expect(dangers(html)).toEqual([]);
});

/** A body that is refused in time is as good as one that renders. */
function rendered(source: string): string {
  try {
    return settleLinks(renderMarkdown(source, base), () => true).html;
  } catch (error) {
    if (error instanceof PipelineError && error.code === "body_invalid") return "";
    throw error;
  }
}
