import { expect, test } from "vitest";
import { objectHeaders } from "../../src/render/headers.ts";

const PAGE = "public, max-age=0, s-maxage=31536000";
const ASSET = "public, max-age=31536000, immutable";

test.each([
  ["index.html", "text/html; charset=utf-8", PAGE],
  ["articles/v10.14.0/index.html", "text/html; charset=utf-8", PAGE],
  ["articles/a.css/index.html", "text/html; charset=utf-8", PAGE],
  ["404.html", "text/html; charset=utf-8", "public, max-age=0, s-maxage=10"],
  ["articles/404.html", "text/html; charset=utf-8", PAGE],
  ["robots.txt", "text/plain; charset=utf-8", PAGE],
  ["sitemap.xml", "application/xml; charset=utf-8", PAGE],
  ["assets/style.0123456789.css", "text/css; charset=utf-8", ASSET],
  ["assets/img/loaf.0123456789.WEBP", "image/webp", ASSET],
  ["assets/LICENCE.0123456789", "application/octet-stream", ASSET],
  ["assets/style.css", "text/css; charset=utf-8", PAGE],
  ["other/style.0123456789.css", "text/css; charset=utf-8", PAGE],
  ["favicon.svg", "image/svg+xml", PAGE],
  ["data.json", "application/json", PAGE],
  ["no-extension", "application/octet-stream", PAGE],
])("%s is %s, %s", (key, contentType, cacheControl) => {
  expect(objectHeaders(key)).toEqual({ contentType, cacheControl });
});

test("a kind's caching replaces what it names, and the language is said", () => {
  const cache = { maxAge: 60, staleWhileRevalidate: 30, staleIfError: 3600 };
  const stale = "stale-while-revalidate=30, stale-if-error=3600";

  expect(objectHeaders("a/index.html", { cache, language: "pt-BR" })).toEqual({
    contentType: "text/html; charset=utf-8",
    cacheControl: `public, max-age=60, s-maxage=31536000, ${stale}`,
    contentLanguage: "pt-BR",
  });
  expect(objectHeaders("404.html", { cache: { maxAge: 5 } }).cacheControl).toBe(
    "public, max-age=5, s-maxage=10",
  );
  expect(objectHeaders("a.xml", { cache: { sMaxAge: 0 } }).cacheControl).toBe(
    "public, max-age=0, s-maxage=0",
  );
});
