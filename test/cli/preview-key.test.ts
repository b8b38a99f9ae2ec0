import { describe, expect, test } from "vitest";
import { folderKey, requestedKey } from "../../src/cli/preview-key.ts";
import { address } from "../../src/site.ts";
import { ADDRESSES, REFUSED } from "../edge/addresses.ts";

describe("a request for", () => {
  test.each(ADDRESSES)("%s reads %s", (target, key) => {
    expect(requestedKey(target)).toEqual({ key });
  });
});

describe("nothing is read for", () => {
  test.each([...REFUSED, "http://example.com/x/", "*", "", "x/"])("%j", (target) => {
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
