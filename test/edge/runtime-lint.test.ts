import { expect, test } from "vitest";
import { SOURCE } from "./edge-function.ts";
import { runtimeFlaws } from "./runtime-lint.ts";

const inHandler = (statement: string) => `function handler(event) { ${statement} }`;

test("CloudFront's runtime takes the function", () => {
  expect(runtimeFlaws(SOURCE)).toEqual([]);
});

test.each([
  ["return event?.request;", "ChainExpression"],
  ["return event ?? 1;", "operator"],
  ["event.a ||= 1;", "operator"],
  ["class Uri {}", "ClassDeclaration"],
  ["const { request } = event;", "ObjectPattern"],
  ["const [a] = event;", "ArrayPattern"],
  ["return [...event];", "SpreadElement"],
  ["return (a = 1) => a;", "AssignmentPattern"],
  ["for (const a of event) a.b();", "ForOfStatement"],
  ["const a = 1; return { a };", "short property"],
  ["return { [event]: 1 };", "computed property"],
  ["try { a(); } catch { return 1; } function a() {}", "catch without a name"],
  ["return function* () {};", "generator"],
  ["return async () => {};", "async"],
  ["return 1n;", "bigint"],
  ["using a = event;", "using"],
  ["return event.uri.replace(/\\p{L}/u, '');", "regular expression"],
  ["return event.uri.replace(/(?<=a)b/, '');", "regular expression"],
  ["return tag`a`; function tag() {}", "TaggedTemplateExpression"],
  ["return import('crypto');", "ImportExpression"],
  ["return require('crypto');", "the name require"],
  ["return eval('1');", "the name eval"],
  ["return new Function('1');", "the name Function"],
  ["setTimeout(handler, 1);", "the name setTimeout"],
  ["return fetch('https://example.com');", "the name fetch"],
  ["return new URL(event.uri);", "the name URL"],
  ["return process.env;", "the name process"],
  ["return event.uri.at(-1);", "the method at"],
  ["return event.uri.toWellFormed();", "the method toWellFormed"],
  ["return event.uri['at'](0);", "the method undefined"],
])("it would not take %s", (statement, flaw) => {
  expect(runtimeFlaws(inHandler(statement))).toContain(flaw);
});

test("it would not take modules, code without a handler, and too much code", () => {
  expect(runtimeFlaws(`import cf from "cloudfront"; ${inHandler("")}`)).toContain(
    "ImportDeclaration",
  );
  expect(runtimeFlaws(`export ${inHandler("")}`)).toContain("ExportNamedDeclaration");
  expect(runtimeFlaws("const handler = () => 1;")).toContain("no function handler");
  expect(runtimeFlaws(`// ${"x".repeat(10_240)}\n${inHandler("")}`)).toHaveLength(1);
  expect(() => runtimeFlaws("function handler( {")).toThrow();
});

test("it takes what is old", () => {
  const old = inHandler(
    "var a = [1]; for (var i in a) { if (a[i] ** 2 > 1 || !i) continue; else break; } switch (a) { case 1: return `x`; default: return { b: function (...c) { return c.map((d) => d); } }; }",
  );

  expect(runtimeFlaws(old)).toEqual([]);
});
