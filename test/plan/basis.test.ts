import { describe, expect, test } from "vitest";
import {
  type Basis,
  basisNotes,
  basisOf,
  isSameBasis,
  lastBasis,
  usesOf,
} from "../../src/plan/basis.ts";
import type { PlanContext } from "../../src/plan/context.ts";
import { makingReason } from "../../src/plan/making.ts";
import { digest, digestOf } from "../../src/site.ts";
import { ABOUT, kindOf, NOW, SITE, telling } from "./plan-site.ts";
import { planWorld } from "./plan-world.ts";

const MAKING = { "template:post": "1", "asset:style.css": "2" };
const ASSET = { name: "style.css", key: "assets/style.1.css", body: new Uint8Array() };

/** Asks something of a context with one text, one asset and what kinds are made with. */
async function ask<T>(work: (context: PlanContext) => Promise<T>): Promise<T> {
  await using world = await planWorld(SITE, NOW);
  return await world.plan("basis", async (plain) => {
    const { context } = telling(plain);
    const making = ({ name }: { readonly name: string }) => (name === "post" ? MAKING : {});
    return await work({ ...context, assets: [ASSET], making });
  });
}

function made(context: PlanContext): Basis {
  return basisOf(context, usesOf(context));
}

describe("what a release was made with", () => {
  test("is its moment, its kinds' making, its content and the columns it knows of rows", async () => {
    const basis = await ask(async (context) => made(context));

    expect(basis).toMatchObject({
      now: NOW,
      prints: Object.fromEntries(
        SITE.kinds.map(({ name }) => [name, digest(name).toString("hex")]),
      ),
      parts: MAKING,
      content: digestOf([[["pages", [ABOUT]]], [ASSET.key], []]).toString("hex"),
    });
    const people = ["people", ["name", "handle"], []];
    expect(basis.uses).toMatch(/^[0-9a-f]{32}$/);
    expect(basis.uses).not.toBe(digestOf([people]).toString("hex"));
  });

  test("is read back as it was written, once there is a release", async () => {
    const [before, after, basis] = await ask(async (context) => {
      const own = made(context);
      const notes = new Map(Object.entries(basisNotes(own)));
      return [lastBasis(context), lastBasis({ ...context, notes }), own];
    });

    expect(before).toBeUndefined();
    expect(after).toEqual(basis);
  });

  test("is the same at another moment, and no other way", async () => {
    const basis = await ask(async (context) => made(context));
    const others: Basis[] = [
      { ...basis, prints: { ...basis.prints, post: "0" } },
      { ...basis, parts: {} },
      { ...basis, content: "0" },
      { ...basis, uses: "0" },
    ];

    expect(isSameBasis({ ...basis, now: 1 }, basis)).toBe(true);
    expect(isSameBasis(undefined, basis)).toBe(false);
    for (const other of others) expect(isSameBasis(other, basis)).toBe(false);
  });

  test.each<[string, (context: PlanContext) => PlanContext]>([
    [
      "a text",
      (context) => ({ ...context, content: new Map([["pages", [{ ...ABOUT, body: "" }]]]) }),
    ],
    ["a folder", (context) => ({ ...context, content: new Map([["other", [ABOUT]]]) })],
    ["a redirect", (context) => ({ ...context, redirects: [{ from: "/a/", to: "/b/" }] as never })],
    ["the route history", (context) => ({ ...context, notes: new Map([["imported", "1"]]) })],
    ["an asset", (context) => ({ ...context, assets: [{ ...ASSET, key: "assets/style.2.css" }] })],
    ["the columns that pages read", (context) => ({ ...context, site: withoutList(context) })],
  ])("is other when %s is", async (_, change) => {
    const [before, after] = await ask(async (context) => [made(context), made(change(context))]);

    expect(isSameBasis({ ...before, prints: {} }, { ...after, prints: {} } as Basis)).toBe(false);
  });
});

function withoutList({ site }: PlanContext) {
  return { ...site, kinds: site.kinds.filter(({ name }) => name !== "topic" && name !== "post") };
}

describe("why pages are made anew although no row changed", () => {
  const why = async (change: (basis: Basis) => Partial<Basis> | undefined) =>
    await ask(async (context) => {
      const basis = change(made(context));
      const notes = new Map(basis === undefined ? [] : [["basis", JSON.stringify(basis)]]);
      return await makingReason(kindOf("row", "post"), { ...context, notes });
    });

  test.each<[string, string, (basis: Basis) => Partial<Basis> | undefined]>([
    [
      "another template",
      "template:post",
      ({ parts, ...rest }) => ({ ...rest, parts: { ...parts, "template:post": "0" } }),
    ],
    [
      "another asset",
      "asset:style.css",
      ({ parts, ...rest }) => ({ ...rest, parts: { ...parts, "asset:style.css": "0" } }),
    ],
    [
      "a part that is new",
      "asset:style.css",
      (basis) => ({ ...basis, parts: { "template:post": "1" } }),
    ],
    ["a page that is older than the last release", "template:post", (basis) => basis],
    ["a ledger that knows of no parts", "template:post", ({ parts: _, ...rest }) => rest],
    ["a ledger without a release", "template:post", () => undefined],
  ])("is %s", async (_, reason, change) => {
    expect(await why(change)).toBe(reason);
  });
});
