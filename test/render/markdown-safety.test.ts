import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ELEMENTS } from "../../src/render/allow-list.ts";
import { renderMarkdown } from "../../src/render/markdown.ts";
import { mend } from "../../src/render/mend.ts";
import { proveSafe } from "../../src/render/prove-safe.ts";
import { bodyOf, settleLinks } from "../../src/render/safe-html.ts";
import { dangers, parsedTree, spelledTree } from "./html-tree.ts";
import { VECTORS } from "./vectors.ts";

const SEED = Number(process.env["SEED"] ?? 20_240_601);
const base = { origin: "https://example.com", route: "/a/" };

/** Markup whose mixtures trip parsers: what authors write, next to what moves or hides elements. */
const PIECES = [
  ...["<p>", "</p>", "<div>", "</div>", "<a href='/x'>", '<a href="/y">', "</a>", "<b>", "</b>"],
  ...["<table>", "<tr>", "<td>", "<tbody>", "</td>", "</tr>", "</tbody>", "</table>", "<caption>"],
  ...["<ul>", "<li>", "</li>", "</ul>", "<dl>", "<dd>", "</dl>", "<h1>", "</h1>", "<h2>", "</h2>"],
  ...[
    "<details>",
    "<summary>",
    "</summary>",
    "</details>",
    "<figure>",
    "<figcaption>",
    "</figure>",
  ],
  ...["<svg>", "<math>", "<style>", "</style>", "<select>", "<template>", "<script>", "</script>"],
  ...[
    "<!--",
    "-->",
    "--!>",
    "<![CDATA[",
    "]]>",
    "&#1;",
    "&amp;",
    "&nbsp",
    "javascript:",
    "<pre>\n",
  ],
  ...[
    ' onclick="x"',
    '"',
    "'",
    "<",
    ">",
    "/",
    "=",
    "\n",
    "\n\n",
    "    ",
    "- ",
    "> ",
    "`",
    "*",
    "[x](",
  ],
  ...[
    ")",
    "text",
    "\f",
    "\r",
    "\0",
    "\u2028",
    "<br/>",
    "<hr />",
    "<img src=x>",
    "<input type=checkbox>",
  ],
  ...["<label>", "</label>", "<section>", "</section>", "<ins>", "</ins>", "<code>", "</code>"],
];

/** Everything that must hold of any body, however it came about. */
function check(source: string, exists: boolean): void {
  const { html } = settleLinks(renderMarkdown(source, base), () => exists);
  expect(dangers(html), source).toEqual([]);
  expect(parsedTree(html), source).toBe(spelledTree(html));
  expect(proveSafe(html, base), source).toBeDefined();
}

describe("attacks", () => {
  test.each(VECTORS)("%j", (vector) => {
    for (const source of [vector, `a ${vector} b`, `> - ${vector}`, `<div>${vector}</div>`]) {
      check(source, true);
      check(source, false);
    }
  });

  test("the checks see what is dangerous", () => {
    expect(dangers("<p onclick=a>b<script>c</script>")).toEqual(["onclick=", "<script>"]);
    expect(dangers('<a href="java\tscript:x">y</a>')).toHaveLength(1);
    expect(parsedTree("<p><div></div></p>")).not.toBe(spelledTree("<p><div></div></p>"));
  });
});

describe("the scanner", () => {
  test.each([
    ["elements closed out of order", "<b><i>a</b></i>"],
    ["elements left open", "<b>a"],
    ["an end without a start", "a</b>"],
    ["an attribute twice", '<p title="a" TITLE="b">c</p>'],
    ["an unquoted attribute", "<p title=a>b</p>"],
    ["an attribute without a blank before it", '<p title="a"lang="en">b</p>'],
    ["a quote in the other quotes", "<p title='\"'>a</p>"],
    ["a comment that ends at once", "<!-->a-->"],
    ["a comment with two hyphens", "<!-- a -- b -->"],
    ["upper case", "<P>a</P>"],
    ["an element that closes itself and cannot", "<b/>a"],
    ["an end with attributes", '<b>a</b title="c">'],
    ["an unlisted element", "<svg></svg>"],
    ["a bare less-than sign", "a < b"],
    ["a bare ampersand", "a & b"],
    ["a reference that it does not know", "&eacute;"],
    ["a block in a paragraph", "<p><div>a</div></p>"],
    ["a link in a link", '<a href="/x"><ins><a href="/y">a</a></ins></a>'],
    ["rows without a body", "<table><tr><td>a</td></tr></table>"],
    ["text in a table", "<table>a</table>"],
    ["an address with a reference that hides a colon", '<a href="javascript&colon;a">b</a>'],
    ["an address with a line end", '<a href="java\nscript:a">b</a>'],
    ["an address with a scheme that runs code", '<a href="javascript:a">b</a>'],
  ])("does not prove %s", (_name, html) => {
    expect(proveSafe(html, base)).toBeUndefined();
  });

  test("proves what it has written", () => {
    const html = '<p>a <a href="https://a.org/?b&amp;c" title="d">e</a><br></p>\n<hr>';

    expect(proveSafe(html, base)).toEqual(expect.arrayContaining([expect.any(String)]));
  });
});

describe(`mutations, seed ${SEED}`, () => {
  const mixture = fc
    .array(fc.constantFrom(...PIECES), { maxLength: 24 })
    .map((all) => all.join(""));
  const { nested } = fc.letrec<{ nested: string; all: string }>((tie) => ({
    nested: fc.oneof(
      { maxDepth: 6, depthSize: "large" },
      fc.constantFrom(
        "x",
        " ",
        "<br>",
        '<img src="x">',
        '<input type="checkbox">',
        "<hr>",
        "<col>",
      ),
      fc
        .tuple(fc.constantFrom(...ELEMENTS.keys()), tie("all"))
        .map(([tag, inner]) => `<${tag} title="t" href="/x">${inner}</${tag}>`),
    ),
    all: fc.array(tie("nested"), { maxLength: 3, depthIdentifier: "all" }).map((a) => a.join("")),
  }));
  const mutant = fc
    .tuple(fc.constantFrom(...VECTORS), fc.nat(200), fc.nat(12), fc.constantFrom("", ...PIECES))
    .map(([vector, at, cut, piece]) => vector.slice(0, at) + piece + vector.slice(at + cut));

  test("of Markdown stay safe", { timeout: 60_000 }, () => {
    fc.assert(fc.property(fc.oneof(mixture, mutant), fc.boolean(), check), {
      seed: SEED,
      numRuns: 12_000,
    });
  });

  test("of HTML are proved only when a parser reads them the same way", { timeout: 60_000 }, () => {
    let proofs = 0;
    fc.assert(
      fc.property(fc.oneof(mixture, mutant, nested, nested), (html) => {
        const parts = proveSafe(html, base);
        if (parts === undefined) return;
        proofs++;
        const proved = settleLinks(bodyOf(parts, false), () => true).html;
        expect(dangers(proved)).toEqual([]);
        expect(parsedTree(proved)).toBe(spelledTree(proved));
      }),
      { seed: SEED, numRuns: 20_000 },
    );
    expect(proofs).toBeGreaterThan(1000);
  });

  test("of HTML can be proved once mended", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.oneof(mixture, mutant, nested), (html) => {
        expect(proveSafe(mend(html), base)).toBeDefined();
      }),
      { seed: SEED, numRuns: 12_000 },
    );
  });
});
