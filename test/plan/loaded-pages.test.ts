import { describe, expect, test } from "vitest";
import { path } from "../../src/index.ts";
import type { Failure } from "../../src/plan/context.ts";
import { loadLinks } from "../../src/plan/entries.ts";
import { loadPages } from "../../src/plan/kinds.ts";
import { plannedPages } from "../../src/plan/planned.ts";
import {
  archiveName,
  countName,
  newestName,
  placeName,
  readName,
  routeName,
} from "../../src/plan/read-names.ts";
import { ownColumns } from "../../src/plan/reads.ts";
import { pageTags } from "../../src/plan/tags.ts";
import { digest, digestOf, encodeKey, type LoadedPage } from "../../src/site.ts";
import {
  applyAll,
  at,
  byTopic,
  HOUR,
  idOf,
  kindOf,
  NOW,
  openPosts,
  people,
  post,
  posts,
  put,
  SITE,
  spoil,
  stream,
  telling,
  told,
} from "./plan-site.ts";
import { countedContext, type PlanWorld } from "./plan-world.ts";

const JAN = at("2024-01-01");

/** Loads pages as they are planned, with what was told meanwhile. */
async function load(world: PlanWorld, name: string, ...keys: readonly (string | number)[][]) {
  return await world.plan("load", async (plain) => {
    const { context, failures } = telling(plain);
    const kind = SITE.kinds.find((each) => each.name === name);
    const pages = await plannedPages(
      context,
      keys.map((key) => idOf(name, ...key)),
    );
    if (kind === undefined || pages.includes(undefined)) throw new Error("There is no such page.");
    const loaded = await loadPages(
      kind,
      context,
      pages.filter((page) => page !== undefined),
    );
    return { loaded, told: told(failures) };
  });
}

async function loadOne(world: PlanWorld, name: string, ...key: readonly (string | number)[]) {
  const { loaded } = await load(world, name, [...key]);
  return loaded[0] as LoadedPage;
}

/** What was read, by the names of the reads. */
function readsOf({ reads }: LoadedPage) {
  return Object.fromEntries(reads.map(({ key, digest }) => [key, digest]));
}

/** The digests of these values. */
function digests(values: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(values).map(([key, each]) => [key, digestOf(each)]));
}

function upTo(count: number) {
  return Array.from({ length: count }, (_, n) => post(n + 1));
}

/** An entry of a topic, by Ann. */
function entry(id: number) {
  const href = `/posts/p${id}/`;
  return { title: `T${id}`, at: JAN + id * HOUR, href, hrefs: { author: "/people/ann/" } };
}

