import { describe, expect, test } from "vitest";
import { defineSite, page, redirects } from "../../src/index.ts";
import type { LivePage } from "../../src/ledger/ledger.ts";
import { planClashes } from "../../src/plan/clashes.ts";
import { BATCH } from "../../src/plan/context.ts";
import { pageName, type Step } from "../../src/site.ts";
import { idOf, NOW, telling } from "./plan-site.ts";
import { planWorld, stepsIn } from "./plan-world.ts";

const home = page({ route: "/", template: "home" });
const site = defineSite({
  origin: "https://small.example",
  title: "Small",
  pages: { a: home, b: { ...home, route: "/b/" }, moved: redirects({ template: "moved" }) },
});

const made = { hash: Buffer.of(1), etag: undefined, bytes: 1, release: 1, trace: Buffer.alloc(2) };

function live(kind: string, key: string, route: string): LivePage {
  return { ...idOf(kind, key), route, start: undefined, lastmod: undefined, ...made };
}

function create(kind: string, key: string, route: string): Step {
  const what = { phase: "new", action: "create", reason: "absent" } as const;
  return { ...idOf(kind, key), ...what, route, from: undefined, start: undefined };
}

function move(kind: string, key: string, from: string, route: string): Step {
  return { ...create(kind, key, route), action: "update", reason: "route", from };
}

function update(kind: string, key: string, route: string): Step {
  return { ...create(kind, key, route), phase: "changed", action: "update", reason: "x" };
}

function gone(kind: string, key: string, route: string): Step {
  return { ...create(kind, key, route), phase: "deletes", action: "delete", reason: "gone" };
}

/** Plans with these steps; gives what is left of them, what was taken out and what was told. */
async function clash(pages: readonly LivePage[], steps: readonly Step[], foldsCase = false) {
  await using world = await planWorld(site, NOW);
  await world.ledger.confirm("before", pages);
  return await world.plan("clash", async (plain) => {
    const { context, failures } = telling(plain);
    await context.ledger.stage(context.run, steps);
    const out = await planClashes(context, { foldsCase });
    const left = await stepsIn(context);
    const told = failures.map(({ page }) => (page === undefined ? "" : short(page as Step)));
    const messages = failures.map(({ error }) => error);
    return { left: left.map((each) => each.split(" ", 2)[1]), out: out.map(short), told, messages };
  });
}

function short(step: Step): string {
  return `${step.kind}/${pageName(step).length > 0 ? Buffer.from(step.key).subarray(1, -1).toString() : ""}`;
}

