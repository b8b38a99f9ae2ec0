import sanitizeHtml from "sanitize-html";
import { ELEMENTS, fits, follow, GLOBAL_ATTRIBUTES, type Open, open } from "./allow-list.ts";
import { isSafeAddress } from "./links.ts";

/** Ours: well under what the scanner takes, as mending adds elements. */
const MAX_DEPTH = 64;
const NOT_TEXT = ["script", "style", "textarea", "option", "noscript", "iframe", "svg", "title"];
const VOID = [...ELEMENTS].filter(([, { holds }]) => holds === "nothing").map(([tag]) => tag);
/** What stray content of these becomes part of, so that nothing an author wrote is lost. */
const CHILD: Readonly<Record<string, string>> = {
  ul: "li",
  ol: "li",
  dl: "dd",
  table: "tbody",
  thead: "tr",
  tbody: "tr",
  tfoot: "tr",
  tr: "td",
};
/** What stray ones of these become part of. */
const PARENT: Readonly<Record<string, string>> = { li: "ul", dt: "dl", dd: "dl" };
/** Elements whose blocks are unwrapped; other phrasing gives way to the blocks inside it. */
const KEEPS_SHAPE = new Set(["h1", "h2", "h3", "h4", "h5", "h6", "pre", "summary"]);

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const IGNORED_IN_ADDRESS = /^[\u0000-\u0020]+|[\u0000-\u0020]+$|[\t\n\r]/g;
const TO_ENCODE = /[ "<>\\]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u0008\u000b-\u001f]/g;
const PIECE = /<(\/?)([a-z][a-z0-9]*)([^<>]*?) ?\/?>|[^<]+/g;
const BLANK = /^[ \t\n]*$/;

/** A piece of sanitised HTML: text as it stands, or an element. */
type Node = string | ElementNode;

interface ElementNode {
  readonly tag: string;
  readonly attributes: string;
  readonly nodes: Node[];
}

const OPTIONS: sanitizeHtml.IOptions = {
  allowedTags: [...ELEMENTS.keys()],
  allowedAttributes: allowedAttributes(),
  allowedSchemes: ["http", "https", "mailto", "tel"],
  nonTextTags: NOT_TEXT,
  selfClosing: VOID,
  nestingLimit: MAX_DEPTH,
  exclusiveFilter: ({ tag, attribs }) => tag === "input" && attribs["type"] !== "checkbox",
  transformTags: { a: cleanAddress("href"), img: cleanAddress("src") },
};

/**
 * Sanitises HTML, then puts its elements in valid places: stray list items and cells get the
 * parent they lack, anything else that does not fit gives way to its content. The result is no
 * safer than sanitize-html; it still has to pass the scanner.
 */
export function mend(html: string): string {
  const clean = sanitizeHtml(html, OPTIONS).replace(CONTROL, "");
  const root = open("", { place: "flow", holds: "flow" }, { holds: "flow" });
  return content(parse(clean), [root]);
}

/** Reads sanitize-html's output, in which every element is closed. */
function parse(html: string): Node[] {
  const root: ElementNode = { tag: "", attributes: "", nodes: [] };
  const stack = [root];
  for (const [text, slash, tag, attributes = ""] of html.matchAll(PIECE)) {
    const nodes = (stack[stack.length - 1] ?? root).nodes;
    if (tag === undefined) nodes.push(text);
    else if (slash === "/") stack.pop();
    else {
      const element: ElementNode = { tag, attributes, nodes: [] };
      nodes.push(element);
      if (!VOID.includes(tag)) stack.push(element);
    }
  }
  return root.nodes;
}

function content(nodes: readonly Node[], stack: readonly Open[]): string {
  const parent = stack[stack.length - 1] as Open;
  let html = "";
  for (const [wrapper, run] of runs(inOrder(nodes, parent), parent)) {
    if (wrapper !== "") html += element({ tag: wrapper, attributes: "", nodes: run }, stack);
    else
      for (const node of run)
        html += typeof node === "string" ? text(node, stack) : element(node, stack);
  }
  return html;
}

function text(source: string, stack: readonly Open[]): string {
  if (!BLANK.test(source)) follow("*", stack[stack.length - 1] as Open);
  return source;
}

function element(node: ElementNode, stack: readonly Open[]): string {
  const { tag, attributes, nodes } = node;
  const parent = stack[stack.length - 1] as Open;
  const model = ELEMENTS.get(tag);
  if (model === undefined || !fits(tag, stack) || givesWay(node, parent)) {
    const inner = content(nodes, stack);
    return model?.place === "phrasing" ? inner : ` ${inner} `;
  }
  follow(tag, parent);
  if (model.holds === "nothing") return `<${tag}${attributes}>`;
  const inside = open(tag, model, parent);
  const needsFirst = model.first !== undefined && !has(nodes, model.first);
  const first = needsFirst
    ? element({ tag: model.first, attributes: "", nodes: ["…"] }, [...stack, inside])
    : "";
  return `<${tag}${attributes}>${first}${content(nodes, [...stack, inside])}</${tag}>`;
}

/** Cuts `nodes` into runs that need the same wrapper, "" for none. */
function* runs(nodes: readonly Node[], parent: Open): Generator<[wrapper: string, run: Node[]]> {
  let wrapper = "";
  let run: Node[] = [];
  for (const node of nodes) {
    const blank = typeof node === "string" && BLANK.test(node);
    const next = blank ? wrapper : wrapperOf(node, parent);
    if (next !== wrapper && run.length > 0) {
      yield [wrapper, run];
      run = [];
    }
    wrapper = next;
    run.push(node);
  }
  if (run.length > 0) yield [wrapper, run];
}

function wrapperOf(node: Node, { tag, element, holds }: Open): string {
  const name = typeof node === "string" ? "" : node.tag;
  if (element.ranks !== undefined && Object.hasOwn(element.ranks, name)) return "";
  if (holds === "only") return CHILD[tag] ?? "";
  return holds === "flow" ? (PARENT[name] ?? "") : "";
}

/** Sorts children into the order their parent wants and settles those it takes only one of. */
function inOrder(nodes: readonly Node[], { element: { ranks } }: Open): readonly Node[] {
  if (ranks === undefined || Object.keys(ranks).length < 2) return nodes;
  const rank = (node: Node) => ranks[typeof node === "string" ? "*" : node.tag] ?? ranks["*"] ?? 3;
  return nodes.toSorted((a, b) => rank(a) - rank(b));
}

function givesWay(node: ElementNode, parent: Open): boolean {
  const phrasing = ELEMENTS.get(node.tag)?.holds === "phrasing" && !KEEPS_SHAPE.has(node.tag);
  return phrasing && parent.holds === "flow" && hasBlock(node);
}

function hasBlock({ nodes }: ElementNode): boolean {
  return nodes.some(
    (node) =>
      typeof node !== "string" && (ELEMENTS.get(node.tag)?.place !== "phrasing" || hasBlock(node)),
  );
}

function has(nodes: readonly Node[], tag: string): boolean {
  return nodes.some((node) => typeof node !== "string" && node.tag === tag);
}

function allowedAttributes(): Record<string, string[]> {
  const allowed: Record<string, string[]> = { "*": Object.keys(GLOBAL_ATTRIBUTES) };
  for (const [tag, { attributes }] of ELEMENTS) {
    if (attributes !== undefined) allowed[tag] = Object.keys(attributes);
  }
  return allowed;
}

/** Reads an address as a browser does; drops it when it is unsafe even so. */
function cleanAddress(name: string): sanitizeHtml.Transformer {
  return (tagName, attribs) => {
    const { [name]: address, ...others } = attribs;
    const read = address?.replace(IGNORED_IN_ADDRESS, "").replace(TO_ENCODE, encodeURIComponent);
    const kept = read !== undefined && isSafeAddress(read) ? { [name]: read } : {};
    return { tagName, attribs: { ...others, ...kept } };
  };
}
