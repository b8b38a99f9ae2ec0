import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { brokenLinks } from "./links.ts";
import { DAY, START } from "./rows.ts";
import { failures, names, smallWorld, type World } from "./world.ts";

const TWO = "posts/p2/index.html";

/** Keys of the objects whose text holds `text`. */
function mentioning({ objects }: World, text: string): readonly string[] {
  return [...objects].flatMap(([key, { body }]) => (Buffer.from(body).includes(text) ? [key] : []));
}

test("in a first build nothing links to a page whose template throws", async () => {
  await using world = await smallWorld(4);
  world.edit(2, "title", "throw");

  const { failed } = await world.bake();

  expect(failed).toBe(1);
  expect(mentioning(world, "/posts/p2/")).toEqual([]);
  expect(brokenLinks(world.objects)).toEqual([]);
});

test("a new list page that fails for an entry alone is there when that entry's own page fails", async () => {
  await using world = await smallWorld(3);
  world.edit(2, "title", "throw");
  const home = join(world.site.dir, "templates", "home.eta");
  await appendFile(home, `<% if (it.latest.length === 3) { throw new Error("three"); } %>`);

  const { events } = await world.bake();

  expect(failures(events)).toEqual(["post 2: template_failed at posts 2 -"]);
  expect(world.objects.has("index.html")).toBe(true);
});

/** Makes the template throw for the second window of each year and author. */
async function breakSecond({ site }: World): Promise<void> {
  const list = join(site.dir, "templates", "list.eta");
  await appendFile(list, `<% if (it.window?.n === 2) { throw new Error("two"); } %>`);
}

/** The windows of topic x in 2023 but for the second, which keeps its last good version. */
function year(shown: Readonly<Record<string, string>>) {
  return Object.entries(shown).filter(([key]) => /^topics\/x\/2023\/(?!2\/)/.test(key));
}

test("windows after one that fails are cut anew, though that one begins where it last did", async () => {
  await using world = await smallWorld(6);
  world.now = START + 100 * DAY;
  await world.bake();
  await breakSecond(world);
  world.post(7, { published_at: START - 200 * DAY });
  await world.bake();
  world.edit(7, "status", "draft");

  await world.bake();

  expect(year(world.shown())).toEqual(year(await world.scratch()));
});

test.for([0, 60])(
  "windows are cut anew though one that fails last began where another does now (%i others failed)",
  async (others) => {
    await using world = await smallWorld(6);
    for (let id = 10; id < 10 + others; id += 1) world.post(id, { slug: "/bad", topic: null });
    world.now = START + 100 * DAY;
    await world.bake();
    await breakSecond(world);
    for (const id of [1, 2]) world.edit(id, "status", "draft");
    await world.bake();
    world.post(7, { published_at: START - 96.5 * DAY });

    await world.bake({ targets: ["post:7", "topics:x,7"] });

    expect(year(world.shown())).toEqual(year(await world.scratch()));
  },
);

test("windows go after one that failed when it was new", async () => {
  await using world = await smallWorld(1);
  world.now = START + 100 * DAY;
  await world.bake();
  await breakSecond(world);
  for (const id of [2, 3, 4, 5, 6]) world.post(id);
  await world.bake();
  for (const id of [3, 4, 5, 6]) world.edit(id, "published_at", START + id);

  await world.bake();

  expect(year(world.shown())).toEqual(year(await world.scratch()));
});

test("what would link to a page that fails again and again is not rendered for it", async () => {
  await using world = await smallWorld(4);
  world.edit(2, "title", "throw");
  await world.bake();
  world.edit(4, "body", "New");

  const { candidates, rendered, changed, failed } = await world.bake();

  expect({ rendered, changed, failed }).toEqual({ rendered: 1, changed: 1, failed: 1 });
  expect(candidates).toBeGreaterThan(1);
});

test("nothing links to a new list page whose template throws", async () => {
  await using world = await smallWorld(4);
  await appendFile(
    join(world.site.dir, "templates", "list.eta"),
    `<% if (it.part === "bad") { throw new Error("asked for"); } %>`,
  );
  await world.bake();
  world.edit(2, "topic", "bad");

  const { events } = await world.bake();

  expect(failures(events)).toEqual(["topic bad: template_failed at - - -"]);
  expect(mentioning(world, "/topics/bad/")).toEqual([]);
  expect(brokenLinks(world.objects)).toEqual([]);
  expect(world.shown()).toEqual(await world.scratch());
});

test("nothing links to the archive of a list when its template throws", async () => {
  await using world = await smallWorld(6);
  await appendFile(
    join(world.site.dir, "templates", "list.eta"),
    `<% if (it.part === "ann" && it.window?.n === 2) { throw new Error("asked for"); } %>`,
  );

  const { events } = await world.bake();

  expect(failures(events)).toEqual(["author ann,2: template_failed at - - -"]);
  expect(mentioning(world, "/authors/ann/2/")).toEqual([]);
  expect(brokenLinks(world.objects)).toEqual([]);
});