describe("the page of a row", () => {
  test("has its columns, its joined row, its neighbours, counts and newest, and its links", async () => {
    await using world = await openPosts(upTo(6));

    const page = await loadOne(world, "post", 4);

    const near = { before: [entry(3), entry(2)], after: [entry(5)] };
    expect(page.data).toEqual({
      row: { title: "T4", body: null },
      hrefs: { topic: "/topics/x/" },
      author: { name: "Ann" },
      near,
      fellows: 6,
      latest: [entry(6)],
    });
    expect(readsOf(page)).toEqual({
      "template:post": digest("post"),
      ...digests({
        "row:posts/4": [{ title: "T4", body: null }, JAN + 4 * HOUR, page.tags],
        "row:people/ann": { name: "Ann" },
        [`list:posts_by_topic/x@${JAN + 4 * HOUR},4-2+1`]: near,
        "count:posts_by_topic/x": 6,
        "list:posts_by_topic/x#newest1": [entry(6)],
        "page:/posts/p4/#links": { topic: "/topics/x/" },
      }),
    });
    expect(page.uses).toEqual([
      readName("row:people/ann"),
      placeName(byTopic.name, "x", [JAN + 4 * HOUR, 4]),
      countName(byTopic.name, "x"),
      newestName(byTopic.name, "x"),
      routeName("/topics/x/"),
    ]);
    expect(page).toMatchObject({
      ...idOf("post", 4),
      route: "/posts/p4/",
      template: "post",
      start: undefined,
      lastmod: JAN + 4 * HOUR,
      markdown: { text: "" },
      tags: pageTags(kindOf("row", "post"), encodeKey([4]), { author: "ann", topic: "x" }),
    });
  });

  test("has the Markdown of its columns as it is", async () => {
    await using world = await openPosts([post(1, { body: "*a*" })]);

    expect(await loadOne(world, "post", 1)).toMatchObject({ markdown: { text: "*a*" } });
  });

  test("without reads, links or a last change has none", async () => {
    await using world = await openPosts([]);

    const page = await loadOne(world, "person", "ann");

    expect(page).toMatchObject({
      data: { row: { name: "Ann" }, hrefs: {} },
      markdown: {},
      uses: [],
    });
    expect(page.lastmod).toBeUndefined();
    expect(readsOf(page)).toEqual({
      "template:person": digest("person"),
      ...digests({
        "row:people/ann": [{ name: "Ann" }, undefined, page.tags],
        "page:/people/ann/#links": {},
      }),
    });
  });

  test("that is in no partition and joins NULL reads nothing there, and shares nothing", async () => {
    await using world = await openPosts([post(1), post(2, { author: null, section: null })]);

    const page = await loadOne(world, "post", 2);

    const near = { before: [], after: [] };
    expect(page.data).toMatchObject({ author: undefined, near, fellows: 0, latest: [] });
    expect(readsOf(page)).toMatchObject(
      digests({
        "absent:people/": undefined,
        [`list:posts_by_topic/@${JAN + 2 * HOUR},2-2+1`]: near,
        "count:posts_by_topic/": 0,
        "list:posts_by_topic/#newest1": [],
      }),
    );
    expect(page.uses).toEqual([routeName("/topics/x/")]);
  });

  test("joins a row that is not there, and reads an empty partition, as absent and empty", async () => {
    await using world = await openPosts([post(1, { author: "bob", section: "none" })]);

    const page = await loadOne(world, "post", 1);

    expect(page.data).toMatchObject({ author: undefined, fellows: 0, latest: [] });
    expect(readsOf(page)).toMatchObject(digests({ "absent:people/bob": undefined }));
    expect(page.uses).toContainEqual(readName("row:people/bob"));
    expect(page.uses).toContainEqual(countName(byTopic.name, "none"));
  });

  test("links only to routes that will exist", async () => {
    await using world = await openPosts([post(1), post(2, { topic: "y", at: NOW + HOUR })]);
    await world.ledger.confirm("more", [
      await livePost(world, 1, { key: encodeKey([2]), route: "/posts/p2/" }),
    ]);
    const { loaded } = await load(world, "post", [1], [2]);
    const [one, two] = loaded as LoadedPage[];

    expect(one?.data).toMatchObject({ hrefs: { topic: "/topics/x/" } });
    expect(two?.data).toMatchObject({ hrefs: {} });
    expect(two?.uses).toContainEqual(routeName("/topics/y/"));
  });

  test("comes in a batch with others in the order asked for, each with its own reads", async () => {
    await using world = await openPosts([
      post(1),
      post(2, { author: "bob" }),
      post(3, { section: "y" }),
      post(4, { topic: "y", section: null }),
    ]);

    const { loaded } = await load(world, "post", [4], [2], [3], [1]);

    const shown = (loaded as LoadedPage[]).map(({ data }) => [data["author"], data["fellows"]]);
    expect(shown).toEqual([
      [{ name: "Ann" }, 0],
      [undefined, 3],
      [{ name: "Ann" }, 1],
      [{ name: "Ann" }, 3],
    ]);
    const near = (loaded as LoadedPage[]).map(({ data }) => {
      const { before, after } = data["near"] as Record<"before" | "after", { title: string }[]>;
      return [before, after].map((entries) => entries.map(({ title }) => title).join(" "));
    });
    expect(near).toEqual([
      ["", ""],
      ["T1", "T3"],
      ["", "T4"],
      ["", "T2"],
    ]);
  });

  test("tells an empty text from NULL, in whatever batch", async () => {
    await using world = await openPosts([]);
    put(world, people, [{ handle: "", name: "Nobody" }]);
    put(world, posts, [
      post(1, { topic: "", section: "", author: "" }),
      post(2, { topic: "y", section: null, author: null }),
    ]);

    const loaded = await world.plan("load", async (plain) => {
      const { context } = telling(plain);
      const pages = [1, 2].map((id) => ({
        ...idOf("post", id),
        route: `/posts/p${id}/`,
        start: undefined,
      }));
      await context.ledger.stage(
        "load",
        pages.map((page) => ({
          ...page,
          phase: "new",
          action: "create",
          reason: "absent",
          from: undefined,
        })),
      );
      return (await loadPages(kindOf("row", "post"), context, pages)) as readonly LoadedPage[];
    });

    expect(
      loaded.map(({ data }) => [data["author"], data["fellows"], data["latest"]]),
    ).toMatchObject([
      [{ name: "Nobody" }, 1, [{ title: "T1" }]],
      [undefined, 0, []],
    ]);
  });

  test("fails when its row is bad or went away; the others are made", async () => {
    await using world = await openPosts(upTo(4));
    spoil(world, "title", 1);
    world.change((database) => database.exec("DELETE FROM posts WHERE id = 3"));

    const { loaded } = await load(world, "post", [1], [2], [3], [4]);

    const [bad, good, gone, last] = loaded;
    expect(bad).toMatchObject({ page: idOf("post", 1), error: { code: "row_invalid" } });
    expect(good).toMatchObject({ route: "/posts/p2/", data: { row: { title: "T2" } } });
    expect(last).toMatchObject({ route: "/posts/p4/", data: { row: { title: "T4" } } });
    expect(gone).toMatchObject({ page: idOf("post", 3), error: { code: "row_invalid" } });
    expect((gone as Failure).error).toMatchObject({
      message: "The row went away while the run was going on.",
      hint: "Run the build again.",
      at: { table: "posts", key: "3", route: "/posts/p3/" },
    });
  });

  test("that joins a bad row is made without it, and the row is told of", async () => {
    await using world = await openPosts(upTo(1));
    world.change((database) => database.exec("UPDATE people SET name = CAST(x'eda080' AS TEXT)"));

    const { loaded, told } = await load(world, "post", [1]);

    expect((loaded[0] as LoadedPage).data).toMatchObject({ author: undefined });
    expect(told).toEqual(['a row: row_invalid {"table":"people","key":"ann","column":"name"}']);
  });
});

