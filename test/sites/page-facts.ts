import { type DefaultTreeAdapterTypes, parse } from "parse5";

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

/** What a real HTML parser finds in one page. */
export interface PageFacts {
  /** Object key, e.g. `tags/design/index.html`. */
  readonly key: string;
  readonly lang: string | undefined;
  readonly title: string;
  readonly h1: readonly string[];
  readonly h2: readonly string[];
  readonly canonical: string | undefined;
  /** Content of `<meta name="robots">`. */
  readonly robots: string | undefined;
  /** Every `href` and `src` as written, but canonical's; distinct. */
  readonly addresses: readonly string[];
  /** `href` of the links in headings: what a list page lists. */
  readonly entries: readonly string[];
  /** Elements with class `event`: what an activity page lists. */
  readonly events: number;
  /** Every `<time datetime>`. */
  readonly times: readonly string[];
  /** Elements, attributes and addresses that could run code or reach out, and parse errors. */
  readonly dangers: readonly string[];
}

/** Elements that run, load, send or hide something; the theme uses none of them. */
const FORBIDDEN = new Set(
  (
    "script iframe frame frameset object embed applet base form button textarea select style " +
    "template noscript portal audio video source track dialog slot math foreignobject animate set"
  ).split(" "),
);
/** Attributes that hold an address, wherever they stand. */
const ADDRESSES = new Set(
  "href src srcset action formaction poster data background cite ping longdesc manifest".split(" "),
);

/** Reads one page. */
export function pageFacts(key: string, html: string): PageFacts {
  const dangers: string[] = [];
  const document = parse(html, { onParseError: ({ code }) => dangers.push(code) });
  const elements = [...elementsOf(document.childNodes)];
  const named = (tag: string) => elements.filter(({ tagName }) => tagName === tag);
  const links = named("link").filter((link) => attribute(link, "rel") === "canonical");
  const robots = named("meta").find((meta) => attribute(meta, "name") === "robots");
  const headings = named("h2");
  return {
    key,
    lang: named("html").map((root) => attribute(root, "lang"))[0],
    title: named("title").map(text).join("").trim(),
    h1: named("h1").map(text),
    h2: headings.map(text),
    canonical: links.map((link) => attribute(link, "href"))[0],
    robots: robots && attribute(robots, "content"),
    addresses: [...new Set(elements.filter((each) => !links.includes(each)).flatMap(addressesOf))],
    entries: headings.flatMap((heading) =>
      [...elementsOf(heading.childNodes)].flatMap(addressesOf),
    ),
    events: elements.filter((each) => attribute(each, "class")?.split(" ").includes("event"))
      .length,
    times: named("time").flatMap((each) => attribute(each, "datetime") ?? []),
    dangers: [...dangers, ...elements.flatMap(dangersOf)],
  };
}

function* elementsOf(nodes: readonly Node[]): Generator<Element> {
  for (const node of nodes) {
    if (!("tagName" in node)) continue;
    yield node;
    yield* elementsOf(node.childNodes);
    if ("content" in node) yield* elementsOf(node.content.childNodes);
  }
}

function dangersOf({ tagName, attrs }: Element): string[] {
  const found = FORBIDDEN.has(tagName.toLowerCase()) ? [`<${tagName}>`] : [];
  for (const { name, value } of attrs) {
    if (/^on|^style$|^srcdoc$/i.test(name)) found.push(`${tagName} ${name}=`);
    // What a browser skips in an address is skipped here too.
    const address = [...value].filter((char) => char > " ").join("");
    const runs = /^(?:javascript|vbscript|data|blob|file|filesystem|about):/i.test(address);
    if (ADDRESSES.has(name) && runs) found.push(`${tagName} ${name}=${value.slice(0, 80)}`);
    if (name === "http-equiv") found.push(`${tagName} http-equiv=${value}`);
  }
  return found;
}

function addressesOf(element: Element): string[] {
  return element.attrs.filter(({ name }) => name === "href" || name === "src").map((a) => a.value);
}

function attribute({ attrs }: Element, name: string): string | undefined {
  return attrs.find((each) => each.name === name)?.value;
}

function text(node: Node): string {
  if ("value" in node) return node.value;
  return "childNodes" in node ? node.childNodes.map(text).join("") : "";
}
