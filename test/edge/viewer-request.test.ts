import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { requestedKey } from "../../src/cli/preview-key.ts";
import { type Address, address, checkRoute, fillRoute, path } from "../../src/site.ts";
import { corpus } from "../corpus.ts";
import { SLUGS } from "../site/slugs.ts";
import { ADDRESSES, REFUSED } from "./addresses.ts";
import { edgeKey, edgePath, MISSING } from "./edge-function.ts";

const article = path`/articles/${{ ref: "slug" }}/`;
const file = path`/files/${{ ref: "slug" }}`;

/** What must hold for each route: the edge asks for its object, under a name that is invalidated. */
function expectServed({ key, viewerPath, invalidations }: Address): void {
  const cached = edgePath(viewerPath);

  expect(edgeKey(viewerPath)).toBe(key);
  expect(invalidations).toContain(cached);
  // A name that is rewritten stays as it is, so both items of a folder name one copy.
  expect(invalidations.map(edgePath)).toEqual(invalidations.map(() => cached));
}

/** The routes of the slug; none where the encoder refuses it. */
function routesOf(slug: string): string[] {
  return [article, file].flatMap((template) => {
    try {
      return [fillRoute(template, { slug })];
    } catch {
      return [];
    }
  });
}

describe("the edge and the preview server mean the same object by", () => {
  test.each(ADDRESSES)("%s", (target, key) => {
    expect(edgeKey(target)).toBe(key);
    expect(requestedKey(target)).toEqual({ key });
  });
});

describe("neither asks for anything for", () => {
  test.each(REFUSED)("%j", (target) => {
    expect(edgePath(target)).toBe(MISSING);
    expect(requestedKey(target).refused).toEqual(expect.any(String));
  });
});

test.each(SLUGS)("slug %j is served from its object", (slug, viewerPath) => {
  const own = address(fillRoute(article, { slug }));

  expectServed(own);
  expect(own.viewerPath).toBe(viewerPath);
});

test("every slug of the corpus that makes a route is served, as a folder and as a file", async () => {
  let served = 0;
  for await (const { slug } of corpus<{ slug: string }>("articles")) {
    for (const route of routesOf(slug)) {
      expectServed(address(route));
      served += 1;
    }
  }

  // Two begin with "/"; one ends with it, which is a folder's alone.
  expect(served).toBe(4177 + 4176);
});

test("nothing that no route may be is asked for", () => {
  expect(() => checkRoute(`/${"x".repeat(1025)}`)).toThrow();
  expect(edgeKey(`/${"x".repeat(1024)}`)).toBe("x".repeat(1024));
  expect(edgePath(`/${"x".repeat(1025)}`)).toBe(MISSING);
  expect(edgePath(`/${"%E6%97%A5".repeat(342)}`)).toBe(MISSING);
  expect(() => fillRoute(article, { slug: MISSING.slice(1) })).toThrow("index.html");
});

const slugs = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(...[..."%+ /.*'()!~&=;,@:$?#[]{}|^\"<>é日\u0301\u0085\u200a", "😀"]),
    minLength: 1,
    maxLength: 12,
  }),
);

test("whatever slug the encoder takes, the edge asks for what is published", () => {
  let served = 0;
  fc.assert(
    fc.property(slugs, (slug) => {
      for (const route of routesOf(slug)) {
        expectServed(address(route));
        expect(requestedKey(address(route).viewerPath).key).toBe(address(route).key);
        served += 1;
      }
    }),
    { numRuns: 2000 },
  );

  expect(served).toBeGreaterThan(1000);
});

/** The bytes of a path, each written as a percent-encoding or, where that is allowed, as itself. */
function respelt(viewerPath: string, choices: readonly number[]): string {
  const bytes = Buffer.from(decodeURIComponent(viewerPath.slice(1)));
  const spelt = [...bytes].map((byte, at) => {
    const char = String.fromCharCode(byte);
    const hex = `%${byte.toString(16).padStart(2, "0")}`;
    const choice = choices[at % choices.length] ?? 0;
    if (char === "/" || (choice === 0 && /[A-Za-z0-9\-_.~!$&'()*+,;=:@]/.test(char))) return char;
    return choice === 1 ? hex : hex.toUpperCase();
  });
  return `/${spelt.join("")}`;
}

test("every spelling of an address is one copy at the edge", () => {
  fc.assert(
    fc.property(slugs, fc.array(fc.nat(2), { minLength: 1, maxLength: 9 }), (slug, choices) => {
      for (const route of routesOf(slug)) {
        const { viewerPath, invalidations } = address(route);
        expect(invalidations).toContain(edgePath(respelt(viewerPath, choices)));
      }
    }),
    { numRuns: 2000 },
  );
});
