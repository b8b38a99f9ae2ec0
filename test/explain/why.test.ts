import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kindMakings } from "../../src/engine.ts";
import { type Why, why } from "../../src/explain.ts";
import { takeDown, type Wired } from "../../src/pipeline.ts";
import { DAY, START } from "../pipeline/rows.ts";
import { openSmall, SITE } from "../pipeline/small-site.ts";
import { asked, wiredOf } from "../pipeline/takedowns.ts";
import { smallWorld, type World } from "../pipeline/world.ts";

async function askedWhy(
  { site, store, now }: World,
  route: string,
  rewire: (wired: Wired) => Wired = (same) => same,
): Promise<Why> {
  await using wired = await openSmall(site, { ledger: "ledger.db", store });
  const { signal } = new AbortController();
  return await why(rewire(wired), route, { signal, now: () => now });
}

/** A cause: what changes, the page that it changes and why, and one that it leaves alone. */
interface Case {
  readonly change: (world: World) => void | Promise<void>;
  readonly rewire?: (wired: Wired) => Wired;
  readonly route: string;
  readonly reason: string;
  /** Rows and pages behind the reason. */
  readonly behind?: readonly string[];
  /** What the ledger says of it once it was put, when that is another name. */
  readonly recorded?: string;
  /** It is made to the same bytes, so it is not put. */
  readonly isSame?: boolean;
  /** Where the page is after it. */
  readonly to?: string;
  readonly other: string;
}

const file = (name: string, text: string) => (world: World) =>
  writeFile(join(world.site.dir, name), text);

const CASES: Readonly<Record<string, Case>> = {
  "a row": {
    change: (world) => world.edit(2, "title", "New"),
    route: "/posts/p2/",
    reason: "row:posts/2",
    behind: ["row:posts/2 change"],
    other: "/about/",
  },
  "a joined row": {
    change: (world) => world.sql("UPDATE people SET name = 'Bobby' WHERE handle = 'bob'"),
    route: "/posts/p5/",
    reason: "row:people/bob",
    behind: ["row:people/bob change"],
    other: "/posts/p2/",
  },
  "a row that was absent": {
    change: (world) => world.sql("INSERT INTO people VALUES ('ann', 'Ann')"),
    route: "/posts/p2/",
    reason: "absent:people/ann",
    behind: ["row:people/ann appear"],
    recorded: "row:people/ann",
    other: "/posts/p5/",
  },
  "a row that is gone": {
    change: (world) => world.sql("DELETE FROM people WHERE handle = 'bob'"),
    route: "/posts/p5/",
    reason: "row:people/bob",
    behind: ["row:people/bob go"],
    recorded: "absent:people/bob",
    other: "/posts/p2/",
  },
  "a window that a row entered": {
    change: (world) => world.post(9, { topic: "y" }),
    route: "/all/",
    reason: "list:posts/#head",
    behind: ["row:posts/9 appear"],
    other: "/posts/p5/",
  },
  "a window that a row left": {
    change: (world) => world.edit(5, "topic", "y"),
    route: "/topics/z/",
    reason: "gone",
    behind: [],
    other: "/notes/1/",
  },
  "neighbours in a window that a row left": {
    change: (world) => world.edit(3, "topic", "y"),
    route: "/posts/p2/",
    reason: `list:topics_by_topic/x@${START - 98 * DAY},2-2+1`,
    behind: ["row:topics/x,3 go"],
    other: "/posts/p5/",
  },
  "a count": {
    change: (world) => world.post(9, { topic: "w", author: "cy" }),
    route: "/notes/4/",
    reason: "count:topics_by_topic/w",
    behind: ["row:topics/w,9 appear"],
    other: "/notes/5/",
  },
  "a page that now exists": {
    change: (world) => world.post(7, { author: "cy", topic: "y" }),
    route: "/notes/4/",
    reason: "page:/posts/p7/",
    behind: ["/posts/p7/ create absent"],
    recorded: "page",
    other: "/notes/1/",
  },
  "a page that no longer does": {
    change: (world) => world.sql("DELETE FROM posts WHERE id = 2"),
    route: "/notes/4/",
    reason: "page:/posts/p2/",
    behind: ["/posts/p2/ delete gone"],
    recorded: "page",
    other: "/notes/5/",
  },
  "a page that appears": {
    change: (world) => world.post(7, { topic: "y" }),
    route: "/posts/p7/",
    reason: "absent",
    behind: ["row:posts/7 appear"],
    other: "/notes/1/",
  },
  "a page that moves": {
    change: (world) => world.edit(5, "slug", "other"),
    route: "/posts/p5/",
    reason: "route",
    behind: ["row:posts/5 change"],
    to: "/posts/other/",
    other: "/notes/5/",
  },
  "a template": {
    change: file("templates/post.eta", "<h1><%= it.row.title %></h1>"),
    route: "/posts/p2/",
    reason: "template:post",
    other: "/notes/2/",
  },
  "a partial": {
    change: file("templates/entry.eta", "<%= it.title %>"),
    route: "/posts/p2/",
    reason: "template:entry",
    recorded: "template:post",
    other: "/notes/2/",
  },
  "an asset": {
    change: file("assets/mark.svg", "<svg></svg>"),
    route: "/posts/p2/",
    reason: "asset:mark.svg",
    recorded: "template:post",
    other: "/notes/2/",
  },
  "a content file": {
    change: file("pages/about.md", "---\ntitle: About\n---\nOther."),
    route: "/about/",
    reason: "content:pages/about.md",
    other: "/posts/p2/",
  },
  "the site definition": {
    change: () => {},
    rewire: (wired) => remade(wired, "definition:post"),
    route: "/posts/p2/",
    reason: "definition:post",
    isSame: true,
    other: "/notes/2/",
  },
  "the runtime": {
    change: () => {},
    rewire: (wired) => remade(wired, "runtime:node"),
    route: "/posts/p2/",
    reason: "runtime:node",
    isSame: true,
    other: "/notes/2/",
  },
  "the clock": {
    change(world) {
      world.now += 10 * DAY;
    },
    route: "/posts/p6/",
    reason: "clock:posts/6",
    behind: ["row:posts/6 become due"],
    recorded: "clock",
    other: "/posts/p5/",
  },
};

