import { readFile } from "node:fs/promises";
import { HtmlValidate } from "html-validate";
import { beforeAll, describe, expect, test } from "vitest";
import { filesBelow, loadAssets } from "../../src/render/assets.ts";
import { loadTemplates, type Templates } from "../../src/render/templates.ts";
import { FILES, SAMPLES } from "./template-samples.ts";

const NAMES = [
  "article",
  "listing",
  "activity",
  "home",
  "content",
  "404",
  "robots",
  "sitemap-index",
  "sitemap",
];
const validator = new HtmlValidate({
  extends: ["html-validate:standard", "html-validate:document", "html-validate:a11y"],
  // Titles are the authors'; how much of one a search engine shows is theirs to weigh.
  rules: { "long-title": "off", "require-sri": ["error", { target: "crossorigin" }] },
});
let templates: Templates;

beforeAll(async () => {
  const assets = await loadAssets("content/assets");
  templates = await loadTemplates({ dir: "templates", assets, names: NAMES });
});

describe("the theme", () => {
  test.each(Object.entries(SAMPLES))("makes a valid page of %s", async (_, [template, data]) => {
    const html = templates.render(template, data);

    const report = await validator.validateString(html);

    expect(report.results.flatMap((each) => each.messages)).toEqual([]);
    expect(html.match(/<h1[\s>]/g)).toHaveLength(1);
    expect(html).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
    expect(html).not.toContain("<script");
  });

  test("makes robots.txt with and without a sitemap", () => {
    const full = templates.render("robots", FILES.robots);
    const bare = templates.render("robots", { ...FILES.robots, sitemap: undefined });

    expect(full).toBe("User-agent: *\nAllow: /\n\nSitemap: https://example.com/sitemap.xml\n");
    expect(bare).toBe("User-agent: *\nAllow: /\n");
  });

  test("makes sitemaps with absolute, encoded addresses", () => {
    const index = templates.render("sitemap-index", FILES["sitemap-index"]);
    const urls = templates.render("sitemap", FILES.sitemap);

    expect(index).toContain("<sitemap><loc>https://example.com/sitemaps/0.xml</loc></sitemap>");
    expect(urls).toContain(
      "<loc>https://example.com/articles/caf%C3%A9%20%26%20co/</loc><lastmod>2024-03-12T09:30:05Z</lastmod>",
    );
    expect(urls).toContain("<url><loc>https://example.com/</loc></url>");
  });

  test("holds no character that would make every page two bytes wide", async () => {
    const files = await filesBelow("templates");

    const sources = await Promise.all(files.map((file) => readFile(`templates/${file}`, "utf8")));

    // biome-ignore lint/suspicious/noControlCharactersInRegex: Latin-1 is what is asked for.
    for (const source of sources) expect(source).toMatch(/^[\u0000-\u00ff]*$/);
  });

  test("isolates and escapes what authors write", () => {
    const [template, data] = SAMPLES["an article titled in nasty way 0"] ?? ["", {}];

    const html = templates.render(template, data);

    expect(html).toContain(
      '<h1 dir="auto">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;quotes&#39; &amp;amp; &lt;/title&gt;</h1>',
    );
  });
});
