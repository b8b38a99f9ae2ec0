import { describe, expect, test } from "vitest";
import { defineSite, path, redirects, rowPage, table, text } from "../../src/index.ts";
import type { LivePage } from "../../src/ledger/ledger.ts";
import { BATCH, type PlanContext } from "../../src/plan/context.ts";
import { findPages, loadPages, putPhase } from "../../src/plan/kinds.ts";
import { takenRoutes } from "../../src/plan/planned.ts";
import {
  planAllRedirects,
  planRedirects,
  touchAround,
  touchRedirects,
} from "../../src/plan/redirects.ts";
import { resolveRedirects } from "../../src/plan/resolve.ts";
import { pageTags } from "../../src/plan/tags.ts";
import { Touched } from "../../src/plan/touched.ts";
import {
  type DeclaredRedirect,
  decodeKey,
  digest,
  digestOf,
  encodeKey,
  type LoadedPage,
  type RedirectKind,
  type Step,
} from "../../src/site.ts";
import { idOf, NOW, put, telling } from "./plan-site.ts";
import { planWorld, stepsIn } from "./plan-world.ts";

const moves = table("moves", {
  key: "was",
  columns: { was: text({ max: 99 }), target: text({ max: 99 }) },
});
const things = table("things", { key: "id", columns: { id: text({ max: 99 }) } });

const site = defineSite({
  origin: "https://small.example",
  title: "Small",
  pages: {
    thing: rowPage(things, { see: [], route: (row) => path`/${row.id}/`, template: "thing" }),
    moved: redirects({ template: "moved", table: { table: moves, from: "was", to: "target" } }),
  },
});
const KIND = site.kinds[1] as RedirectKind;

const made = { hash: Buffer.of(1), etag: undefined, bytes: 1, release: 1, trace: Buffer.alloc(2) };

function thing(id: string, route = `/${id}/`): LivePage {
  return { ...idOf("thing", id), route, start: undefined, lastmod: undefined, ...made };
}

function redirect(route: string, to: string, parts: Partial<LivePage> = {}): LivePage {
  return { ...thing("x", route), ...idOf("moved", route), start: encodeKey([to]), ...parts };
}

function step(page: LivePage, parts: Partial<Step>): Step {
  const { kind, key, route } = page;
  const what = { phase: "new", action: "create", reason: "absent" } as const;
  return { kind, key, route, ...what, from: undefined, start: undefined, ...parts };
}

function line(from: string, to: string): DeclaredRedirect {
  return { from, to, at: { file: "redirects.txt", line: "1" } };
}

interface World {
  readonly lines?: readonly DeclaredRedirect[];
  readonly rows?: readonly (readonly [was: string, target: string])[];
  readonly pages?: readonly LivePage[];
  readonly steps?: readonly Step[];
  /** Routes that pages had, and their ids. */
  readonly former?: Readonly<Record<string, string>>;
  readonly foldsCase?: boolean;
  /** No row says where it leads as text. */
  readonly isSpoiled?: boolean;
}

/** Works on a world with these redirects, pages and steps. */
async function within<T>(
  parts: World,
  work: (context: PlanContext, failures: ReturnType<typeof telling>["failures"]) => Promise<T>,
): Promise<T> {
  const { lines = [], rows = [], pages = [], steps = [], former = {}, foldsCase = false } = parts;
  await using world = await planWorld(site, NOW);
  put(
    world,
    moves,
    rows.map(([was, target]) => ({ was, target })),
  );
  if (parts.isSpoiled) {
    world.change((database) => database.exec("UPDATE moves SET target = CAST(x'eda080' AS TEXT)"));
  }
  await world.ledger.confirm("before", pages);
  await world.ledger.importFormer(
    Object.entries(former).map(([route, id]) => ({ route, ...idOf("thing", id) })),
    { redirects: "moved", notes: {} },
  );
  return await world.plan("plan", async (plain) => {
    const { context, failures } = telling(plain);
    await context.ledger.stage(context.run, steps);
    return await work({ ...context, redirects: lines, foldsCase }, failures);
  });
}

/** Where the redirects at some routes lead. */
async function resolve(parts: World, ...routes: readonly string[]) {
  return await within(parts, async (context) => {
    const resolved = await resolveRedirects(KIND, context, routes);
    return resolved.map(
      (each) => each && (each.error === undefined ? each.to : each.error.message),
    );
  });
}