test.each([
  ["one", ["author"]],
  ["around", ["section", "at", "id"]],
  ["count", ["section"]],
  ["newest", ["section"]],
])("a read of the sort %s needs the own columns %s", (sort, columns) => {
  const read = Object.values(kindOf("row", "post").reads).find((each) => each.read === sort);
  const whole = Object.values(kindOf("single", "home").reads).find((each) => each.read === sort);

  expect(read && ownColumns(read)).toEqual(columns);
  expect(whole === undefined ? [] : ownColumns(whole)).toEqual([]);
});

describe("links", () => {
  const links = {
    person: path`/people/${{ ref: "author" }}/`,
    both: path`/${{ ref: "author" }}/${{ ref: "topic" }}/`,
  };

  test.each([
    [
      "that exist lead there",
      { author: "ann", topic: "x" },
      { person: "/people/ann/" },
      ["/people/ann/", "/ann/x/"],
    ],
    ["from NULL are not links to the text null", { author: null, topic: "x" }, {}, []],
    [
      "from NULL beside a text are none",
      { author: "ann", topic: null },
      { person: "/people/ann/" },
      ["/people/ann/"],
    ],
    ["from an empty text are none", { author: "", topic: "x" }, {}, []],
  ])("%s", async (_, row, hrefs, routes) => {
    await using world = await openPosts([]);
    put(world, people, [{ handle: "null", name: "Null" }]);
    await applyAll(world);

    const loaded = await world.plan("links", (context) => loadLinks(context, links, [row]));

    expect(loaded).toEqual([{ hrefs, routes }]);
  });
});

async function livePost({ ledger }: PlanWorld, id: number, parts: object) {
  const [page] = await ledger.pages([idOf("post", id)]);
  if (page === undefined) throw new Error(`Post ${id} is not live.`);
  return { ...page, ...parts };
}

