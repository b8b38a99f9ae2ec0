import { expect, test } from "vitest";
import { bodyKeys, decodeBody, encodeBody } from "../../src/render/kept-body.ts";
import { renderMarkdown } from "../../src/render/markdown.ts";
import { digest } from "../../src/site.ts";
import { corpus } from "../corpus.ts";

const base = { origin: "https://example.com", route: "/articles/a/" };

test("every body of the corpus comes back as it was", { timeout: 120_000 }, async () => {
  for await (const { body_md } of corpus<{ readonly body_md: string }>("articles")) {
    const body = renderMarkdown(body_md, base);

    expect(decodeBody(encodeBody(body))).toEqual(body);
  }
});

test.each([
  ["", false],
  [
    "text, [a](/a/), [b](https://b.org/), [c](#c), [d](mailto:d@e.org), [e](//example.com/x)",
    false,
  ],
  ["[a](a)", true],
  ["[a](../a)", true],
  ["[a](?a)", true],
  ["![a](a.png)", true],
  ['<a href="a">x</a>', true],
  // The site's own scheme without slashes is a relative address.
  ["[a](https:a)", true],
])("%j is placed: %s", (source, isPlaced) => {
  const [here, there] = ["/articles/a/", "/b"].map((route) => {
    return renderMarkdown(source, { ...base, route });
  });

  expect(here?.isPlaced).toBe(isPlaced);
  if (!isPlaced) expect(there).toEqual(here);
  else expect(there?.parts).not.toEqual(here?.parts);
});

test("whatever a body is made from is in its keys", () => {
  const from = { ...base, engine: digest("1"), source: digest("text") };
  const keys = bodyKeys(from);
  const others = [
    { ...from, engine: digest("2") },
    { ...from, origin: "https://example.org" },
    { ...from, source: digest("other") },
  ].map(bodyKeys);
  const elsewhere = bodyKeys({ ...from, route: "/articles/b/" });

  const all = [keys, ...others].flatMap(({ anywhere, atRoute }) => [anywhere, atRoute]);
  expect(new Set(all.map(String)).size).toBe(8);
  expect(elsewhere.anywhere).toEqual(keys.anywhere);
  expect(elsewhere.atRoute).not.toEqual(keys.atRoute);
});

test("other bytes are no body", () => {
  const bytes = encodeBody(renderMarkdown("text", base));

  expect(decodeBody(bytes.subarray(0, -1))).toBeUndefined();
  expect(decodeBody(Buffer.from("text"))).toBeUndefined();
});
