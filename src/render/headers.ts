import type { Headers } from "../site.ts";

/** Browsers ask every time; the CDN keeps its copy for a year, until we invalidate it. */
const PAGE_CACHE = "public, max-age=0, s-maxage=31536000";
/** The name changes with the bytes, so a copy never grows old. */
const ASSET_CACHE = "public, max-age=31536000, immutable";
/** A missing page may appear at any time, and nobody invalidates what was not there. */
const ERROR_CACHE = "public, max-age=0, s-maxage=10";

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

/** The content type and caching of an object, by its key alone: `articles/a/index.html`. */
export function objectHeaders(key: string): Pick<Headers, "contentType" | "cacheControl"> {
  const extension = /\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? "";
  const contentType = CONTENT_TYPES[extension] ?? "application/octet-stream";
  return { contentType, cacheControl: cacheControl(key) };
}

function cacheControl(key: string): string {
  if (HASHED.test(key)) return ASSET_CACHE;
  return key === "404.html" ? ERROR_CACHE : PAGE_CACHE;
}