test.each(Object.entries(CASES))(
  "names the cause before and after the build: %s",
  async (_, each) => {
    await using world = await causeWorld();
    await each.change(world);

    const before = await askedWhy(world, each.route, each.rewire);
    const otherBefore = await askedWhy(world, each.other, each.rewire);
    const { release } = await world.bake({}, each.rewire);
    const after = await askedWhy(world, each.to ?? each.route, each.rewire);
    const otherAfter = await askedWhy(world, each.other, each.rewire);

    expect(before.next?.reason).toBe(each.reason);
    if (each.behind !== undefined) expect(behind(before)).toEqual(each.behind);
    expect(otherBefore).toMatchObject({ next: undefined, put: { release: 1 } });
    expect(otherBefore.reads.filter(({ isChanged }) => isChanged)).toEqual([]);
    if (world.shown()[`${each.route.slice(1)}index.html`] !== undefined) {
      expect(after).toMatchObject({
        next: undefined,
        put: each.isSame ? { release: 1 } : { release, reason: each.recorded ?? each.reason },
      });
    }
    expect(otherAfter).toMatchObject({ next: undefined, put: { release: 1, reason: "absent" } });
  },
);

test("a release tells what of rows and templates was behind a put", async () => {
  await using world = await causeWorld();
  world.edit(3, "title", "New");
  await file("templates/entry.eta", "<%= it.title %>")(world);
  await world.bake();

  expect((await askedWhy(world, "/posts/p2/")).put?.found).toEqual(["template:entry"]);
  expect((await askedWhy(world, "/notes/3/")).put).toMatchObject({
    found: ["row:posts/3"],
    at: START,
  });
});

test("a column that no page declares is no cause", async () => {
  await using world = await causeWorld();
  world.sql("ALTER TABLE posts ADD COLUMN views INTEGER");
  world.sql("UPDATE posts SET views = 7");

  expect((await askedWhy(world, "/posts/p2/")).next).toBeUndefined();
});

test("says why there is no page", async () => {
  await using world = await causeWorld();
  world.post(8, { status: "draft" });
  world.post(9, { expires_at: START - DAY });
  await world.bake();
  const none = async (route: string) => (await askedWhy(world, route)).none.join(" ");

  expect(await none("/posts/p8/")).toContain('its status is "draft", not "published"');
  expect(await none("/posts/p9/")).toContain("its expires_at was 2023-12-31T");
  expect(await none("/notes/6/")).toContain("its published_at is 2024-01-06T");
  expect(await none("/post/p2/")).toContain("Did you mean /posts/p2/?");
  expect(await none("/nothing/like/it/")).toContain("none is live there");
});

test("says why a page cannot be made", async () => {
  await using world = await causeWorld();
  world.edit(2, "title", "throw");
  await world.bake();
  world.loosen();
  world.sql("UPDATE posts SET status = 'odd' WHERE id = 3");

  expect((await askedWhy(world, "/posts/p3/")).failure).toContain("status");
});

/** Five posts, one scheduled; two authors, one of them known; a body that links to posts 2 and 7. */
async function causeWorld(): Promise<World> {
  const world = await smallWorld(3);
  world.sql("INSERT INTO people VALUES ('bob', 'Bob')");
  world.post(4, { body: "[2](/posts/p2/) [7](/posts/p7/)", topic: "w", author: "dee" });
  world.post(5, { author: "bob", topic: "z" });
  world.post(6, { published_at: START + 5 * DAY, topic: "v", author: "eve" });
  await world.bake();
  return world;
}

function behind({ next }: Why): readonly string[] {
  return [
    ...(next?.rows ?? []).map(({ row, did }) => `${row} ${did}`),
    ...(next?.pages ?? []).map(({ route, action, reason }) => `${route} ${action} ${reason}`),
  ];
}

/** The same parts, of which one made the posts' pages otherwise. */
function remade(wired: Wired, part: string): Wired {
  const making = kindMakings(SITE, wired.templates, { "runtime:node": "v1" });
  return {
    ...wired,
    fingerprint: (kind) =>
      kind.name === "post" ? Buffer.from("another 16 bytes") : wired.fingerprint(kind),
    making: (kind) => (kind.name === "post" ? { ...making(kind), [part]: "other" } : making(kind)),
  };
}

test("of a page that is taken down the takedown is the reason, before and after what follows, wherever its row moves", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  const reason = "asked for";
  await wiredOf(world, (wired) => takeDown(wired, ["/posts/p2/"], asked(world, { reason })));
  const told = `Its page, post 2, is taken down since ${new Date(world.now / 1000).toISOString()}, because of: asked for; `;

  expect((await askedWhy(world, "/posts/p2/")).next).toMatchObject({
    ...{ action: "delete", reason: "barred" },
  });
  await world.bake();
  const ends = "`nightbake takedown lift /posts/p2/` ends that.";
  expect((await askedWhy(world, "/posts/p2/")).none).toEqual([told + ends]);
  world.edit(2, "slug", "moved");
  await world.bake();
  expect((await askedWhy(world, "/posts/moved/")).none).toEqual([told + ends]);
  expect((await askedWhy(world, "/posts/p2/")).none).toEqual([told + ends]);
});
