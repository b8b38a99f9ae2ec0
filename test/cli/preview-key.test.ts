import { describe, expect, test } from "vitest";
import { folderKey, requestedKey } from "../../src/cli/preview-key.ts";
import { address } from "../../src/site.ts";

describe("a request for", () => {
  test.each([
    ["/", "index.html"],
    ["/x/", "x/index.html"],
    ["/x", "x"],
    ["/x/index.html", "x/index.html"],
    ["/x/?y=/z/", "x/index.html"],
    ["/x?y=/", "x"],
    ["/?", "index.html"],
    ["/robots.txt", "robots.txt"],
    ["/caf%C3%A9/", "café/index.html"],
    ["/caf%c3%a9/", "café/index.html"],
    ["/a+b%2B%20%25/", "a+b+ %/index.html"],
    ["/a/b.c/", "a/b.c/index.html"],
    ["/..a/b../...", "..a/b../..."],
    ["/%E0%A6%AC/", "ব/index.html"],
    // Once decoded is enough: this is the name of a page that holds "%2e%2e".
    ["/%252e%252e/", "%2e%2e/index.html"],
    ["/a%3Fb%23c/", "a?b#c/index.html"],
  ])("%s reads %s", (target, key) => {
    expect(requestedKey(target)).toEqual({ key });
  });
});

describe("nothing is read for", () => {
  test.each([
    ["/../etc/passwd"],
    ["/x/.."],
    ["/./x"],
    ["/%2e%2e/etc/passwd"],
    ["/%2E%2E%2fetc/passwd"],
    ["/..%2fetc%2fpasswd"],
    ["/..%5cetc"],
    ["/x\\..\\y"],
    ["/x%00.html"],
    ["/x%0a"],
    ["/%7f"],
    ["//etc/passwd"],
    ["/x//"],
    ["//"],
    ["/%2fetc/passwd"],
    ["/x%2f"],
    ["/%"],
    ["/%ff/"],
    ["/%c0%ae%c0%ae/"],
    ["/%ed%a0%80/"],
    ["http://example.com/x/"],
    ["*"],
    [""],
    ["x/"],
  ])("%j", (target) => {
    expect(requestedKey(target)).toEqual({ refused: expect.any(String) });
  });
});

test("what a browser requests for a route is read from that route's object", () => {
  const routes = ["/", "/a/b/", "/x.y", "/বাংলা/", "/e\u0301/", "/%e2%80%8a/", "/a+*'()!~&=;,@:$/"];

  const keys = routes.map((route) => requestedKey(address(route).viewerPath).key);

  expect(keys).toEqual(routes.map((route) => address(route).key));
});

test("the hint for a missing slash is the folder's page", () => {
  expect(folderKey("x")).toBe("x/index.html");
  expect(folderKey("x/index.html")).toBeUndefined();
  expect(folderKey("index.html")).toBeUndefined();
});