test("a page that moves and fails stays where it was, and links lead there", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  const before = world.shown();
  world.post(2, { slug: "moved", title: "throw" });

  await world.bake();

  expect(mentioning(world, "/posts/moved/")).toEqual([]);
  expect(mentioning(world, "/posts/p2/")).toContain("posts/p1/index.html");
  expect(world.shown()[TWO]).toBe(before[TWO]);

  world.post(2, { slug: "moved" });
  await world.bake();

  expect(world.shown()).toEqual(await world.scratch());
});

test("sitemaps leave out a page that failed, and the index a sitemap that failed", async () => {
  await using world = await smallWorld(3);
  await writeFile(
    join(world.site.dir, "templates", "urls.eta"),
    `<% for (const u of it.urls) { %><loc><%= url(u.route) %></loc><%
      if (u.route === "/notes/1/") { throw new Error("asked for"); } } %>`,
  );
  world.edit(2, "title", "throw");

  await world.bake();

  expect(mentioning(world, "/sitemaps/note.xml")).toEqual([]);
  expect(mentioning(world, "/posts/p2/")).toEqual([]);
  expect(brokenLinks(world.objects)).toEqual([]);
});

/** A store that refuses to put these keys, `when` before or after it did. */
function refusing(
  store: ObjectStore,
  keys: readonly string[],
  when: "before" | "after" = "before",
) {
  return {
    ...store,
    async put(...[artifact, write]: Parameters<ObjectStore["put"]>) {
      const isRefused = keys.includes(artifact.key);
      if (isRefused && when === "before") throw refused(artifact.key);
      const etag = await store.put(artifact, write);
      if (isRefused) throw refused(artifact.key);
      return etag;
    },
  };
}

function refused(key: string): PipelineError {
  return new PipelineError("store_rejected", "This key is refused.", { at: { key } });
}

test.for(["before", "after"] as const)(
  "nothing links to a new page whose put failed (%s it took place), and the next run heals it",
  async (when) => {
    await using world = await smallWorld(4);
    const { events } = await world.bake({}, (wired) => ({
      ...wired,
      store: refusing(wired.store, [TWO], when),
    }));

    expect(failures(events)).toHaveLength(1);
    expect(names(await world.ledger((ledger) => ledger.quarantined()))).toEqual(["post 2"]);
    expect(world.objects.has(TWO)).toBe(false);
    expect(brokenLinks(world.objects)).toEqual([]);
    expect(await world.ledger((ledger) => ledger.intents())).toEqual([]);

    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
  },
);

test.for(["before", "after"] as const)(
  "a changed or moved page whose put failed (%s it took place) is put by the next run",
  async (when) => {
    await using world = await smallWorld(4);
    await world.bake();
    world.edit(1, "slug", "moved");
    world.edit(2, "title", "New");

    const keys = ["posts/moved/index.html", TWO];
    const { failed } = await world.bake({}, (wired) => ({
      ...wired,
      store: refusing(wired.store, keys, when),
    }));

    expect(failed).toBe(2);
    expect(world.objects.has("posts/p1/index.html")).toBe(true);
    expect(brokenLinks(world.objects)).toEqual([]);

    await world.bake();

    expect(world.shown()).toEqual(await world.scratch());
  },
);

test("without its asset no page is published", async () => {
  await using world = await smallWorld(2);
  await world.bake();
  const before = world.shown();
  await writeFile(join(world.site.dir, "assets", "mark.svg"), "<svg><g/></svg>");

  const run = world.bake({}, (wired) => ({ ...wired, store: refusingAssets(wired.store) }));

  await expect(run).rejects.toThrow("This key is refused.");
  expect(world.shown()).toEqual(before);

  await world.bake();

  expect(
    world.objects
      .keys()
      .filter((key) => key.startsWith("assets/"))
      .toArray(),
  ).toHaveLength(2);
  expect(brokenLinks(world.objects)).toEqual([]);
});

function refusingAssets(store: ObjectStore): ObjectStore {
  return {
    ...store,
    put: (artifact, write) =>
      artifact.key.startsWith("assets/")
        ? Promise.reject(refused(artifact.key))
        : store.put(artifact, write),
  };
}

test.for([0, 1])(
  "an outage in the first batch tells progress only if something was put (%i)",
  async (puts) => {
    await using world = await smallWorld(2);
    const progress: unknown[] = [];
    let left = puts;
    const outage = new PipelineError("store_rejected", "The credentials have expired.");
    const run = world.bake(
      {
        emit(event) {
          if (event.event === "progress" && event.phase === "assets") progress.push(event.done);
          if (event.event === "progress" && event.phase === "new") progress.push(event.done);
        },
      },
      (wired) => ({
        ...wired,
        assets: [],
        store: {
          ...wired.store,
          put: async (artifact, write) => {
            if (artifact.key === ".nightbake.json") return await wired.store.put(artifact, write);
            left -= 1;
            if (left < 0) throw outage;
            return await wired.store.put(artifact, write);
          },
        },
      }),
    );

    await expect(run).rejects.toThrow(outage);
    expect(progress).toEqual(puts === 0 ? [] : [1]);
    expect(world.objects.size).toBe(1 + puts);
  },
);
