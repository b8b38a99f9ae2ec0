import { ELEMENTS, fits, follow, NOT_EMPTY, type Open, open } from "./allow-list.ts";
import type { Base } from "./links.ts";
import type { Slot } from "./safe-html.ts";
import { closingTag, openingTag, type Tag } from "./tags.ts";

/** Deeper trees are flattened by browsers (Blink: 512) and overflow stacks; ours. */
const MAX_DEPTH = 256;

/** A comment that every parser ends at the same place. */
const COMMENT = /<!--(?:[^-<>]|-(?!-))*-->/y;
/** A lower-case tag whose attributes are quoted or valueless; nothing in them can end it early. */
const TAG =
  /<(\/?)([a-z][a-z0-9]*)((?:[ \t\n]+[A-Za-z_:@][\w:.@-]*(?:[ \t\n]*=[ \t\n]*(?:"[^"<>\v\f\r\0]*"|'[^'"<>\v\f\r\0]*'))?)*)[ \t\n]*(\/?)>/y;
/** Characters and references that only the slow way reads as an HTML parser does. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const ODD_TEXT = /&(?!(?:amp|lt|gt|quot|nbsp|#39);)|>|[\0-\x08\v-\x1f]/;
const BLANK = /^[ \t\n]*$/;
const INKLESS = /^(?:\s|&nbsp;)*$/;

/** An element that is open, with what is needed to take it back. */
interface Frame extends Open {
  readonly end: string | Slot;
  /** How many parts there were before it. */
  readonly start: number;
  /** True once something visible is in it. */
  filled: boolean;
}

interface Scan {
  readonly html: string;
  readonly base: Base;
  /** How far headings move down: 1 when the body has an h1, as the page owns the only one. */
  readonly shift: 0 | 1;
  readonly stack: Frame[];
  readonly ids: Set<string>;
  readonly parts: (string | Slot)[];
  /** HTML made since the last part. */
  text: string;
  /** How far `html` has been taken over or left out. */
  done: number;
}

const ROOT = { tag: "", element: { place: "flow", holds: "flow" }, holds: "flow" } as const;

/**
 * Proves in one pass that a parser makes exactly the listed elements of `html`, in valid places,
 * and writes it in normal form: no comments, unlisted attributes or empty links; headings moved
 * below h1; site-internal references as slots. Undefined when it cannot prove it, which says
 * nothing about `html` but that it needs the slow way.
 *
 * Sound because it accepts only text without `<` or `>`, plain comments, and tags of the
 * allow-list, each closed in turn and standing where the HTML Standard's tree construction
 * neither moves nor closes anything. The tests check that against parse5.
 */
export function proveSafe(html: string, base: Base): (string | Slot)[] | undefined {
  const scan: Scan = {
    html,
    base,
    shift: html.includes("<h1") ? 1 : 0,
    stack: [{ ...ROOT, rank: -1, end: "", start: 0, filled: false }],
    ids: new Set(),
    parts: [],
    text: "",
    done: 0,
  };
  let at = 0;
  while (at < html.length) {
    const next = html.charCodeAt(at) === 0x3c ? markup(scan, at) : characters(scan, at);
    if (next === undefined) return undefined;
    at = next;
  }
  if (scan.stack.length !== 1) return undefined;
  flush(scan, at);
  return scan.parts;
}

function characters(scan: Scan, at: number): number | undefined {
  const found = scan.html.indexOf("<", at);
  const end = found < 0 ? scan.html.length : found;
  const text = scan.html.slice(at, end);
  if (ODD_TEXT.test(text)) return undefined;
  if (BLANK.test(text)) return end;
  const frame = top(scan);
  if (!fits("*", scan.stack)) return undefined;
  follow("*", frame);
  if (!frame.filled) frame.filled = !INKLESS.test(text);
  return end;
}

function markup(scan: Scan, at: number): number | undefined {
  TAG.lastIndex = at;
  const match = TAG.exec(scan.html);
  if (match === null) return comment(scan, at);
  const [, slash, name = "", attributes = "", selfClosing] = match;
  const end = TAG.lastIndex;
  if (slash !== "") {
    if (attributes !== "" || selfClosing !== "") return undefined;
    return closes(scan, name, at, end) ? end : undefined;
  }
  const tag = openingTag(name, attributes, scan);
  if (tag === undefined || (selfClosing !== "" && !tag.isVoid)) return undefined;
  return opens(scan, tag, at, end) ? end : undefined;
}

function comment(scan: Scan, at: number): number | undefined {
  COMMENT.lastIndex = at;
  if (!COMMENT.test(scan.html)) return undefined;
  take(scan, at, COMMENT.lastIndex);
  return COMMENT.lastIndex;
}

function opens(scan: Scan, tag: Tag, at: number, end: number): boolean {
  const { stack } = scan;
  const parent = top(scan);
  const element = ELEMENTS.get(tag.name);
  if (element === undefined || stack.length > MAX_DEPTH || !fits(tag.name, stack)) return false;
  follow(tag.name, parent);
  if (tag.start !== undefined) take(scan, at, end);
  const start = NOT_EMPTY.has(tag.name) ? flush(scan, at) : -1;
  emit(scan, tag.start ?? "");
  if (tag.fills) parent.filled = true;
  if (!tag.isVoid) {
    stack.push({ ...open(tag.name, element, parent), end: tag.end, start, filled: false });
  }
  return true;
}

function closes(scan: Scan, name: string, at: number, end: number): boolean {
  const frame = top(scan);
  if (frame.tag !== name || scan.stack.length === 1) return false;
  const { first } = frame.element;
  if (first !== undefined && frame.rank === -1) return false;
  scan.stack.pop();
  if (frame.start >= 0 && !frame.filled) {
    take(scan, at, end);
    scan.parts.length = frame.start;
    scan.text = "";
    return true;
  }
  top(scan).filled ||= frame.filled;
  if (frame.end === closingTag(name)) return true;
  take(scan, at, end);
  emit(scan, frame.end);
  return true;
}

/** Takes over the input up to `until` and leaves out what is between that and `next`. */
function take(scan: Scan, until: number, next: number): void {
  scan.text += scan.html.slice(scan.done, until);
  scan.done = next;
}

function emit(scan: Scan, piece: string | Slot): void {
  if (typeof piece === "string") scan.text += piece;
  else {
    flush(scan, scan.done);
    scan.parts.push(piece);
  }
}

/** Ends the current part at `until`; returns how many there are. */
function flush(scan: Scan, until: number): number {
  if (until > scan.done) take(scan, until, until);
  if (scan.text !== "") scan.parts.push(scan.text);
  scan.text = "";
  return scan.parts.length;
}

function top(scan: Scan): Frame {
  const frame = scan.stack[scan.stack.length - 1];
  if (frame === undefined) throw new Error("The scanner's stack is never empty.");
  return frame;
}
