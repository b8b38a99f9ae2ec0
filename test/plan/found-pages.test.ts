import { describe, expect, test } from "vitest";
import { BATCH, type Found, type PlanContext } from "../../src/plan/context.ts";
import { findAssets, findPages, putPhase } from "../../src/plan/kinds.ts";
import { isSeam } from "../../src/plan/sitemap-pages.ts";
import { decodeKey, digest, encodeKey, keyName } from "../../src/site.ts";
import {
  at,
  kindOf,
  NOW,
  openPosts,
  people,
  post,
  posts,
  put,
  SITE,
  spoil,
  spoilHandles,
  telling,
} from "./plan-site.ts";
import { type PlanWorld, planWorld } from "./plan-world.ts";

async function worldWith(rows: Parameters<typeof put>[2]): Promise<PlanWorld> {
  const world = await planWorld(SITE, NOW);
  put(world, posts, rows);
  return world;
}

/** The pages of a kind that should exist, in words, and how many batches they came in. */
async function find(world: PlanWorld, name: string, parts: Partial<PlanContext> = {}) {
  const kind = SITE.kinds.find((each) => each.name === name);
  if (kind === undefined) throw new Error(`There is no kind "${name}".`);
  return await world.plan("find", async (plain) => {
    const { context } = telling(plain);
    const batches = await Array.fromAsync(findPages(kind, { ...context, ...parts }));
    return { pages: batches.flat().map(inWords), batches: batches.length };
  });
}

function inWords(found: Found): string {
  const key = found.key === undefined ? "?" : keyName(decodeKey(found.key));
  if (found.error !== undefined)
    return `${key}: ${found.error.code} ${JSON.stringify(found.error.at)}`;
  const start = found.start === undefined ? "" : ` from ${decodeKey(found.start).at(-1)}`;
  return `${key}: ${found.route}${start}`;
}

function upTo(count: number) {
  return Array.from({ length: count }, (_, n) => post(n + 1));
}

describe("a kind with a page for each row", () => {
  test("has those that readers may see, in key order", async () => {
    await using world = await worldWith([
      post(10),
      post(9),
      post(1, { status: "draft" }),
      post(2, { at: NOW + 1 }),
      post(3, { at: NOW }),
      post(4, { until: NOW }),
      post(5, { until: NOW + 1 }),
    ]);

    expect((await find(world, "post")).pages).toEqual([
      "3: /posts/p3/",
      "5: /posts/p5/",
      "9: /posts/p9/",
      "10: /posts/p10/",
    ]);
  });

  test("reports rows that are bad where it matters, whatever their status, and routes that cannot be", async () => {
    await using world = await worldWith([
      post(1, { slug: "../up" }),
      post(2, { status: "draft", slug: "../up" }),
      post(3),
      post(4, { status: "draft" }),
      post(5),
    ]);
    spoil(world, "slug", 3, 4);
    spoil(world, "title", 5);

    expect((await find(world, "post")).pages).toEqual([
      '1: route_invalid {"table":"posts","key":"1","column":"slug"}',
      '3: row_invalid {"table":"posts","key":"3","column":"slug"}',
      '4: row_invalid {"table":"posts","key":"4","column":"slug"}',
      "5: /posts/p5/",
    ]);
  });

  test("keeps what an impossible route is reported with", async () => {
    await using world = await worldWith([post(1, { slug: "../up" })]);

    const found = await world.plan("find", async (context) =>
      (await Array.fromAsync(findPages(kindOf("row", "post"), context))).flat(),
    );

    expect(found).toMatchObject([
      {
        error: { message: expect.stringContaining('"../up"'), hint: expect.stringMatching(/\.$/) },
      },
    ]);
  });

  test("has no page for a row whose key is bad, and reports it", async () => {
    await using world = await planWorld(SITE, NOW);
    put(world, people, [
      { handle: "ann", name: "Ann" },
      { handle: "x", name: "X" },
    ]);
    spoilHandles(world, "x");

    expect((await find(world, "person")).pages).toEqual([
      "ann: /people/ann/",
      '?: row_invalid {"table":"people","column":"handle"}',
    ]);
  });

  test("ends where keys are bad, however many", async () => {
    await using world = await planWorld(SITE, NOW);
    const handles = Array.from({ length: BATCH + 1 }, (_, n) => `p${n}`);
    put(
      world,
      people,
      handles.map((handle) => ({ handle, name: "P" })),
    );
    spoilHandles(world);

    expect((await find(world, "person")).pages).toHaveLength(BATCH + 1);
  });

  test.each([
    [BATCH - 1, 1],
    [BATCH, 2],
    [BATCH + 1, 2],
  ])("has %i pages in %i batches", async (count, batches) => {
    await using world = await worldWith(upTo(count));

    const found = await find(world, "post");

    expect(found.pages).toEqual(upTo(count).map(({ id, slug }) => `${id}: /posts/${slug}/`));
    expect(found.batches).toBe(batches);
  });
});

