import type { Checks } from "./checks.ts";

/** How long copies of a page may be used without asking again, in seconds. */
export interface Caching {
  /** By browsers, which nobody can tell of a change: what is deleted stays so long. 0 by default. */
  readonly maxAge?: number;
  /** By the CDN, which is told of each change. A year by default, 10 seconds for `/404.html`. */
  readonly sMaxAge?: number;
  /** So much longer while a fresh copy is fetched; deletes wait for it, too. Not said by default. */
  readonly staleWhileRevalidate?: number;
  /** So much longer while the store answers with errors. Not said by default. */
  readonly staleIfError?: number;
}

/** What a kind says of the headers of its pages. */
export interface KindHeaders {
  readonly cache?: Caching | undefined;
  /** Content-Language, a BCP 47 tag such as `en` or `pt-BR`; not said by default. */
  readonly language?: string | undefined;
}

const MEMBERS = ["maxAge", "sMaxAge", "staleWhileRevalidate", "staleIfError"] as const;
/** RFC 9111 lets caches take more for 2^31; RFC 2616 asked servers for a year at most. */
const YEAR = 31_536_000;

/** How long a browser may show what it got from one of these kinds, in seconds. */
export function graceSeconds(kinds: readonly KindHeaders[]): number {
  return Math.max(
    0,
    ...kinds.map(({ cache: { maxAge = 0, staleWhileRevalidate = 0 } = {} }) => {
      return maxAge + staleWhileRevalidate;
    }),
  );
}

/** The same of a Cache-Control header. */
export function graceOf(cacheControl: string): number {
  const seconds = (name: string) => {
    return Number(new RegExp(`(?:^|[ ,])${name}=(\\d+)`).exec(cacheControl)?.[1] ?? 0);
  };
  return seconds("max-age") + seconds("stale-while-revalidate");
}

/** Finds what could not stand in a header. */
export function checkHeaders(
  { cache = {}, language }: KindHeaders,
  place: string,
  checks: Checks,
): void {
  for (const [name, seconds] of Object.entries(cache)) {
    if (!MEMBERS.some((member) => member === name)) {
      checks.add(`${place}.cache.${name}`, `Known are ${MEMBERS.join(", ")}.`);
    } else if (!Number.isInteger(seconds) || seconds < 0 || seconds > YEAR) {
      checks.add(`${place}.cache.${name}`, "It is a whole number of seconds, at most a year.");
    }
  }
  if (language !== undefined && !isLanguage(language)) {
    checks.add(`${place}.language`, `"${language}" is no language tag like en or pt-BR.`);
  }
}

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
