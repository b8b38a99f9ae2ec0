import { expect, test } from "vitest";
import { address, encodeRoute, fillRoute, foldRoute, path, routeOfKey } from "../../src/site.ts";
import { corpus } from "../corpus.ts";
import { SLUGS } from "./slugs.ts";

const article = path`/articles/${{ ref: "slug" }}/`;

function route(slug: string): string {
  return fillRoute(article, { slug });
}

test("a plain slug", () => {
  expect(address(route("hello-world"))).toEqual({
    route: "/articles/hello-world/",
    key: "articles/hello-world/index.html",
    viewerPath: "/articles/hello-world/",
    invalidations: ["/articles/hello-world/", "/articles/hello-world/index.html"],
  });
});

test("a route that is a file", () => {
  expect(address("/sitemap.xml")).toEqual({
    route: "/sitemap.xml",
    key: "sitemap.xml",
    viewerPath: "/sitemap.xml",
    invalidations: ["/sitemap.xml"],
  });
});

test.each(SLUGS)("slug %j is requested as %s", (slug, viewerPath) => {
  expect(address(route(slug)).viewerPath).toBe(viewerPath);
});

test.each([
  ["", "is empty"],
  ["..", 'has a part "." or ".."'],
  ["a/../b", 'has a part "." or ".."'],
  ["a/./b", 'has a part "." or ".."'],
  ["/etc", "starts or ends"],
  ["a//", "starts or ends"],
  ["/", "starts or ends"],
  ["a//b", "starts or ends"],
  ["a\\b", "backslash"],
  ["a\0b", "control character"],
  ["a\nb", "control character"],
  ["\ud800", "lone surrogate"],
  ["index.html", "index.html"],
  ["a/INDEX.html", "index.html"],
  ["x".repeat(256), "255 bytes"],
  [Array.from({ length: 10 }, () => "y".repeat(200)).join("/"), "1024 bytes"],
])("slug %j makes no route", (slug, reason) => {
  expect(() => route(slug)).toThrow(expect.objectContaining({ code: "route_invalid" }));
  expect(() => route(slug)).toThrow(reason);
});

test("the four forms agree for every slug of the corpus but those that begin with a slash", async () => {
  const keys = new Set<string>();
  let count = 0;
  let refused = 0;
  for await (const { slug } of corpus<{ slug: string }>("articles")) {
    if (slug.startsWith("/")) {
      expect(() => route(slug)).toThrow(expect.objectContaining({ code: "route_invalid" }));
      refused += 1;
      continue;
    }
    const { route: own, key, viewerPath, invalidations } = address(route(slug));
    const requested = decodeURIComponent(new URL(viewerPath, "https://example.com").pathname);

    expect(own).toBe(`/articles/${slug.replace(/\/$/, "")}/`);
    expect(requested).toBe(own);
    expect(`/${key}`).toBe(`${requested}index.html`);
    expect(routeOfKey(key)).toBe(own);
    expect(invalidations).toEqual([viewerPath, `${viewerPath}index.html`]);
    expect(viewerPath).toMatch(/^[A-Za-z0-9\-_.~%/]+$/);
    keys.add(key);
    count += 1;
  }

  expect(keys.size).toBe(count);
  expect({ count, refused }).toEqual({ count: 4177, refused: 2 });
});

test("routes that a case-blind file system cannot tell apart fold to one", () => {
  expect(foldRoute("/Caf\u00e9/")).toBe(foldRoute("/cafe\u0301/"));
  expect(foldRoute("/a/")).not.toBe(foldRoute("/b/"));
});

test("encoding never makes a wildcard", () => {
  expect(encodeRoute("/a*/")).toBe("/a%2A/");
});