describe("a kind of lists", () => {
  test("has a head for each partition and an archive for those that outgrow it", async () => {
    await using world = await worldWith([
      ...upTo(4),
      post(5, { at: at("2023-01-01") }),
      post(6, { topic: "y" }),
      post(7, { topic: "y", status: "draft" }),
    ]);

    expect((await find(world, "topic")).pages).toEqual([
      "x: /topics/x/",
      "x,2023,1: /topics/x/2023/ from 5",
      "x,2024,1: /topics/x/2024/ from 1",
      "x,2024,2: /topics/x/2024/2/ from 4",
      "y: /topics/y/",
    ]);
    expect((await find(world, "stream")).pages).toEqual([
      ": /stream/",
      "1: /stream/1/ from 5",
      "2: /stream/2/ from 3",
    ]);
  });

  test("reports a partition that makes no route, with each of its windows", async () => {
    await using world = await worldWith(upTo(3).map((row) => ({ ...row, topic: ".." })));

    expect((await find(world, "topic")).pages).toEqual([
      '..: route_invalid {"column":"part"}',
      '..,2024,1: route_invalid {"column":"part"}',
    ]);
  });

  test.each([
    [BATCH * 10 - 1, 1],
    [BATCH * 10, 2],
    [BATCH * 10 + 1, 2],
  ])("walks %i places in %i batches", async (count, batches) => {
    await using world = await worldWith(upTo(count).map((row) => ({ ...row, at: NOW })));

    const found = await find(world, "stream");

    expect(found.pages).toHaveLength(1 + Math.ceil(count / 3));
    expect(found.pages.at(-1)).toMatch(/^166[67]: /);
    expect(found.batches).toBe(batches);
  });
});

test("a single kind has one page, and texts have one for each file", async () => {
  await using world = await planWorld(SITE, NOW);
  const file = (name: string) => ({ name, title: "", description: "", body: "" });
  const content = new Map([
    ["pages", [file("about"), file("help/contact")]],
    ["other", [file("x")]],
  ]);

  expect((await find(world, "home")).pages).toEqual([": /"]);
  expect((await find(world, "text", { content })).pages).toEqual([
    "about: /about/",
    "help%2Fcontact: /help/contact/",
  ]);
  expect((await find(world, "text", { content: new Map() })).pages).toEqual([]);
});

test("assets come in the order of their names, at their objects' routes", async () => {
  await using world = await planWorld(SITE, NOW);
  const asset = (name: string) => ({ name, key: `assets/${name}`, body: new Uint8Array() });
  const assets = ["b.css", "a.css", "c.css", "B.css"].map(asset);

  const found = await world.plan("find", async (context) =>
    (await Array.fromAsync(findAssets({ ...context, assets }))).flat(),
  );

  expect(found.map(inWords)).toEqual(
    ["B.css", "a.css", "b.css", "c.css"].map((name) => `${name}: /assets/${name}`),
  );
});

describe("sitemaps", () => {
  test("are an index and one for each kind that has pages, by the kinds' names", async () => {
    await using world = await openPosts([post(1)]);

    expect((await find(world, "sitemap")).pages).toEqual([
      ": /sitemap.xml",
      ...["home", "person", "post", "stream", "text", "topic"].map(
        (name) => `${name}: /sitemaps/${name}.xml`,
      ),
    ]);
  });

  test("begin at seams, and where the one before is full", async () => {
    await using world = await openPosts(upTo(40));
    const kind = kindOf("sitemap", "sitemap");

    const starts: number[] = [];
    let count = 0;
    for (const { id } of upTo(40)) {
      const key = encodeKey([Number(id)]);
      if (count === 0 || count === 4 || isSeam(kind, key)) {
        starts.push(Number(id));
        count = 0;
      }
      count += 1;
    }
    const routes = starts.map((id, at) => {
      const hex = digest(encodeKey([id]))
        .toString("hex")
        .slice(0, 16);
      return at === 0 ? "/sitemaps/post.xml" : `/sitemaps/post-${hex}.xml`;
    });

    const own = (await find(world, "sitemap")).pages.filter((each) => each.startsWith("post"));
    expect(own.map((each) => each.split(": ")[1])).toEqual(routes);
    expect(own[1]).toMatch(`post,${encodeKey([starts[1] ?? 0]).toString("hex")}: `);
  });
});

describe("a page is put", () => {
  const cases = [
    ["assets", undefined, "assets"],
    ["a row's", kindOf("row", "post"), "changed"],
    ["a list's", kindOf("list", "topic"), "lists"],
    ["a text's", kindOf("content", "text"), "changed"],
    ["one that reads lists", kindOf("single", "home"), "lists"],
    ["one that reads none", { ...kindOf("single", "home"), reads: {} }, "changed"],
    [
      "one that joins a row",
      { ...kindOf("single", "home"), reads: { a: kindOf("row", "post").reads["author"] as never } },
      "changed",
    ],
  ] as const;

  test.each(cases)("%s: in its phase", (_, kind, phase) => {
    expect(putPhase(kind, false)).toBe(phase);
    expect(putPhase(kind, true)).toBe(kind === undefined ? "assets" : "new");
  });

  test("with the feeds when it is a sitemap, old or new", () => {
    const kind = kindOf("sitemap", "sitemap");

    expect([putPhase(kind, false), putPhase(kind, true)]).toEqual(["feeds", "feeds"]);
  });
});