describe("a redirect leads", () => {
  const pages = [thing("a"), thing("b")];

  test.each<[string, World, string]>([
    ["where a line says", { lines: [line("/x/", "/a/")] }, "/a/"],
    ["where a row says", { rows: [["/x/", "/a/"]] }, "/a/"],
    ["to where its page is now", { former: { "/x/": "a" } }, "/a/"],
    ["elsewhere", { lines: [line("/x/", "https://else.example")] }, "https://else.example/"],
    [
      "where a line says before a row",
      { lines: [line("/x/", "/a/")], rows: [["/x/", "/b/"]] },
      "/a/",
    ],
    [
      "where a row says before the history",
      { rows: [["/x/", "/a/"]], former: { "/x/": "b" } },
      "/a/",
    ],
    [
      "through all three, to the end",
      { lines: [line("/x/", "/y/")], rows: [["/y/", "/z/"]], former: { "/z/": "b" } },
      "/b/",
    ],
    [
      "to a page although a redirect is declared there",
      { lines: [line("/x/", "/a/"), line("/a/", "/b/")] },
      "/a/",
    ],
    [
      "to a page that is to come",
      { lines: [line("/x/", "/c/")], steps: [step(thing("c"), {})] },
      "/c/",
    ],
    [
      "from a route that its page leaves in this plan",
      { steps: [step(thing("a", "/x/"), { route: "/x/", from: "/a/", action: "update" })] },
      "/x/",
    ],
  ])("%s", async (name, parts, to) => {
    const asked = name.startsWith("from a route") ? "/a/" : "/x/";

    expect(await resolve({ pages, ...parts }, asked)).toEqual([to]);
  });

  test.each<[string, World]>([
    ["where nothing says so", {}],
    ["where a page is", { lines: [line("/x/", "/a/")], pages: [...pages, thing("x")] }],
    [
      "to a page that goes",
      { former: { "/x/": "a" }, steps: [step(thing("a"), { action: "delete" })] },
    ],
    ["to a page that is no more", { former: { "/x/": "gone" } }],
    ["from the route of a page that stays", { steps: [step(thing("a"), { action: "update" })] }],
  ])("nowhere %s", async (_, parts) => {
    expect(await resolve({ pages, ...parts }, "/x/")).toEqual([undefined]);
  });

  test("each where its own says", async () => {
    const parts = {
      pages,
      lines: [line("/x/", "/a/"), line("/y/", "/x/")],
      former: { "/z/": "b" },
    };

    expect(await resolve(parts, "/y/", "/none/", "/z/", "/x/")).toEqual([
      "/a/",
      undefined,
      "/b/",
      "/a/",
    ]);
  });

  test.each<[string, World, string]>([
    [
      "to no page",
      { lines: [line("/x/", "/no/")] },
      "The redirect leads to /no/, where there is no page.",
    ],
    [
      "on to no page",
      { lines: [line("/x/", "/y/"), line("/y/", "/no/")] },
      "The redirect leads to /no/, where there is no page.",
    ],
    ["to itself", { lines: [line("/x/", "/x/")] }, "The redirect leads in a circle: /x/ to /x/."],
    [
      "in a circle",
      { lines: [line("/x/", "/y/"), line("/y/", "/z/"), line("/z/", "/y/")] },
      "The redirect leads in a circle: /x/ to /y/ to /z/ to /y/.",
    ],
    [
      "to one that is wrong",
      { lines: [line("/x/", "/y/")], rows: [["/y/", "no"]] },
      "The redirect leads to /y/, whose own redirect is wrong.",
    ],
    [
      "to nothing that could be",
      { rows: [["/x/", "no"]] },
      'The redirect cannot lead to "no": that does not begin with /.',
    ],
  ])("not %s", async (_, parts, message) => {
    expect(await resolve({ pages, ...parts }, "/x/")).toEqual([message]);
  });

  test("not from a route that is no page's", async () => {
    const lines = [line("/x.css", "/a/")];

    expect(await resolve({ pages, lines }, "/x.css", "/y.css")).toEqual([
      'There cannot be a redirect at "/x.css": that does not end with / or .html.',
      undefined,
    ]);
  });

  test("as far as fifty steps, and no further", async () => {
    const chain = (steps: number) =>
      Array.from({ length: steps }, (_, n) =>
        line(`/${n}/`, n === steps - 1 ? "/a/" : `/${n + 1}/`),
      );

    expect(await resolve({ pages, lines: chain(51) }, "/0/")).toEqual([
      "The redirect takes more than 50 steps.",
    ]);
    expect(await resolve({ pages, lines: chain(50) }, "/0/")).toEqual(["/a/"]);
  });

  test("with where it was declared, and what to do, when it is wrong", async () => {
    const errors = await within(
      {
        lines: [line("/x/", "/no/"), line("/x.css", "/")],
        rows: [
          ["/y/", "no"],
          ["/z/", "/no/"],
        ],
      },
      async (context) => await resolveRedirects(KIND, context, ["/x/", "/y/", "/z/", "/x.css"]),
    );

    const sentence = expect.stringMatching(/^[A-Z].*\.$/);
    const file = { file: "redirects.txt", line: "1" };
    expect(errors).toMatchObject([
      { error: { code: "redirect_invalid", hint: sentence, at: file } },
      {
        error: {
          code: "redirect_invalid",
          hint: sentence,
          at: { table: "moves", key: "%2Fy%2F", column: "target" },
        },
      },
      {
        error: { code: "redirect_invalid", hint: sentence, at: { table: "moves", key: "%2Fz%2F" } },
      },
      { error: { code: "route_invalid", hint: sentence, at: file } },
    ]);
  });

  test("not when its row is bad", async () => {
    const [resolved] = await within(
      { rows: [["/x/", "/a/"]], isSpoiled: true },
      async (context) => await resolveRedirects(KIND, context, ["/x/"]),
    );

    expect(resolved).toMatchObject({ error: { code: "row_invalid" } });
  });
});

