import { type DefaultTreeAdapterTypes, parseFragment } from "parse5";

type Node = DefaultTreeAdapterTypes.ChildNode;

/** Written out here on purpose: a slip in src/render/allow-list.ts must not pass its own test. */
const TAGS = new Set(
  (
    "a abbr b bdi blockquote br caption cite code col colgroup dd del details div dl dt em " +
    "figcaption figure h1 h2 h3 h4 h5 h6 hr i img input ins kbd label li mark ol p pre q s samp " +
    "section small span strong sub summary sup table tbody td tfoot th thead tr u ul var wbr"
  ).split(" "),
);
const ATTRIBUTES = new Set(
  (
    "href src alt width height type checked disabled open start reversed value span colspan " +
    "rowspan scope id class title lang dir"
  ).split(" "),
);
const VOID = new Set(["br", "wbr", "hr", "img", "input", "col"]);
const REFERENCES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&nbsp;": "\u00a0",
  "&#39;": "'",
};

/** Everything dangerous or unlisted that a real HTML parser finds in `html`. */
export function dangers(html: string): string[] {
  return parseFragment(html).childNodes.flatMap(dangersOf);
}

/** The tree that a real HTML parser makes, as one line. */
export function parsedTree(html: string): string {
  return parseFragment(html).childNodes.map(parsed).join("");
}

/** The tree that the tags spell, if a parser neither moves, adds nor closes anything. */
export function spelledTree(html: string): string {
  const tokens = html.replaceAll("<pre>\n", "<pre>").matchAll(/<(\/?)([a-z0-9]+)[^>]*>|[^<]+/g);
  let tree = "";
  for (const [token, slash, tag] of tokens) {
    if (tag === undefined) tree += JSON.stringify(decode(token));
    else if (slash === "/") tree += ")";
    else tree += VOID.has(tag) ? `${tag}()` : `${tag}(`;
  }
  return tree;
}

function decode(text: string): string {
  return text.replace(/&[a-z#0-9]+;/g, (reference) => REFERENCES[reference] ?? reference);
}

function parsed(node: Node): string {
  if ("tagName" in node) return `${node.tagName}(${node.childNodes.map(parsed).join("")})`;
  return "value" in node ? JSON.stringify(node.value) : node.nodeName;
}

function dangersOf(node: Node): string[] {
  if (!("tagName" in node)) return node.nodeName === "#text" ? [] : [node.nodeName];
  const found = TAGS.has(node.tagName) ? [] : [`<${node.tagName}>`];
  for (const { name, value } of node.attrs) {
    if (!ATTRIBUTES.has(name)) found.push(`${name}=`);
    // What a browser ignores in an address is ignored here too.
    const address = [...value].filter((char) => char > " ").join("");
    const isAddress = name === "href" || name === "src";
    if (isAddress && !/^(https?:|mailto:|tel:|[^:]*([/?#]|$))/i.test(address)) {
      found.push(`${name}=${value}`);
    }
  }
  return [...found, ...node.childNodes.flatMap(dangersOf)];
}
