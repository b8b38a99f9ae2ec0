import Parser, {
  type MarkdownIt,
  type RendererRule,
  type StateBlock,
  type StateCore,
  type StateInline,
  type Token,
} from "markdown-it";
import footnotes from "markdown-it-footnote";
import taskLists from "markdown-it-task-lists";
import { PipelineError } from "../error.ts";
import { quicken } from "./commonmark-quick.ts";
import { isSafeAddress } from "./links.ts";

/** Ours: a reference may be used thousands of times, so what each use repeats is bounded. */
const MAX_ADDRESS = 2048;
const MAX_TITLE = 512;
/** Ours: how much longer than its source all addresses and titles of a body may be. */
const MAX_GROWTH = 16;
const FREE_GROWTH = 1_000_000;
/** The clock is read once in so many steps of the parser. */
const STEPS = 512;

/** The clock of one body, passed to the parser's rules in its environment. */
interface Clock {
  readonly endsAt: number;
  steps: number;
}

/**
 * Makes a GFM parser: CommonMark, tables, strikethrough, task lists, footnotes, links from bare
 * `https://…` (not from `example.com`, so `node.js` stays text). Raw HTML passes through: the
 * output is not safe.
 */
export function commonmark(): MarkdownIt {
  const md = Parser({ html: true, linkify: true });
  md.linkify.set({ fuzzyLink: false }).add("//", null).add("ftp:", null);
  quicken(md);
  md.validateLink = (address) => address.length <= MAX_ADDRESS && isSafeAddress(address);
  md.use(footnotes).use(taskLists, { label: true });
  md.core.ruler.push("limits", limits);
  md.inline.ruler.before("text", "clock", tick);
  md.block.ruler.before("table", "clock", tick);
  Object.assign(md.renderer.rules, FOOTNOTES, { th_open: cell, td_open: cell });
  return md;
}

/**
 * Renders `source` to HTML that is not safe yet.
 * @throws PipelineError `body_invalid` when that takes over `deadlineMs`, or when references
 * repeat so much that the HTML would be many times longer than the source.
 */
export function toHtml(md: MarkdownIt, source: string, deadlineMs: number): string {
  const clock: Clock = { endsAt: performance.now() + deadlineMs, steps: 0 };
  return md.render(source, { clock });
}

/** A rule that never matches: it only ends a body that takes too long. */
function tick({ env }: StateBlock | StateInline): boolean {
  const clock = env["clock"] as Clock;
  clock.steps++;
  if (clock.steps % STEPS === 0 && performance.now() > clock.endsAt) {
    throw new PipelineError("body_invalid", "The Markdown takes too long to render.", {
      hint: "Look for thousands of nested or unclosed brackets, quotes or lists.",
    });
  }
  return false;
}

/** Cuts titles and refuses a body whose references add up to far more than its source. */
function limits(state: StateCore): void {
  let room = state.src.length * MAX_GROWTH + FREE_GROWTH;
  for (const { children } of state.tokens) {
    for (const token of children ?? []) if (token.attrs !== null) room -= cut(token);
  }
  if (room >= 0) return;
  throw new PipelineError("body_invalid", "The Markdown repeats long references too often.", {
    hint: "Shorten the addresses and titles of its link definitions.",
  });
}

/** Cuts a token's title; returns the length of its attributes. */
function cut({ attrs }: Token): number {
  let length = 0;
  for (const attribute of attrs ?? []) {
    const value = String(attribute[1]);
    const kept = attribute[0] === "title" ? value.slice(0, MAX_TITLE).toWellFormed() : value;
    attribute[1] = kept;
    length += kept.length;
  }
  return length;
}

/** Writes a cell's side as a class: an inline style would need a laxer content policy. */
const cell: RendererRule = (tokens, index, options, _env, self) => {
  const token = tokens[index];
  const style = token?.attrGet("style");
  if (token !== undefined && style != null) {
    token.attrs = [["class", String(style).replace("text-align:", "align-")]];
  }
  return self.renderToken(tokens, index, options);
};

/** The plugin's ids hold a colon, which selectors and stricter checkers trip over. */
const FOOTNOTES: Readonly<Record<string, RendererRule>> = {
  footnote_ref: (tokens, index) => {
    const { note, use } = numbers(tokens[index]);
    return `<sup class="footnote-ref"><a href="#fn-${note}" id="fnref-${use}">[${note}]</a></sup>`;
  },
  footnote_block_open: () => '<hr>\n<section class="footnotes">\n<ol>\n',
  footnote_open: (tokens, index) => `<li id="fn-${numbers(tokens[index]).note}">`,
  footnote_anchor: (tokens, index) =>
    ` <a class="footnote-back" href="#fnref-${numbers(tokens[index]).use}">\u21a9\ufe0e</a>`,
};

/** A note's number from 1, and the id of one use of it: `2`, then `2-1`, `2-2` … */
function numbers(token: Token | undefined): { note: number; use: string } {
  const { id = 0, subId = 0 }: { id?: number; subId?: number } = token?.meta ?? {};
  const note = id + 1;
  return { note, use: subId === 0 ? `${note}` : `${note}-${subId}` };
}