describe("the redirect pages", () => {
  const find = async (parts: World) =>
    await within(parts, async (context) => {
      const batches = await Array.fromAsync(findPages(KIND, context));
      return batches.flat().map(({ key, ...found }) => {
        const at = key === undefined ? "?" : decodeKey(key)[0];
        if (found.error !== undefined) return `${at}: ${found.error.code}`;
        return `${at} to ${found.start && decodeKey(found.start)[0]}`;
      });
    });
  const pages = [thing("a"), thing("b")];

  test("are those of lines, rows and the history, by the bytes of their routes", async () => {
    expect(
      await find({
        pages,
        lines: [line("/b1/", "/a/"), line("/c/", "/no/")],
        rows: [
          ["/a1/", "/a/"],
          ["/b1/", "/b/"],
        ],
        former: { "/Z/": "b", "/d/": "gone" },
      }),
    ).toEqual(["/Z/ to /b/", "/a1/ to /a/", "/b1/ to /a/", "/c/: redirect_invalid"]);
  });

  test("are one where the store cannot tell their routes apart", async () => {
    const lines = [line("/C/", "/a/"), line("/c/", "/b/")];

    expect(await find({ pages, lines })).toHaveLength(2);
    expect(await find({ pages, lines, foldsCase: true })).toEqual(["/C/ to /a/"]);
  });

  test.each([BATCH - 1, BATCH, BATCH + 1])(
    "are all of %i rows and as many of the history",
    async (count) => {
      const names = Array.from({ length: count }, (_, n) => `${String(n).padStart(4, "0")}`);
      const former = Object.fromEntries(names.map((name) => [`/f${name}/`, "a"]));
      const rows = names.map((name) => [`/r${name}/`, "/b/"] as const);

      expect(await find({ pages, rows, former })).toEqual([
        ...names.map((name) => `/f${name}/ to /a/`),
        ...names.map((name) => `/r${name}/ to /b/`),
      ]);
    },
  );

  test("are loaded with where they lead", async () => {
    const lines = [line("/x/", "/ä/"), line("/y/", "https://else.example/b?c")];
    const loaded = await within({ pages: [thing("ä")], lines }, async (context) => {
      const found = (await Array.fromAsync(findPages(KIND, context))).flat();
      const planned = found.flatMap((each) =>
        each.error === undefined
          ? [{ kind: "moved", start: undefined, lastmod: undefined, ...each }]
          : [],
      );
      return (await loadPages(KIND, context, planned)) as readonly LoadedPage[];
    });

    expect(loaded.map(({ data }) => data)).toEqual([
      { href: "/%C3%A4/", target: "https://small.example/%C3%A4/", refresh: "0; url=/%C3%A4/" },
      {
        href: "https://else.example/b?c",
        target: "https://else.example/b?c",
        refresh: "0; url=https://else.example/b?c",
      },
    ]);
    expect(loaded[0]).toMatchObject({
      ...idOf("moved", "/x/"),
      route: "/x/",
      template: "moved",
      start: encodeKey(["/ä/"]),
      lastmod: undefined,
      markdown: {},
      uses: [],
      tags: pageTags(KIND, encodeKey(["/x/"]), {}),
      reads: [
        { key: "template:moved", digest: digest("moved") },
        { key: "page:/x/#redirect", digest: digestOf("/ä/") },
      ],
    });
  });

  test("are put among the changed ones, new or not", () => {
    expect([putPhase(KIND, true), putPhase(KIND, false)]).toEqual(["changed", "changed"]);
  });
});

