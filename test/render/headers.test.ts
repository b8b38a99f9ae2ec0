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
