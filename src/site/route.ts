import { PipelineError } from "../error.ts";
import type { KeyPart, Row } from "./table.ts";

/** Stands for a column's value in `route`, `tags` and `links`; opaque, so only data comes out. */
export interface Ref<T = unknown> {
  readonly ref: string;
  /** Never set: carries `T`. */
  readonly of?: T;
}

/** One reference for every column of `R`. */
export type Refs<R extends Row> = { readonly [N in keyof R & string]: Ref<R[N]> };

/** Literal text and columns in turn, e.g. `["/articles/", "/"]` and `["slug"]`. */
export interface RouteTemplate {
  readonly literals: readonly string[];
  readonly columns: readonly string[];
}

/** Builds a route from a row: path`/articles/${a.slug}/`. Values may hold "/", never leave the folder. */
export function path(
  literals: TemplateStringsArray,
  ...refs: readonly Ref<KeyPart | null>[]
): RouteTemplate {
  return { literals: [...literals], columns: refs.map((each) => each.ref) };
}

/** References to all columns by name; any name gives one, `defineSite` checks them. */
export function refs<R extends Row>(): Refs<R> {
  const make = { get: (_: object, name: string) => ({ ref: name }) };
  return new Proxy({}, make) as Refs<R>;
}

/** The four forms of one address; all come from {@link address}, so they cannot disagree. */
export interface Address {
  /** Decoded, as people write it: `/articles/café/`. The identity of a page. */
  readonly route: string;
  /** Object name in the store, decoded: `articles/café/index.html`. */
  readonly key: string;
  /** What a browser requests: `/articles/caf%C3%A9/`. */
  readonly viewerPath: string;
  /** What the CDN's cache calls it: the viewer form, and the form its index function makes of it. */
  readonly invalidations: readonly string[];
}

/** S3's limit for an object name, in UTF-8 bytes. */
const MAX_KEY_BYTES = 1024;
/** The limit of common file systems (ext4, APFS, NTFS) for one name, kept for every store. */
const MAX_SEGMENT_BYTES = 255;
const INDEX = "index.html";
/** Where a store's marker is, and what its conditions are tried with; no page may be there. */
const RESERVED = ["/.nightbake.json", "/.nightbake-probe.json"];

/**
 * The only encoder: fills a template from a row.
 * @throws PipelineError `route_invalid` when the route could not be served or would leave its folder
 */
export function fillRoute(template: RouteTemplate, row: Row): string {
  let route = template.literals[0] ?? "";
  for (const [at, column] of template.columns.entries()) {
    const next = template.literals[at + 1] ?? "";
    const value = String(row[column]);
    // "guide/" before a "/" is the same address as "guide"; two such rows are then a clash.
    const own = next.startsWith("/") ? value.replace(/(?<=[^/])\/$/, "") : value;
    const flaw = partsFlaw(own);
    if (flaw !== undefined) throw invalid(value, `its ${column} ${flaw}`, column);
    route += own + next;
  }
  return checkRoute(route);
}

/**
 * Gives the route back if a store can hold it.
 * @throws PipelineError `route_invalid` when its object name or a part of it is too long
 */
export function checkRoute(route: string): string {
  if (Buffer.byteLength(address(route).key) > MAX_KEY_BYTES) {
    throw invalid(route, `its object name is longer than ${MAX_KEY_BYTES} bytes`);
  }
  if (RESERVED.includes(route)) throw invalid(route, "its object ties the store to its ledger");
  if (route.split("/").some((each) => Buffer.byteLength(each) > MAX_SEGMENT_BYTES)) {
    throw invalid(route, `a part of it is longer than ${MAX_SEGMENT_BYTES} bytes`);
  }
  return route;
}

/** The value that a template with one column would need to make `route`; undefined when none does. */
export function matchRoute({ literals }: RouteTemplate, route: string): string | undefined {
  const [before = "", after = ""] = literals;
  if (!route.startsWith(before) || !route.endsWith(after)) return undefined;
  const value = route.slice(before.length, route.length - after.length);
  return route.length > before.length + after.length ? value : undefined;
}

/** The object name, browser path and invalidation items of a route. Pure and total for valid routes. */
export function address(route: string): Address {
  const isFolder = isFolderRoute(route);
  const viewerPath = encodeRoute(route);
  return {
    route,
    key: isFolder ? `${route.slice(1)}${INDEX}` : route.slice(1),
    viewerPath,
    invalidations: isFolder ? [viewerPath, `${viewerPath}${INDEX}`] : [viewerPath],
  };
}

/** True for a route whose object is an index document: its address has two invalidation items, others have one. */
export function isFolderRoute(route: string): boolean {
  return route.endsWith("/");
}

/**
 * Percent-encodes every byte but "/" and RFC 3986's unreserved characters. "+" and "*" too:
 * S3 reads a bare "+" as a space, and "*" in an invalidation is a wildcard. A lone surrogate is
 * written as U+FFFD.
 */
export function encodeRoute(route: string): string {
  return encodeURIComponent(route.toWellFormed())
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The route of an object name: the inverse of `address(route).key`. */
export function routeOfKey(key: string): string {
  return `/${key.endsWith(`/${INDEX}`) || key === INDEX ? key.slice(0, -INDEX.length) : key}`;
}

/** What a file system that ignores case and Unicode normal form makes of a route. */
export function foldRoute(route: string): string {
  return route.normalize("NFC").toLowerCase().normalize("NFC");
}

/** What is wrong with a route whose columns hold "x"; undefined when nothing is. */
export function templateFlaw({ literals }: RouteTemplate): string | undefined {
  const route = literals.join("x");
  if (!route.startsWith("/")) return "It begins with a slash.";
  if (/[?#]/.test(route)) return "It has no ? or #.";
  if (RESERVED.includes(route)) return "That name is taken.";
  const inner = route.replace(/^\/|\/$/g, "");
  const flaw = inner === "" ? undefined : partsFlaw(inner);
  return flaw === undefined ? undefined : `It ${flaw}.`;
}

/** What is wrong with a route or a value in one, without the slashes at its ends. */
export function partsFlaw(value: string): string | undefined {
  if (value === "") return "is empty";
  if (!value.isWellFormed()) return "holds a lone surrogate";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\u0000-\u001f\u007f\\]/.test(value)) return "holds a control character or a backslash";
  const segments = value.split("/");
  if (segments.includes("")) return 'starts or ends with "/" or has an empty part';
  if (segments.some((each) => each === "." || each === "..")) return 'has a part "." or ".."';
  if (segments.some((each) => each.toLowerCase() === INDEX)) return `has a part "${INDEX}"`;
  return undefined;
}

function invalid(value: string, reason: string, column?: string): PipelineError {
  const shown = JSON.stringify(value.slice(0, 80));
  return new PipelineError("route_invalid", `No route can be made of ${shown}: ${reason}.`, {
    hint: "Correct the value in the row; the page's last good version stays live until then.",
    at: column === undefined ? {} : { column },
  });
}
