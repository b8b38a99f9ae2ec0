import { expect, test } from "vitest";
import { decodeRoute } from "../../src/render/links.ts";
import { renderMarkdown } from "../../src/render/markdown.ts";
import { SafeHtml, settleLinks } from "../../src/render/safe-html.ts";
import { encodeRoute } from "../../src/site.ts";

const base = { origin: "https://example.com", route: "/articles/ramen/" };
const routes = new Set([
  "/about/",
  "/feed.xml",
  "/articles/miso/",
  "/tags/café/",
  "/i.png",
  "/100%/",
]);

function settled(source: string): string {
  return settleLinks(renderMarkdown(source, base), (route) => routes.has(route)).html.trim();
}

test.each([
  ["an existing route stays", "[x](/about/)", '<a href="/about/">x</a>'],
  ["a missing route leaves its text", "[*x*](/nowhere/)", "<em>x</em>"],
  ["a missing slash is added", "[x](/about)", '<a href="/about/">x</a>'],
  ["a file stays a file", "[x](/feed.xml)", '<a href="/feed.xml">x</a>'],
  ["a file does not become a folder", "[x](/feed.xml/)", "x"],
  ["query and fragment stay", "[x](/about?a=1&b=2#c)", '<a href="/about/?a=1&amp;b=2#c">x</a>'],
  ["a relative link is resolved", "[x](../miso/)", '<a href="/articles/miso/">x</a>'],
  ["dots cannot leave the site", "[x](/../../about/)", '<a href="/about/">x</a>'],
  ["the site's own origin is internal", "[x](https://example.com/no/)", "x"],
  [
    "the origin is compared without case",
    "[x](HTTPS://EXAMPLE.com/about/)",
    '<a href="/about/">x</a>',
  ],
  ["another origin stays", "[x](https://a.org/no/)", '<a href="https://a.org/no/">x</a>'],
  [
    "another scheme is another origin",
    "[x](http://example.com/)",
    '<a href="http://example.com/">x</a>',
  ],
  ["two slashes lead away", "[x](//a.org/no/)", '<a href="//a.org/no/">x</a>'],
  ["a fragment stays", "[x](#part)", '<a href="#part">x</a>'],
  ["mailto stays", "[x](mailto:a@b.org)", '<a href="mailto:a@b.org">x</a>'],
  ["tel stays", "[x](tel:+15550100)", '<a href="tel:+15550100">x</a>'],
  ["non-ASCII is encoded", "[x](/tags/café/)", '<a href="/tags/caf%C3%A9/">x</a>'],
  [
    "lower-case encoding is made canonical",
    "[x](/tags/caf%c3%a9)",
    '<a href="/tags/caf%C3%A9/">x</a>',
  ],
  ["a percent sign is itself encoded", "[x](/100%25/)", '<a href="/100%25/">x</a>'],
  ["broken encoding is no route", '<a href="/100%/">x</a>', "x"],
  ["an encoded slash is no route", "[x](/about%2F)", "x"],
  ["an address that is none is unlinked", "[x](http://[/)", "x"],
  ["an existing image stays", "![x](/i.png)", '<img src="/i.png" alt="x">'],
  ["a missing image leaves its alternative text", '![x & "y"](/no.png)', "x &amp; &quot;y&quot;"],
  ["an image is no folder", "![x](/about)", "x"],
  [
    "an image elsewhere stays",
    "![x](https://a.org/i.png)",
    '<img src="https://a.org/i.png" alt="x">',
  ],
  ["an image of a mail address is none", "![x](mailto:a@b.org)", "x"],
  ["a raw link is settled too", '<a href="/no/">x</a> y', "x y"],
  ["blanks in a raw address are encoded", '<a href="/no no/">x</a> y', "x y"],
])("%s", (_name, source, html) => {
  expect(settled(source)).toBe(`<p>${html}</p>`);
});

test("links are decoded, distinct and sorted, and hold both forms of a route without slash", () => {
  const { links } = renderMarkdown(
    "[b](/b) [a](/tags/caf%C3%A9/) [b](/b#x) [c](https://c.org/)",
    base,
  );

  expect(links).toEqual(["/b", "/b/", "/tags/café/"]);
});

test("exists is asked for the body's links only", () => {
  const body = renderMarkdown("[a](/a) ![b](/b.png) [c](https://c.org)", base);
  const asked = new Set<string>();

  settleLinks(body, (route) => asked.add(route) === undefined);

  expect([...asked].sort()).toEqual(body.links);
});

test("a body survives JSON", () => {
  const body = renderMarkdown("# T\n\n[a](/about)", base);

  expect(settleLinks(JSON.parse(JSON.stringify(body)), () => true)).toEqual(
    settleLinks(body, () => true),
  );
  expect(settleLinks(body, () => true)).toBeInstanceOf(SafeHtml);
});

test("a route is encoded and decoded back", () => {
  const route = "/a b/ü!'()*~/50%/\u{1f35c}/%e2/";

  expect(encodeRoute(route)).toBe("/a%20b/%C3%BC%21%27%28%29%2A~/50%25/%F0%9F%8D%9C/%25e2/");
  expect(decodeRoute(encodeRoute(route))).toBe(route);
  expect(encodeRoute("/\ud800/")).toBe("/%EF%BF%BD/");
});
