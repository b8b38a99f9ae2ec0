import spec from "commonmark-spec";
import { describe, expect, test } from "vitest";
import { commonmark, toHtml } from "../../src/render/commonmark.ts";

/** Examples of CommonMark 0.31.2 that come out otherwise, each on purpose. */
const DIFFERENT = [
  ...[500, 596, 598, 599, 601], // Addresses of schemes but http, https, mailto and tel are text.
  ...[602, 608, 611, 612], // GFM makes bare addresses links.
];

const md = commonmark();

describe("CommonMark 0.31.2", () => {
  test("all examples but the pinned ones come out as the specification says", () => {
    const different = spec.tests
      .filter(({ markdown, html }) => normal(render(markdown)) !== normal(html))
      .map(({ number }) => number);

    expect(spec.tests).toHaveLength(652);
    expect(different).toEqual(DIFFERENT);
  });
});

function render(markdown: string): string {
  return toHtml(md, markdown.replaceAll("→", "\t"), 1000);
}

/** Void elements may be written with a slash or without, empty quotes with a line or without. */
function normal(html: string): string {
  return html
    .replaceAll("→", "\t")
    .replaceAll(" />", ">")
    .replaceAll("<blockquote>\n</", "<blockquote></");
}
