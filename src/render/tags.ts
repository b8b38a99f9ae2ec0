import { encodeRoute } from "../site.ts";
import { CLASS, ELEMENTS, type Element, GLOBAL_ATTRIBUTES, type Open, TEXT } from "./allow-list.ts";
import { type Base, isSafeAddress, type Target, target } from "./links.ts";
import type { Slot } from "./safe-html.ts";

/** What a tag depends on beside itself. */
export interface TagContext {
  readonly base: Base;
  readonly shift: 0 | 1;
  readonly stack: readonly Open[];
  /** The ids of the body so far; grows. */
  readonly ids: Set<string>;
}

/** An opening tag in normal form. */
export interface Tag {
  readonly name: string;
  /** What to write for it; undefined means as it is, empty means nothing but its content. */
  readonly start: string | Slot | undefined;
  readonly end: string | Slot;
  readonly isVoid: boolean;
  /** True for what is visible without text in it. */
  readonly fills: boolean;
}

type Attributes = Map<string, string>;

const ATTRIBUTE = /[ \t\n]+([A-Za-z_:@][\w:.@-]*)(?:[ \t\n]*=[ \t\n]*(?:"([^"]*)"|'([^']*)'))?/g;
const REFERENCE = /&(?:amp|quot|#39|#x27);/g;
const CHARACTERS: Readonly<Record<string, string>> = { "&amp;": "&", "&quot;": '"' };
const FLAGS: ReadonlySet<string> = new Set(["checked", "open", "reversed"]);
const SPACE = /[ \t\n]+/;
const NOWHERE: Target = { to: "nowhere" };

/**
 * Writes an opening tag of the scanner's grammar in normal form. Undefined when it is unlisted or
 * holds an address or reference that only the slow way can read.
 */
export function openingTag(name: string, source: string, context: TagContext): Tag | undefined {
  const element = ELEMENTS.get(name);
  if (element === undefined) return undefined;
  const attributes = source === "" ? new Map() : readAttributes(source, element, context.ids);
  if (attributes === undefined) return undefined;
  if (name === "a") return anchor(attributes, context.base);
  if (name === "img") return image(attributes, context.base);
  if (name === "input") return checkbox(attributes, context.stack);
  const output = outputName(name, context.shift);
  const isVoid = element.holds === "nothing";
  const asIs = source === "" && output === name && !isVoid;
  const start = asIs ? undefined : `<${output}${written(attributes)}>`;
  return { name, start, end: closingTag(output), isVoid, fills: false };
}

/** The closing tag of an element. */
export function closingTag(name: string): string {
  return `</${name}>`;
}

function anchor(attributes: Attributes, base: Base): Tag | undefined {
  const to = leadsTo(attributes.get("href"), base);
  if (to === undefined) return undefined;
  const tag = { name: "a", isVoid: false, fills: false } as const;
  if (to.to === "nowhere") return { ...tag, start: "", end: "" };
  if (to.to === "away") return { ...tag, start: `<a${written(attributes)}>`, end: "</a>" };
  const routes = to.route.endsWith("/") ? [to.route] : [to.route, `${to.route}/`];
  return {
    ...tag,
    start: {
      choices: routes.map((r) => [r, startAt(r, "a", "href", to.rest, attributes)]),
      otherwise: "",
    },
    end: { choices: routes.map((route) => [route, "</a>"]), otherwise: "" },
  };
}

function image(attributes: Attributes, base: Base): Tag | undefined {
  const src = attributes.get("src");
  const to = leadsTo(src, base);
  if (to === undefined) return undefined;
  const alt = attributes.get("alt") || attributes.get("title") || "";
  attributes.set("alt", alt);
  if (attributes.get("title") === alt) attributes.delete("title");
  const tag = { name: "img", end: "", isVoid: true, fills: alt !== "" } as const;
  if (to.to === "nowhere" || /^(?:#|mailto:|tel:|$)/i.test(src ?? ""))
    return { ...tag, start: alt };
  const fills = true;
  if (to.to === "away") return { ...tag, fills, start: `<img${written(attributes)}>` };
  const html = startAt(to.route, "img", "src", to.rest, attributes);
  return { ...tag, fills, start: { choices: [[to.route, html]], otherwise: alt } };
}

/** A checkbox stays only at the start of its label; a static page cannot change it. */
function checkbox(attributes: Attributes, stack: readonly Open[]): Tag {
  const parent = stack[stack.length - 1];
  const labelled = parent?.tag === "label" && parent.rank === -1 && attributes.has("type");
  const checked = attributes.has("checked") ? " checked" : "";
  const start = labelled ? `<input type="checkbox" disabled${checked}>` : "";
  return { name: "input", start, end: "", isVoid: true, fills: labelled };
}

/** Undefined when the address is one that only the slow way can read. */
function leadsTo(value: string | undefined, base: Base): Target | undefined {
  if (value === undefined) return NOWHERE;
  const address = value.replace(REFERENCE, (reference) => CHARACTERS[reference] ?? "'");
  if (value.replace(REFERENCE, "").includes("&")) return undefined;
  return isSafeAddress(address) ? target(address, base) : undefined;
}

function startAt(route: string, tag: string, name: string, rest: string, from: Attributes): string {
  const attributes = new Map(from).set(name, escapeAttribute(encodeRoute(route) + rest));
  return `<${tag}${written(attributes)}>`;
}

function readAttributes(
  source: string,
  element: Element,
  ids: Set<string>,
): Attributes | undefined {
  const seen = new Set<string>();
  const kept: Attributes = new Map();
  ATTRIBUTE.lastIndex = 0;
  for (let match = ATTRIBUTE.exec(source); match !== null; match = ATTRIBUTE.exec(source)) {
    const name = match[1]?.toLowerCase() ?? "";
    const value = match[2] ?? match[3] ?? "";
    if (seen.has(name)) return undefined;
    seen.add(name);
    const rule = ruleOf(name, element);
    if (rule === undefined) continue;
    if (rule === TEXT && !TEXT.test(value)) return undefined;
    const narrowed = rule.test(value) ? narrow(name, value, ids) : undefined;
    if (narrowed !== undefined) kept.set(name, narrowed);
  }
  return kept;
}

function narrow(name: string, value: string, ids: Set<string>): string | undefined {
  if (name === "class") {
    const classes = new Set(value.split(SPACE).filter((one) => CLASS.test(one)));
    return classes.size === 0 ? undefined : [...classes].join(" ");
  }
  if (name !== "id") return value;
  if (ids.has(value)) return undefined;
  ids.add(value);
  return value;
}

function ruleOf(name: string, { attributes }: Element): RegExp | undefined {
  if (attributes !== undefined && Object.hasOwn(attributes, name)) return attributes[name];
  return Object.hasOwn(GLOBAL_ATTRIBUTES, name) ? GLOBAL_ATTRIBUTES[name] : undefined;
}

function written(attributes: Attributes): string {
  let html = "";
  for (const [name, value] of attributes) {
    html += FLAGS.has(name) ? ` ${name}` : ` ${name}="${value}"`;
  }
  return html;
}

function escapeAttribute(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
}

/** A body's h1 becomes h2, and so on. An aside is no landmark of the page: bodies hold many. */
function outputName(name: string, shift: 0 | 1): string {
  if (name === "aside") return "div";
  const level = name.length === 2 && name[0] === "h" ? Number(name[1]) : Number.NaN;
  return Number.isNaN(level) ? name : `h${Math.min(level + shift, 6)}`;
}
