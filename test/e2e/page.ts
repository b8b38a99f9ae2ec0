import { type DefaultTreeAdapterTypes, parse } from "parse5";

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

/** A link of a page to a place on its own site. */
export interface Link {
  /** Without query and fragment, as spelled: `/articles/caf%C3%A9/`. */
  readonly path: string;
  readonly text: string;
}

/** What a reader sees of a page. White space is collapsed in all texts. */
export interface SeenPage {
  /** The text of its first `h1`, as decoded by the parser and not collapsed. */
  readonly title: string | undefined;
  /** The text of its body, for articles. */
  readonly prose: string;
  /** `a[href]`, `img[src]` and `link[href]` to the site itself. */
  readonly links: readonly Link[];
  /** Titles of the entries of a list, linked or not. */
  readonly entries: readonly string[];
}

/** The attribute that holds an address. */
const ADDRESS: Readonly<Record<string, string>> = { a: "href", img: "src", link: "href" };

/** Parses a page as browsers do; `url` is its absolute address on the site. */
export function readPage(html: string, url: string): SeenPage {
  const links: Link[] = [];
  const entries: string[] = [];
  let title: string | undefined;
  let prose = "";
  const site = new URL(url).origin;
  for (const element of elements(parse(html))) {
    const name = ADDRESS[element.tagName];
    const address = name === undefined ? undefined : attribute(element, name);
    const to = address === undefined ? null : URL.parse(address, url);
    if (to?.origin === site) links.push({ path: to.pathname, text: collapsed(textOf(element)) });
    if (element.tagName === "h1") title ??= textOf(element);
    if (attribute(element, "class") === "prose") prose = collapsed(textOf(element));
    if (attribute(element, "class") === "entry") entries.push(collapsed(heading(element)));
  }
  return { title, prose, links, entries };
}

/** One line, as a browser shows it. */
export function collapsed(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** All elements below a node in document order; a list, since nested generators took most of the time. */
function elements(node: Node, found: Element[] = []): readonly Element[] {
  if ("tagName" in node) found.push(node);
  if ("childNodes" in node) for (const child of node.childNodes) elements(child, found);
  return found;
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((each) => each.name === name)?.value;
}

function heading(entry: Element): string {
  const found = elements(entry).find(({ tagName }) => tagName === "h2");
  return found === undefined ? "" : textOf(found);
}

function textOf(node: Node): string {
  if (node.nodeName === "#text") return (node as DefaultTreeAdapterTypes.TextNode).value;
  return "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
}