describe("an entry", () => {
  const entries = async (world: PlanWorld, part = "x") =>
    (await loadOne(world, "topic", part)).data["entries"];

  test("is there only while its page is", async () => {
    await using world = await openPosts(upTo(3));
    await world.ledger.retire("gone", [idOf("post", 3)], {});

    expect(await entries(world)).toEqual([entry(2)]);
  });

  test.each([
    ["NULL", { author: null }],
    ["an empty text", { author: "" }],
    ["no route", { author: "../up" }],
    ["a route that is not there", { author: "bob" }],
  ])("has no link from %s", async (_, parts) => {
    await using world = await openPosts([post(1, parts)]);

    expect(await entries(world)).toEqual([{ ...entry(1), hrefs: {} }]);
  });

  test("has encoded links", async () => {
    await using world = await openPosts([]);
    put(world, people, [{ handle: "ä b", name: "Ä" }]);
    put(world, posts, [post(1, { author: "ä b", slug: "é" })]);
    await applyAll(world);

    expect(await entries(world)).toMatchObject([
      { href: "/posts/%C3%A9/", hrefs: { author: "/people/%C3%A4%20b/" } },
    ]);
  });

  test("that is a bad row is left out and told of", async () => {
    await using world = await openPosts(upTo(3));
    spoil(world, "title", 3);

    const { loaded, told } = await load(world, "topic", ["x"]);

    expect((loaded[0] as LoadedPage).data["entries"]).toEqual([entry(2)]);
    expect(told).toEqual(['a row: row_invalid {"table":"posts","key":"3","column":"title"}']);
  });

  test("of a list whose entries are no pages leads nowhere of its own", async () => {
    await using world = await openPosts(upTo(1));

    expect((await loadOne(world, "stream")).data["entries"]).toEqual([{ title: "T1", hrefs: {} }]);
  });
});

