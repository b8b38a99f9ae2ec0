import { encodeRoute } from "../site.ts";

/** Where a body stands: its site, e.g. `https://example.com`, and its own route. */
export interface Base {
  readonly origin: string;
  readonly route: string;
}

/**
 * Where an address leads: nowhere that is safe or known, away (kept as it is), or to a route of
 * this site with what follows it (`?query#fragment`, percent-encoded).
 */
export type Target =
  | { readonly to: "nowhere" }
  | { readonly to: "away" }
  | { readonly to: "site"; readonly route: string; readonly rest: string };

const NOWHERE: Target = { to: "nowhere" };
const AWAY: Target = { to: "away" };

/** Browsers drop or reinterpret these inside an address; none is allowed in one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSAFE_CHARACTERS = /[\u0000-\u0020\u007f\\"<>]/;
/** A listed scheme, or no colon before the first of `/?#` and so no scheme at all. */
const SAFE_SCHEME = /^(?:(?:https?|mailto|tel):|[^:/?#]*(?:[/?#]|$))/i;
/** What leads to the same place from every page of a site. */
const FROM_ANYWHERE = /^(?:[a-z][a-z0-9+.-]*:)?\//i;
const STAYS = /^(?:#|mailto:|tel:)/i;

/** True when `address` cannot run code, whoever parses it. Takes characters, not references. */
export function isSafeAddress(address: string): boolean {
  return SAFE_SCHEME.test(address) && !UNSAFE_CHARACTERS.test(address);
}

/**
 * Finds where a safe address leads, as the WHATWG URL Standard resolves it. Asks for the route of
 * `base` only when that makes a difference.
 */
export function target(address: string, base: Base): Target {
  if (!isSafeAddress(address)) return NOWHERE;
  if (STAYS.test(address)) return AWAY;
  const route = FROM_ANYWHERE.test(address) ? "" : encodeRoute(base.route);
  const url = URL.parse(address, base.origin + route);
  if (url === null) return NOWHERE;
  if (url.origin !== base.origin) return AWAY;
  const to = decodeRoute(url.pathname);
  return to === undefined ? NOWHERE : { to: "site", route: to, rest: url.search + url.hash };
}

/**
 * Reads a route from a percent-encoded path. Undefined for a path that no route has: broken
 * encoding, an encoded `/` or NUL, an empty segment.
 */
export function decodeRoute(path: string): string | undefined {
  if (!path.startsWith("/") || path.includes("//")) return undefined;
  if (!path.includes("%")) return path;
  try {
    const segments = path.split("/").map(decodeURIComponent);
    return segments.some((segment) => /[/\0]/.test(segment)) ? undefined : segments.join("/");
  } catch {
    return undefined;
  }
}
