import { HtmlValidate } from "html-validate";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";
import { beforeAll, expect, test } from "vitest";
import { commonmark, toHtml } from "../../src/render/commonmark.ts";
import { renderMarkdown } from "../../src/render/markdown.ts";
import { proveSafe } from "../../src/render/prove-safe.ts";
import { bodyOf, settleLinks } from "../../src/render/safe-html.ts";
import { corpus } from "../corpus.ts";
import { dangers, parsedTree, spelledTree } from "./html-tree.ts";

const base = { origin: "https://example.com", route: "/a/" };
const md = commonmark();
const validator = new HtmlValidate({ root: true, extends: ["html-validate:standard"] });

let sources: string[] = [];

beforeAll(async () => {
  const articles = corpus<{ readonly body_md: string }>("articles");
  sources = await Array.fromAsync(articles, ({ body_md }) => body_md);
});

test("no unsafe construct survives, and a parser reads what is spelled", {
  timeout: 120_000,
}, () => {
  for (const source of sources) {
    const body = renderMarkdown(source, base);
    const { html } = settleLinks(body, (route) => route.endsWith("/"));
    expect(dangers(html)).toEqual([]);
    expect(parsedTree(html)).toBe(spelledTree(html));
  }
});

test("most bodies take the short way", () => {
  const short = sources.filter((source) => proveSafe(toHtml(md, source, 10_000), base));

  const share = short.length / sources.length;
  console.info(`short way: ${(share * 100).toFixed(1)} % of ${sources.length} bodies`);
  expect(share).toBeGreaterThan(0.85);
});

test("a sample, and bodies that were mended, are valid HTML", { timeout: 120_000 }, async () => {
  const sample = sources.filter(
    (source, index) =>
      source.length < 20_000 && (index % 25 === 0 || !proveSafe(toHtml(md, source, 10_000), base)),
  );
  for (const source of sample.slice(0, 400)) {
    for (const exists of [true, false]) {
      const { html } = settleLinks(renderMarkdown(source, base), () => exists);
      const report = await validator.validateString(page(html));
      expect(report.results.flatMap(({ messages }) => messages.map((m) => m.message))).toEqual([]);
    }
  }
});

/** Neither raw HTML, which differs by policy, nor what GFM has beyond us: bare hosts and mail. */
const BEYOND = /<|www\.|\S@\S/;

test("micromark reads the same in bodies without raw HTML", { timeout: 120_000 }, () => {
  const sample = sources.filter((s) => s.length < 20_000 && !BEYOND.test(s)).slice(0, 600);
  const same = sample.filter((source) => tree(ours(source)) === tree(theirs(source)));

  const share = same.length / sample.length;
  console.info(`same as micromark: ${(share * 100).toFixed(1)} % of ${sample.length} bodies`);
  expect(share).toBeGreaterThan(0.9);
});

function page(html: string): string {
  const head = '<!doctype html><html lang="en"><head><title>x</title></head>';
  return `${head}<body><main>${html}</main></body></html>`;
}

function ours(source: string): string {
  return settleLinks(renderMarkdown(source, base), () => true).html;
}

/** micromark's HTML in the same normal form as ours. */
function theirs(source: string): string {
  const html = micromark(source, { extensions: [gfm()], htmlExtensions: [gfmHtml()] });
  const parts = proveSafe(html.replace(/<(t[hd]) align="(\w+)"/g, '<$1 class="align-$2"'), base);
  return settleLinks(bodyOf(parts ?? [], false), () => true).html;
}

/** The parsed tree without the white space that no reader sees. */
function tree(html: string): string {
  return parsedTree(html.replaceAll("<s>", "<del>").replaceAll("</s>", "</del>"))
    .replaceAll(/"(?:\\n| )*"/g, "")
    .replaceAll(/(?:\\n| )+/g, " ");
}