/** Plans redirects; gives the steps in short, and what was told. */
async function plan(parts: World, work: (context: PlanContext) => Promise<void>) {
  return await within(parts, async (context, failures) => {
    await work(context);
    const steps = await stepsIn(context);
    const own = steps.filter((each) => each.includes(" moved/"));
    const short = own.map((each) =>
      each.replace(/ moved.* in changed| moved.* in deletes/, "").replace(/ from undefined/, ""),
    );
    return { steps: short, told: failures.map(({ error }) => error.code) };
  });
}

describe("redirects are planned anew", () => {
  const pages = [thing("a"), thing("b")];
  const at =
    (...routes: readonly string[]) =>
    async (context: PlanContext) =>
      await planRedirects(context, routes);

  test.each<[string, World, readonly string[], readonly string[]]>([
    ["appear", { lines: [line("/x/", "/a/")] }, ["create: absent, at /x/, start %2Fa%2F"], []],
    ["stay", { lines: [line("/x/", "/a/")], pages: [redirect("/x/", "/a/")] }, [], []],
    ["go", { pages: [redirect("/x/", "/a/")] }, ["delete: gone, at /x/, start undefined"], []],
    [
      "lead elsewhere",
      { lines: [line("/x/", "/b/")], pages: [redirect("/x/", "/a/")] },
      ["update: page:/x/#redirect, at /x/, start %2Fb%2F"],
      [],
    ],
    [
      "are looked at when nobody knows what is stored",
      { lines: [line("/x/", "/a/")], pages: [redirect("/x/", "/a/", { hash: undefined })] },
      ["check: unfinished, at /x/, start %2Fa%2F"],
      [],
    ],
    [
      "stay when they are wrong and lead to a page",
      { lines: [line("/x/", "/no/")], pages: [redirect("/x/", "/a/")] },
      [],
      ["redirect_invalid"],
    ],
    [
      "stay when they are wrong and lead elsewhere, whatever is known",
      {
        lines: [line("/x/", "/no/")],
        pages: [redirect("/x/", "https://e.example/", { hash: undefined })],
      },
      [],
      ["redirect_invalid"],
    ],
    [
      "go when they are wrong and lead to no page any more",
      { lines: [line("/x/", "/no/")], pages: [redirect("/x/", "/gone/")] },
      ["delete: gone, at /x/, start undefined"],
      ["redirect_invalid"],
    ],
    [
      "replace what the plan said before",
      { steps: [step(redirect("/x/", "/a/"), { phase: "changed" })] },
      [],
      [],
    ],
  ])("and %s", async (_, parts, steps, told) => {
    const all = { ...parts, pages: [...pages, ...(parts.pages ?? [])] };

    expect(await plan(all, at("/x/"))).toEqual({ steps, told });
  });

  test("but for those that failed in this run, as long as they lead somewhere", async () => {
    const parts = {
      pages: [...pages, redirect("/x/", "/a/"), redirect("/y/", "/a/")],
      lines: [line("/x/", "/b/")],
    };

    const { steps } = await plan(parts, (context) =>
      planRedirects({ ...context, hasFailed: () => true }, ["/x/", "/y/"]),
    );

    expect(steps).toEqual(["delete: gone, at /y/, start undefined"]);
  });

  test("however many they are", async () => {
    const routes = Array.from({ length: BATCH + 1 }, (_, n) => `/r${n}/`);
    const lines = routes.map((route) => line(route, "/a/"));

    expect((await plan({ pages, lines }, at(...routes))).steps).toHaveLength(BATCH + 1);
  });

  test("all of them, those at routes that pages leave in this plan, too", async () => {
    const { steps } = await plan(
      {
        pages: [...pages, redirect("/old/", "/a/")],
        lines: [line("/x/", "/a/")],
        steps: [step(thing("b", "/c/"), { action: "update", from: "/b/" })],
      },
      (context) => planAllRedirects(context),
    );

    expect(steps).toEqual([
      "create: absent, at /b/, start %2Fc%2F",
      "delete: gone, at /old/, start undefined",
      "create: absent, at /x/, start %2Fa%2F",
    ]);
  });

  test("not on a site that has none", async () => {
    const own = { ...site, kinds: site.kinds.slice(0, 1) };
    const touched = new Touched();

    const { steps } = await plan({ pages, lines: [line("/x/", "/a/")] }, async (context) => {
      await planAllRedirects({ ...context, site: own });
      await planRedirects({ ...context, site: own }, ["/x/"]);
      await touchRedirects({ ...context, site: own }, touched, ["/a/"]);
      await touchAround({ ...context, site: own }, touched, [
        { ...idOf("thing", "a"), routes: ["/a/"] },
      ]);
    });

    expect(steps).toEqual([]);
    expect(touched.takeRedirects()).toEqual([]);
  });
});

