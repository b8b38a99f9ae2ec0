import { expect, test } from "vitest";
import { commonmark, toHtml } from "../../src/render/commonmark.ts";
import { MARKDOWN_POLICY, MAX_SOURCE, renderMarkdown } from "../../src/render/markdown.ts";
import { settleLinks } from "../../src/render/safe-html.ts";

const base = { origin: "https://example.com", route: "/a/" };

function html(source: string): string {
  return settleLinks(renderMarkdown(source, base), () => true).html.trim();
}

test.each([
  ["an empty source gives an empty body", "", ""],
  ["strikethrough", "~~a~~", "<p><s>a</s></p>"],
  [
    "a bare address is a link",
    "https://a.org/x",
    '<p><a href="https://a.org/x">https://a.org/x</a></p>',
  ],
  ["a bare host is text", "node.js and //a.org", "<p>node.js and //a.org</p>"],
  [
    "a code block keeps its language",
    "```js\n<b>\n```",
    '<pre><code class="language-js">&lt;b&gt;\n</code></pre>',
  ],
  ["CRLF is a line end", "a\r\n\r\nb", "<p>a</p>\n<p>b</p>"],
  ["NUL, BOM and other controls go", "\ufeffa\0b\u0007\ufffe", "<p>ab</p>"],
  ["a lone surrogate becomes U+FFFD", "a\ud800b", "<p>a\ufffdb</p>"],
  ["U+2028 stays", "a\u2028b", "<p>a\u2028b</p>"],
  ["right-to-left spans stay", '<span dir="rtl">א</span>', '<p><span dir="rtl">א</span></p>'],
  ["an h1 moves all headings down", "# a\n###### b", "<h2>a</h2>\n<h6>b</h6>"],
  ["without an h1 headings stay", "## a", "<h2>a</h2>"],
  ["an empty heading goes", "## \n\na", "<p>a</p>"],
  ["a link around nothing goes", "[](https://a.org) a", "<p> a</p>"],
  ["comments go", "a<!-- b -->c", "<p>ac</p>"],
  ["an aside is a div", "<aside>\n\na\n\n</aside>", "<div>\n<p>a</p>\n</div>"],
  [
    "a cell's side is a class",
    "|a|\n|:-:|",
    '<table>\n<thead>\n<tr>\n<th class="align-center">a</th>\n</tr>\n</thead>\n</table>',
  ],
  ["an image always has alt", '<img src="https://a.org/i">', '<img src="https://a.org/i" alt="">'],
  [
    "a title stands in for a missing alt",
    '![](https://a.org/i "t")',
    '<p><img src="https://a.org/i" alt="t"></p>',
  ],
])("%s", (_name, source, expected) => {
  expect(html(source)).toBe(expected);
});

test.each([
  ["an unclosed element is closed", "<div><em>a", "<div><em>a</em></div>"],
  ["old elements give way to their content", "<center><font color=red>a</font></center>", "a"],
  ["a block in running text ends it", "<p>a<div>b</div>", "<p>a</p><div>b</div>"],
  ["phrasing gives way to blocks inside it", "<b><p>a</p></b>", "<p>a</p>"],
  [
    "stray list items get a list",
    "<div><li>a<li>b</div>",
    "<div><ul><li>a</li><li>b</li></ul></div>",
  ],
  [
    "stray content of a list gets an item",
    "<ul><ul><li>a</li></ul></ul>",
    "<ul><li><ul><li>a</li></ul></li></ul>",
  ],
  [
    "rows get a body",
    "<table><tr><td>a</table>",
    "<table><tbody><tr><td>a</td></tr></tbody></table>",
  ],
  [
    "stray text of a table gets a cell",
    "<table>a</table>",
    "<table><tbody><tr><td>a</td></tr></tbody></table>",
  ],
  [
    "details without a summary get one",
    "<details>a</details>",
    "<details><summary>…</summary>a</details>",
  ],
  [
    "a caption moves to the end of its figure",
    "<figure><figcaption>a</figcaption>b</figure>",
    "<figure>b<figcaption>a</figcaption></figure>",
  ],
  [
    "a nested link gives way",
    '<div><a href="/a">b<div><a href="/c">d</a></div></a></div>',
    '<div><a href="/a">b<div>d</div></a></div>',
  ],
  [
    "frames, scripts and styles go",
    "<div><iframe src=//a></iframe><script>a</script><style>b</style>c</div>",
    "<div>c</div>",
  ],
  [
    "unknown references are text",
    "<div>&foo; &eacute; & b</div>",
    "<div>&amp;foo; é &amp; b</div>",
  ],
  [
    "a second caption becomes a row",
    "<table><caption>a</caption><caption>b</caption></table>",
    "<table><caption>a</caption> <tbody><tr><td>b</td></tr></tbody> </table>",
  ],
])("%s", (_name, source, expected) => {
  expect(html(source)).toBe(expected);
});

test("task lists have labelled, disabled checkboxes", () => {
  expect(html("- [ ] a\n- [x] b")).toBe(
    '<ul class="contains-task-list">\n' +
      '<li class="task-list-item"><label><input type="checkbox" disabled> a</label></li>\n' +
      '<li class="task-list-item"><label><input type="checkbox" disabled checked> b</label></li>\n' +
      "</ul>",
  );
});

test("footnotes have ids of their own, also when used twice", () => {
  const found = html("a[^n] b[^n] c^[d]\n\n[^n]: e");

  expect([...found.matchAll(/id="([^"]*)"/g)].map(([, id]) => id)).toEqual([
    "fnref-1",
    "fnref-1-1",
    "fnref-2",
    "fn-1",
    "fn-2",
  ]);
  expect(found).toContain('<a class="footnote-back" href="#fnref-1-1">');
});

test("ids and classes that are not the renderer's own go, and no id comes twice", () => {
  const source = '<p id="x" class="btn language-js">a</p><p id="fn-1">b</p><p id="fn-1">c</p>';

  expect(html(source)).toBe('<p class="language-js">a</p><p id="fn-1">b</p><p>c</p>');
});

test("one address used thousands of times is refused, a long title is cut", () => {
  const repeated = `[a]: https://a.org/${"x".repeat(2000)}\n\n${"[a] ".repeat(20_000)}`;
  const titled = html(`[a](https://a.org "${"t".repeat(5000)}")`);

  expect(() => renderMarkdown(repeated, base)).toThrow(
    expect.objectContaining({ code: "body_invalid" }),
  );
  expect(titled).toContain(`title="${"t".repeat(512)}"`);
});

test("a body that is too long or takes too long is refused", () => {
  const code = { code: "body_invalid" };

  expect(() => renderMarkdown("a".repeat(MAX_SOURCE + 1), base)).toThrow(
    expect.objectContaining(code),
  );
  expect(() => toHtml(commonmark(), "*a* ".repeat(10_000), -1)).toThrow(
    expect.objectContaining(code),
  );
});

test("the policy has a version", () => {
  expect(MARKDOWN_POLICY).toMatch(/^\d+$/);
});