describe("the page of a list", () => {
  test("that is the head has the newest entries, newest first, and names its archive", async () => {
    await using world = await openPosts([
      ...upTo(5),
      post(6, { at: at("2023-05-05") }),
      post(7, { topic: "xx" }),
    ]);

    const page = await loadOne(world, "topic", "x");

    const shown = {
      part: "x",
      window: undefined,
      entries: [entry(5), entry(4)],
      archive: [
        { name: "2024/2", href: "/topics/x/2024/2/" },
        { name: "2024", href: "/topics/x/2024/" },
        { name: "2023", href: "/topics/x/2023/" },
      ],
      head: "/topics/x/",
    };
    expect(page).toMatchObject({
      ...idOf("topic", "x"),
      route: "/topics/x/",
      template: "list",
      start: undefined,
      lastmod: JAN + 5 * HOUR,
      markdown: {},
      tags: pageTags(kindOf("list", "topic"), encodeKey(["x"]), { part: "x" }),
      data: { ...shown, posts: 6 },
      uses: [archiveName("topic", "x"), countName(byTopic.name, "x")],
    });
    expect(readsOf(page)).toEqual({
      "template:topic": digest("topic"),
      ...digests({ "list:posts_by_topic/x#head": shown, "count:posts_by_topic/x": 6 }),
    });
  });

  test("of its archive has its bucket's entries, newest first, and the way to the head", async () => {
    await using world = await openPosts([...upTo(5), post(6, { at: at("2023-05-05") })]);

    const { loaded } = await load(
      world,
      "topic",
      ["x", "2024", 2],
      ["x", "2023", 1],
      ["x", "2024", 1],
    );
    const [second, past, first] = loaded as LoadedPage[];

    const shown = {
      part: "x",
      window: { name: "2024", bucket: "2024", n: 1 },
      entries: [entry(3), entry(2), entry(1)],
      archive: [],
      head: "/topics/x/",
    };
    expect(first).toMatchObject({
      route: "/topics/x/2024/",
      start: encodeKey([JAN + HOUR, 1]),
      lastmod: JAN + 3 * HOUR,
      data: { ...shown, posts: 6 },
      uses: [routeName("/topics/x/"), countName(byTopic.name, "x")],
    });
    expect(readsOf(first as LoadedPage)).toMatchObject(
      digests({ "list:posts_by_topic/x#2024": shown }),
    );
    expect(second?.data["entries"]).toEqual([entry(5), entry(4)]);
    expect(past?.data["entries"]).toMatchObject([{ title: "T6" }]);
  });

  test("of a bucket ends before the next one begins", async () => {
    const turn = at("2024-01-01");
    await using world = await openPosts([
      post(1, { at: turn - 1 }),
      post(2, { at: turn }),
      post(3, { at: at("2023-01-01") }),
      post(4, { at: at("2023-01-01") - 1 }),
    ]);

    const { loaded } = await load(
      world,
      "topic",
      ["x", "2022", 1],
      ["x", "2023", 1],
      ["x", "2024", 1],
    );

    const titles = (loaded as LoadedPage[]).map(({ data }) =>
      (data["entries"] as { title: string }[]).map(({ title }) => title),
    );
    expect(titles).toEqual([["T4"], ["T1", "T3"], ["T2"]]);
  });

  test("asks for an archive only where there is one", async () => {
    await using world = await openPosts([...upTo(3), post(4, { topic: "y" })]);
    const asked = async (...key: readonly (string | number)[]) =>
      await world.plan("load", async (plain) => {
        const { context } = telling(plain);
        const counts = new Map<string, number>();
        const [page] = await plannedPages(context, [idOf("topic", ...key)]);
        if (page === undefined) throw new Error("There is no such page.");
        await loadPages(kindOf("list", "topic"), countedContext(context, counts), [page]);
        return counts.get("live") ?? 0;
      });

    expect([await asked("x"), await asked("y"), await asked("x", "2024", 1)]).toEqual([1, 0, 0]);
  });

  test("has no last change when no instant is its order", async () => {
    await using world = await openPosts(upTo(2));
    const kind = kindOf("list", "stream");
    const list = { ...stream, order: ["id"], see: ["id", "at"] };

    const loaded = await world.plan("load", async (context) => {
      const pages = await plannedPages(context, [idOf("stream")]);
      const own = pages.filter((page) => page !== undefined);
      return (await loadPages({ ...kind, list }, context, own)) as readonly LoadedPage[];
    });

    expect(loaded[0]?.data["entries"]).toMatchObject([{ id: 2 }, { id: 1 }]);
    expect(loaded[0]?.lastmod).toBeUndefined();
  });

  test("is numbered when its list only grows, and has no instant when none is its order", async () => {
    await using world = await openPosts(upTo(5));

    const { loaded } = await load(world, "stream", [], [1], [2]);

    const [head, , two] = loaded as LoadedPage[];
    const titles = (loaded as LoadedPage[]).map(({ data }) =>
      (data["entries"] as { title: string }[]).map(({ title }) => title),
    );
    expect(titles).toEqual([
      ["T5", "T4"],
      ["T3", "T2", "T1"],
      ["T5", "T4"],
    ]);
    expect(head?.data).toMatchObject({ part: undefined, archive: [{ name: "2" }, { name: "1" }] });
    expect(two?.data).toMatchObject({ window: { name: "2", bucket: undefined, n: 2 } });
    expect(head?.uses).toEqual([archiveName("stream", undefined)]);
    expect(readsOf(head as LoadedPage)).toHaveProperty(["list:stream/#head"]);
    // Its entries do not show when they were published.
    expect(head?.lastmod).toBeUndefined();
  });

  test("names no head that is not there", async () => {
    await using world = await openPosts(upTo(3));
    await world.ledger.retire("gone", [idOf("topic", "x")], {});

    expect((await loadOne(world, "topic", "x", "2024", 1)).data["head"]).toBeUndefined();
  });
});

describe("a single page", () => {
  test("has its reads, its links that exist, and the sitemap's address", async () => {
    await using world = await openPosts(upTo(3));

    const page = await loadOne(world, "home");

    const latest = [3, 2].map((id) => ({ title: `T${id}`, hrefs: {} }));
    const hrefs = { about: "/about/", topic: "/topics/x/" };
    expect(page).toMatchObject({
      ...idOf("home"),
      route: "/",
      template: "home",
      start: undefined,
      lastmod: undefined,
      markdown: {},
      tags: pageTags(kindOf("single", "home"), encodeKey([]), {}),
      data: { sitemap: "https://small.example/sitemap.xml", hrefs, latest, posts: 3 },
      uses: [
        newestName(stream.name, undefined),
        countName(stream.name, undefined),
        routeName("/about/"),
        routeName("/topics/x/"),
      ],
    });
    expect(readsOf(page)).toEqual({
      "template:home": digest("home"),
      ...digests({
        "list:stream/#newest2": latest,
        "count:stream/": 3,
        "page:/#links": hrefs,
      }),
    });
  });

  test("has no link to a route that is not there", async () => {
    await using world = await openPosts([]);

    expect((await loadOne(world, "home")).data).toMatchObject({
      hrefs: { about: "/about/" },
      latest: [],
    });
    expect(Object.keys((await loadOne(world, "home")).data["hrefs"] as object)).toEqual(["about"]);
  });

  test("of a site without sitemaps has no address of one", async () => {
    await using world = await openPosts([]);

    const data = await world.plan("load", async (plain) => {
      const { context } = telling(plain);
      const kinds = SITE.kinds.filter(({ is }) => is !== "sitemap");
      const [planned] = await plannedPages(context, [idOf("home")]);
      if (planned === undefined) throw new Error("The home page is live.");
      const [page] = await loadPages(
        kindOf("single", "home"),
        { ...context, site: { ...SITE, kinds } },
        [planned],
      );
      return (page as LoadedPage).data;
    });

    expect(data).toHaveProperty("sitemap", undefined);
  });
});