describe("a route that several pages want", () => {
  test("that are new goes to none of them, and each is told with another", async () => {
    const { left, out, told, messages } = await clash(
      [],
      [create("a", "1", "/x/"), create("b", "2", "/x/"), create("a", "3", "/y/")],
    );

    expect(left).toEqual(["a/3"]);
    expect(out.toSorted()).toEqual(["a/1", "b/2"]);
    expect(told.toSorted()).toEqual(["a/1", "b/2"]);
    expect(messages.map(({ message }) => message).toSorted()).toEqual([
      "a/1 cannot have the route /x/: b/2 has or wants it too.",
      "b/2 cannot have the route /x/: a/1 has or wants it too.",
    ]);
    expect(messages).toMatchObject([
      { code: "route_taken", at: { route: "/x/" }, hint: expect.stringMatching(/two rows\.$/) },
      { code: "route_taken" },
    ]);
  });

  test("stays with the page that is live there", async () => {
    const { left, out, told, messages } = await clash(
      [live("a", "1", "/x/")],
      [create("b", "2", "/x/"), create("b", "3", "/y/")],
    );

    expect([left, out, told]).toEqual([["b/3"], ["b/2"], ["b/2"]]);
    expect(messages).toMatchObject([{ at: { kind: "b", key: "2", route: "/x/" } }]);
    expect(messages[0]?.message).toBe("b/2 cannot have the route /x/: a/1 has or wants it too.");
  });

  test("stays with the page that is updated there", async () => {
    const { left } = await clash(
      [live("a", "1", "/x/")],
      [update("a", "1", "/x/"), create("b", "2", "/x/")],
    );

    expect(left).toEqual(["a/1"]);
  });

  test("is free when its page goes or moves in the same plan", async () => {
    const { left, out } = await clash(
      [live("a", "1", "/x/"), live("a", "2", "/y/")],
      [
        gone("a", "1", "/x/"),
        create("b", "1", "/x/"),
        move("a", "2", "/y/", "/z/"),
        create("b", "2", "/y/"),
      ],
    );

    expect(left).toEqual(["a/1", "a/2", "b/1", "b/2"]);
    expect(out).toEqual([]);
  });

  test("may be exchanged by two pages", async () => {
    const { left } = await clash(
      [live("a", "1", "/x/"), live("a", "2", "/y/")],
      [move("a", "1", "/x/", "/y/"), move("a", "2", "/y/", "/x/")],
    );

    expect(left).toEqual(["a/1", "a/2"]);
  });

  test("is taken again when its page may not move, all along a chain", async () => {
    const { left, out } = await clash(
      [
        live("a", "1", "/1/"),
        live("a", "2", "/2/"),
        live("a", "3", "/3/"),
        live("b", "1", "/taken/"),
      ],
      [
        move("a", "1", "/1/", "/2/"),
        move("a", "2", "/2/", "/3/"),
        move("a", "3", "/3/", "/taken/"),
      ],
    );

    expect(left).toEqual([]);
    expect(out).toEqual(["a/3", "a/2", "a/1"]);
  });

  test("is no clash of pages that only are updated", async () => {
    const { left } = await clash(
      [live("a", "1", "/x/"), live("a", "2", "/x/")],
      [update("a", "1", "/x/"), update("a", "2", "/x/")],
    );

    expect(left).toEqual(["a/1", "a/2"]);
  });

  test("is no clash with a redirect, new or live", async () => {
    const { left, out } = await clash(
      [live("moved", "/x/", "/x/")],
      [
        create("a", "1", "/x/"),
        create("a", "2", "/y/"),
        create("moved", "/y/", "/y/"),
        create("moved", "/x/", "/x/"),
      ],
    );

    expect(left).toHaveLength(4);
    expect(out).toEqual([]);
  });

  test("never makes a redirect give way with a word", async () => {
    const { told } = await clash([live("a", "1", "/x/")], [create("moved", "/x/", "/x/")]);

    expect(told).toEqual([]);
  });
});

describe("routes that differ only in case", () => {
  const pages = [live("a", "1", "/x/")];
  const steps = [create("b", "1", "/X/"), create("b", "2", "/Y/"), create("b", "3", "/y/")];

  test("are two where the store can tell them apart", async () => {
    expect((await clash(pages, steps)).out).toEqual([]);
  });

  test("are one where it cannot", async () => {
    const { left, messages } = await clash(pages, steps, true);

    expect(left).toEqual([]);
    expect(messages.map(({ message }) => message).toSorted()).toEqual([
      "b/1 cannot have the route /X/: a/1 has or wants it too (as /x/, which this store cannot tell apart).",
      "b/2 cannot have the route /Y/: b/3 has or wants it too (as /y/, which this store cannot tell apart).",
      "b/3 cannot have the route /y/: b/2 has or wants it too (as /Y/, which this store cannot tell apart).",
    ]);
  });

  test("are one page's when it changes its own case", async () => {
    const { left } = await clash(pages, [move("a", "1", "/x/", "/X/")], true);

    expect(left).toEqual(["a/1"]);
  });
});

test("a page that may not move is found however many others do", async () => {
  const steps = Array.from({ length: BATCH + 1 }, (_, n) =>
    create("a", `p${String(n).padStart(4, "0")}`, `/${n}/`),
  );

  const { left, out } = await clash([live("b", "1", `/${BATCH}/`)], steps);

  expect(out).toEqual([`a/p0${BATCH}`]);
  expect(left).toHaveLength(BATCH);
});
