/**
 * What an element may stand in: `phrasing` in running text, `flow` between blocks only, `within`
 * only where its parent names it (`li` in `ul`).
 */
type Place = "phrasing" | "flow" | "within";

/** What an element holds: `same` what its parent holds, `only` nothing but its named children. */
export type Holds = "phrasing" | "flow" | "same" | "only" | "nothing";

/** One element of the allow-list with its content model. */
export interface Element {
  readonly place: Place;
  readonly holds: Holds;
  /** The order of named children; `*` stands for all others. Equal ranks may be mixed. */
  readonly ranks?: Readonly<Record<string, number>>;
  /** The child that must come first. */
  readonly first?: string;
  /** Elements it may not be inside of, at any depth. */
  readonly notIn?: readonly string[];
  /** Attributes beside the global ones, each with the values it may have. */
  readonly attributes?: Readonly<Record<string, RegExp>>;
}

/** Ours and bounded, so that no table or list makes a browser lay out millions of cells. */
const COUNT = /^[1-9]\d{0,2}$/;
const PIXELS = /^\d{1,5}$/;
const ORDINAL = /^-?\d{1,9}$/;
const FLAG = /^[a-z]*$/;
/** Text with no character reference but those that markdown-it and the mender write. */
export const TEXT = /^(?:[^&]|&(?:amp|lt|gt|quot|nbsp|#39);)*$/;
/** Addresses have checks of their own, see links.ts. */
const ADDRESS = /^/;

const phrase: Element = { place: "phrasing", holds: "phrasing" };
const paragraph: Element = { place: "flow", holds: "phrasing" };
const block: Element = { place: "flow", holds: "flow" };
const heading: Element = { ...paragraph, notIn: ["th", "dt"] };
const phrasingVoid: Element = { place: "phrasing", holds: "nothing" };
const edit: Element = { place: "phrasing", holds: "same" };
const rows: Element = { place: "within", holds: "only", ranks: { tr: 0 } };
const part: Element = { place: "within", holds: "flow" };
const cell = { colspan: COUNT, rowspan: COUNT };

/**
 * The elements a body may use. No element here makes an HTML parser leave its data state, so
 * nothing can hide in raw text, and neither svg, math, template nor select is among them.
 */
export const ELEMENTS: ReadonlyMap<string, Element> = new Map<string, Element>([
  ...["abbr", "b", "bdi", "cite", "code", "em", "i", "kbd", "mark", "q", "s", "samp"].map(
    as(phrase),
  ),
  ...["small", "span", "strong", "sub", "sup", "u", "var"].map(as(phrase)),
  ...["ins", "del"].map(as(edit)),
  ...["h1", "h2", "h3", "h4", "h5", "h6"].map(as(heading)),
  ...["p", "pre"].map(as(paragraph)),
  ...["blockquote", "div", "aside"].map(as(block)),
  ...["thead", "tbody", "tfoot"].map(as(rows)),
  ...["br", "wbr"].map(as(phrasingVoid)),
  ["hr", { place: "flow", holds: "nothing" }],
  ["section", { ...block, notIn: ["th", "dt"] }],
  ["a", { ...edit, notIn: ["a"], attributes: { href: ADDRESS } }],
  [
    "img",
    { ...phrasingVoid, attributes: { src: ADDRESS, alt: TEXT, width: PIXELS, height: PIXELS } },
  ],
  ["label", { ...phrase, ranks: { "*": 0 }, notIn: ["a", "label"] }],
  ["input", { ...phrasingVoid, attributes: { type: /^checkbox$/, checked: FLAG } }],
  ["ul", { place: "flow", holds: "only", ranks: { li: 0 } }],
  [
    "ol",
    {
      place: "flow",
      holds: "only",
      ranks: { li: 0 },
      attributes: { start: ORDINAL, type: /^[1aAiI]$/, reversed: FLAG },
    },
  ],
  ["li", { ...part, attributes: { value: ORDINAL } }],
  ["dl", { place: "flow", holds: "only", ranks: { dt: 0, dd: 0 } }],
  ["dt", part],
  ["dd", part],
  ["figure", { ...block, ranks: { "*": 0, figcaption: 1 } }],
  ["figcaption", part],
  [
    "details",
    {
      ...block,
      notIn: ["a"],
      ranks: { summary: 0, "*": 1 },
      first: "summary",
      attributes: { open: FLAG },
    },
  ],
  ["summary", { place: "within", holds: "phrasing" }],
  [
    "table",
    {
      place: "flow",
      holds: "only",
      ranks: { caption: 0, colgroup: 1, thead: 2, tbody: 3, tfoot: 4 },
      notIn: ["caption"],
    },
  ],
  ["caption", part],
  ["colgroup", { place: "within", holds: "only", ranks: { col: 0 } }],
  ["col", { place: "within", holds: "nothing", attributes: { span: COUNT } }],
  ["tr", { place: "within", holds: "only", ranks: { th: 0, td: 0 } }],
  ["th", { ...part, attributes: { ...cell, scope: /^(?:row|col)(?:group)?$/ } }],
  ["td", { ...part, attributes: cell }],
]);

/** Attributes of every element. `id` and `class` are narrowed further by the scanner. */
export const GLOBAL_ATTRIBUTES: Readonly<Record<string, RegExp>> = {
  id: /^fn(?:ref)?-\d{1,7}(?:-\d{1,7})?$/,
  class: /^[^&]*$/,
  title: TEXT,
  lang: /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/,
  dir: /^(?:ltr|rtl|auto)$/,
};

/** The only classes: a code block's language, a table cell's side, and the renderer's own. */
export const CLASS =
  /^(?:language-[\w+#.-]{1,40}|align-(?:left|center|right)|footnotes|footnote-ref|footnote-back|contains-task-list|task-list-item)$/;

/** Named children of which a parent takes one. */
const SINGLE: ReadonlySet<string> = new Set(["caption", "thead", "tfoot", "summary", "figcaption"]);

/** Elements that are left out when nothing is in them: readers could not see or follow them. */
export const NOT_EMPTY: ReadonlySet<string> = new Set(["a", "h1", "h2", "h3", "h4", "h5", "h6"]);

/** An element that a body is in the middle of. */
export interface Open {
  readonly tag: string;
  readonly element: Element;
  /** `element.holds` with `same` settled. */
  readonly holds: Holds;
  /** The rank of the last child, -1 before the first. */
  rank: number;
}

/** Opens `tag` inside `parent`. */
export function open(tag: string, element: Element, parent: Pick<Open, "holds">): Open {
  const holds = element.holds === "same" ? parent.holds : element.holds;
  return { tag, element, holds, rank: -1 };
}

/** True when `tag` may be the next child of the last of `stack`; `*` asks for text. */
export function fits(tag: string, stack: readonly Open[]): boolean {
  const parent = stack[stack.length - 1];
  const element = ELEMENTS.get(tag);
  if (parent === undefined) return false;
  const { ranks, first } = parent.element;
  const named = ranks !== undefined && Object.hasOwn(ranks, tag);
  if (!named && !mayStand(element?.place ?? "phrasing", parent.holds)) return false;
  if (element?.notIn?.some((outer) => stack.some((open) => open.tag === outer))) return false;
  if (ranks === undefined) return true;
  const rank = ranks[named ? tag : "*"] ?? 0;
  if (parent.rank === -1 && first !== undefined && tag !== first) return false;
  return rank > parent.rank || (rank === parent.rank && !SINGLE.has(tag));
}

/** Notes that `tag` is now the last child of `parent`. */
export function follow(tag: string, parent: Open): void {
  const { ranks } = parent.element;
  if (ranks !== undefined) parent.rank = ranks[Object.hasOwn(ranks, tag) ? tag : "*"] ?? 0;
}

function mayStand(place: Place, holds: Holds): boolean {
  return holds === "flow" ? place !== "within" : holds === "phrasing" && place === "phrasing";
}

function as(element: Element): (tag: string) => [string, Element] {
  return (tag) => [tag, element];
}