describe("the page of a text", () => {
  test("has its title, description and body", async () => {
    await using world = await openPosts([]);

    const page = await loadOne(world, "text", "about");

    expect(page).toMatchObject({
      ...idOf("text", "about"),
      route: "/about/",
      template: "text",
      data: { title: "About", description: "Us" },
      markdown: { body: "*We*" },
      uses: [],
      tags: pageTags(kindOf("content", "text"), encodeKey(["about"]), {}),
    });
    expect(readsOf(page)).toEqual({
      "template:text": digest("text"),
      ...digests({ "content:pages/about.md": ["About", "Us", "*We*"] }),
    });
  });

  test("whose file is gone is not made", async () => {
    await using world = await openPosts([]);

    const loaded = await world.plan("load", async (plain) => {
      const [planned] = await plannedPages(plain, [idOf("text", "about")]);
      if (planned === undefined) throw new Error("The text is live.");
      return await loadPages(kindOf("content", "text"), plain, [planned]);
    });

    expect(loaded).toEqual([]);
  });
});

describe("a sitemap", () => {
  test("has the addresses and last changes of its pages", async () => {
    await using world = await openPosts(upTo(2));

    const { loaded } = await load(world, "sitemap", ["post"], ["person"]);
    const [ofPosts, ofPeople] = loaded as LoadedPage[];

    const urls = [1, 2].map((id) => ({ route: `/posts/p${id}/`, lastmod: JAN + id * HOUR }));
    expect(ofPosts).toMatchObject({
      route: "/sitemaps/post.xml",
      template: "urls",
      start: undefined,
      lastmod: undefined,
      data: { urls },
      markdown: {},
      uses: [],
      tags: pageTags(kindOf("sitemap", "sitemap"), encodeKey(["post"]), {}),
    });
    expect(readsOf(ofPosts as LoadedPage)).toEqual({
      "template:sitemap": digest("sitemap"),
      ...digests({ "list:pages/sitemaps/post.xml": { urls } }),
    });
    expect(ofPeople?.data).toEqual({ urls: [{ route: "/people/ann/", lastmod: undefined }] });
  });

  test("that is the index names the others", async () => {
    await using world = await openPosts([]);

    const page = await loadOne(world, "sitemap");

    const sitemaps = ["home", "person", "text"].map((name) => ({ route: `/sitemaps/${name}.xml` }));
    expect(page).toMatchObject({ route: "/sitemap.xml", template: "index", data: { sitemaps } });
    expect(readsOf(page)).toMatchObject(digests({ "list:sitemap": { sitemaps } }));
  });

  test("ends where the next one begins, and together they have every page", async () => {
    await using world = await openPosts(upTo(30));
    const live = await world.ledger.live("sitemap", encodeKey(["post"]).subarray(0, -1), 100);
    const { loaded } = await load(world, "sitemap", ["post"]);
    expect(live.length).toBeGreaterThan(7);

    const all = await world.plan("load", async (plain) => {
      const { context } = telling(plain);
      const own = live.filter(({ route }) => route.startsWith("/sitemaps/post"));
      return await loadPages(kindOf("sitemap", "sitemap"), context, own);
    });

    const urls = (all as LoadedPage[]).map(({ data }) => data["urls"] as { route: string }[]);
    expect(loaded).toHaveLength(1);
    expect(urls.flat().map(({ route }) => route)).toEqual(
      upTo(30).map(({ slug }) => `/posts/${slug}/`),
    );
    for (const each of urls) expect(each.length).toBeLessThanOrEqual(4);
  });
});
