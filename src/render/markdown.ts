import { PipelineError } from "../error.ts";
import { commonmark, toHtml } from "./commonmark.ts";
import type { Base } from "./links.ts";
import { mend } from "./mend.ts";
import { proveSafe } from "./prove-safe.ts";
import { type Body, bodyOf } from "./safe-html.ts";

/** Changes with whatever changes the HTML of an unchanged body; part of cache keys. */
export const MARKDOWN_POLICY = "1";

/** Ours: the longest source in UTF-16 code units; a MySQL MEDIUMTEXT holds as many bytes. */
export const MAX_SOURCE = 16 * 1024 * 1024;

/** Ours, for parsing: a real body takes 1 ms, the longest of 850 KB 150 ms. */
const DEADLINE_MS = 10_000;

/** Characters that neither HTML nor XML may hold; tab and line ends stay. */
const UNWANTED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufeff\ufffe\uffff]/g;

const parser = commonmark();

/**
 * Renders Markdown (GFM, footnotes, raw HTML of the allow-list) to a body that is safe whatever
 * the source says. Pure but for the clock that ends a body which takes too long.
 *
 * Headings move down one level when the body has an h1, since the page owns the only one. Ids are
 * those of footnotes (`fn-1`, `fnref-1-2`); classes are `language-…`, `align-left|center|right`
 * on table cells, `footnotes`, `footnote-ref`, `footnote-back`, `contains-task-list` and
 * `task-list-item`. An empty source gives an empty body.
 * @throws PipelineError `body_invalid` when the source is over `MAX_SOURCE`, takes over ten
 * seconds to parse, or multiplies itself.
 */
export function renderMarkdown(source: string, base: Base): Body {
  if (source.length > MAX_SOURCE) {
    throw new PipelineError("body_invalid", `The body is longer than ${MAX_SOURCE} characters.`);
  }
  const html = toHtml(parser, source.replace(UNWANTED, "").toWellFormed(), DEADLINE_MS);
  const place = watched(base);
  const parts = proveSafe(html, place.base) ?? proveSafe(mend(html), place.base);
  if (parts !== undefined) return bodyOf(parts, place.wasAsked());
  throw new PipelineError("body_invalid", "The body's HTML could not be proved safe.", {
    hint: "Look for unusual raw HTML in it, and report it: the sanitiser should have mended it.",
  });
}

/** A base that knows whether its route was asked for. */
function watched({ origin, route }: Base): { base: Base; wasAsked: () => boolean } {
  let wasAsked = false;
  const base = {
    origin,
    get route() {
      wasAsked = true;
      return route;
    },
  };
  return { base, wasAsked: () => wasAsked };
}
