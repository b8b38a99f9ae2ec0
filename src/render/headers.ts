import type { Caching, Headers, KindHeaders } from "../site.ts";

/** Browsers ask every time; the CDN keeps its copy for a year, until we invalidate it. */
const PAGE_CACHE = { maxAge: 0, sMaxAge: 31_536_000 };
/** The name changes with the bytes, so a copy never grows old. */
const ASSET_CACHE = "public, max-age=31536000, immutable";
/** A missing page may appear at any time, and nobody invalidates what was not there. */
const ERROR_CACHE = { maxAge: 0, sMaxAge: 10 };

/** By extension; text carries its charset, as stores add none. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  avif: "image/avif",
  css: "text/css; charset=utf-8",
  gif: "image/gif",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  mjs: "text/javascript; charset=utf-8",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff: "font/woff",
  woff2: "font/woff2",
  xml: "application/xml; charset=utf-8",
};

/** `assets/NAME.HASH.EXT` with the 10 hexadecimal digits of {@link loadAssets}. */
const HASHED = /^assets\/.*\.[0-9a-f]{10}(?:\.[^./]+)?$/;

/** The headers of an object, by its key (`articles/a/index.html`) and what its kind says of them. */
export function objectHeaders(
  key: string,
  { cache = {}, language }: KindHeaders = {},
): Omit<Headers, "metadata"> {
  const extension = /\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? "";
  const contentType = CONTENT_TYPES[extension] ?? "application/octet-stream";
  const said = language === undefined ? {} : { contentLanguage: language };
  return { contentType, cacheControl: cacheControl(key, cache), ...said };
}

/** True for an object whose name changes with its bytes. */
export function isHashed(key: string): boolean {
  return HASHED.test(key);
}

function cacheControl(key: string, cache: Caching): string {
  if (isHashed(key)) return ASSET_CACHE;
  const usual = key === "404.html" ? ERROR_CACHE : PAGE_CACHE;
  const { maxAge = usual.maxAge, sMaxAge = usual.sMaxAge } = cache;
  const { staleWhileRevalidate, staleIfError } = cache;
  const stale = [
    ["stale-while-revalidate", staleWhileRevalidate],
    ["stale-if-error", staleIfError],
  ].flatMap(([name, seconds]) => (seconds === undefined ? [] : [`${name}=${seconds}`]));
  return ["public", `max-age=${maxAge}`, `s-maxage=${sMaxAge}`, ...stale].join(", ");
}