describe("redirects that may change", () => {
  const parts: World = {
    lines: [
      line("/l1/", "/a/"),
      line("/l2/", "/r1/"),
      line("/l3/", "/else/"),
      line("/l4/", "/l5/"),
      line("/l5/", "/l4/"),
    ],
    rows: [
      ["/r1/", "/l1/"],
      ["/r2/", "/else/"],
    ],
    former: { "/f/": "a", "/g/": "b" },
  };
  const touch = async (work: (context: PlanContext, touched: Touched) => Promise<void>) =>
    await within(parts, async (context) => {
      const touched = new Touched();
      await work(context, touched);
      return touched.takeRedirects();
    });

  test("are those at a route and all that lead there, through others", async () => {
    expect(await touch((context, touched) => touchRedirects(context, touched, ["/a/"]))).toEqual([
      "/a/",
      "/l1/",
      "/r1/",
      "/l2/",
    ]);
  });

  test("are found in a circle, too", async () => {
    expect(await touch((context, touched) => touchRedirects(context, touched, ["/l4/"]))).toEqual([
      "/l4/",
      "/l5/",
    ]);
  });

  test("around a page are those at its routes and its former ones, and not those of redirects", async () => {
    const turned = [
      { ...idOf("thing", "a"), routes: ["/x/", "/y/"] },
      { ...idOf("moved", "/g/"), routes: ["/g/"] },
    ];

    expect(await touch((context, touched) => touchAround(context, touched, turned))).toEqual([
      "/x/",
      "/y/",
      "/f/",
    ]);
  });
});

describe("a route is taken", () => {
  const taken = async (parts: World, ...routes: readonly string[]) =>
    await within(parts, async (context) => [...(await takenRoutes(context, KIND, routes))]);
  const pages = [thing("a"), redirect("/x/", "/a/")];

  test("by a page that is live and stays or is to come, and by no redirect", async () => {
    const steps = [
      step(thing("b"), {}),
      step(thing("a"), { action: "update" }),
      step(redirect("/y/", "/a/"), {}),
    ];

    expect(await taken({ pages, steps }, "/b/", "/a/", "/x/", "/y/", "/none/")).toEqual([
      "/b/",
      "/a/",
    ]);
  });

  test("not by a page that goes", async () => {
    expect(await taken({ pages, steps: [step(thing("a"), { action: "delete" })] }, "/a/")).toEqual(
      [],
    );
  });

  test("in another case only where the store cannot tell", async () => {
    expect(await taken({ pages }, "/A/")).toEqual([]);
    expect(await taken({ pages, foldsCase: true }, "/A/", "/a/", "/B/")).toEqual(["/A/", "/a/"]);
  });
});
