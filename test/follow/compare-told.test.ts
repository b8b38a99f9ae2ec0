import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openBell } from "../../src/follow/bell.ts";
import { compareTold } from "../../src/follow/compare-told.ts";
import { publishTold } from "../../src/follow/publish-told.ts";
import type { Told } from "../../src/ledger/ledger.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { decodeKey, encodeKey } from "../../src/site.ts";
import { openSmall, smallSite } from "../pipeline/small-site.ts";
import { smallWorld } from "../pipeline/world.ts";

const ROWS = 1_200;
const INSERT = `WITH RECURSIVE seq (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM seq WHERE id < ${ROWS})
  INSERT INTO posts (id, slug, title, body, author, status, published_at)
  SELECT id, 'p' || id, 'Title', 'Body', 'ann', 'published', 0 FROM seq`;

const idOf = ({ key }: Told) => (key === undefined ? 0 : Number(decodeKey(key)[0]));

test("at each moment every key is a row that was found or still to be compared", async () => {
  await using site = await smallSite();
  {
    using database = new DatabaseSync(site.source);
    database.exec(INSERT);
  }
  await using wired = await openSmall(site, { ledger: "ledger.db", store: memoryStore() });
  const { ledger } = wired;
  const range = { key: encodeKey([100]), upTo: encodeKey([1_150]) };
  await ledger.tell([{ table: "posts", lane: "compare", ...range, committedAt: 1 }], "a");
  // The embedded source has no positions.
  await ledger.forgetTold();
  const rests: number[] = [];
  for (;;) {
    const [span] = await ledger.told(1, "compare");
    if (span === undefined) break;
    rests.push(idOf(span));
    const found = (await ledger.told(ROWS, "bulk")).map(idOf);
    expect(found).toEqual(Array.from({ length: idOf(span) - 100 }, (_, at) => 101 + at));
    await compareTold(wired, span, { maxRows: 100 });
  }

  expect(rests).toEqual([100, 600, 1100]);
  expect((await ledger.told(ROWS, "bulk")).map(idOf).at(-1)).toBe(1_150);
  expect(await ledger.told(ROWS)).toHaveLength(1_050);
});

test("a table that the site no longer has needs no look", async () => {
  await using site = await smallSite();
  await using wired = await openSmall(site, { ledger: "ledger.db", store: memoryStore() });
  const gone = { table: "gone", lane: "compare", key: undefined, committedAt: 1 } as const;
  await wired.ledger.tell([gone], "a");
  await wired.ledger.forgetTold();
  const [span] = await wired.ledger.told(1);

  if (span !== undefined) await compareTold(wired, span);

  expect(await wired.ledger.told(1)).toEqual([]);
});

test("a page of a row that was another for a moment is made again, though the table is as it was known", async () => {
  await using world = await smallWorld(3);
  world.sql("INSERT INTO people (handle, name) VALUES ('ann', 'Ann')");
  await world.bake();
  world.sql("UPDATE people SET name = 'Moment'");
  world.edit(1, "title", "Edited");
  await world.bake({ targets: ["posts:1"] });
  expect(world.shown()["posts/p1/index.html"]).toContain("Moment");
  world.sql("UPDATE people SET name = 'Ann'");
  const stop = new AbortController();

  await world.with(async (wired) => {
    await wired.ledger.tell(
      [{ table: "people", lane: "compare", key: undefined, committedAt: 1 }],
      "a",
    );
    await wired.ledger.forgetTold();
    const { signal } = stop;
    const options = { signal, emit: () => {}, sleep: async () => {}, bell: openBell() };
    const publishing = publishTold(wired, options);
    await expect.poll(() => wired.ledger.told(1)).toEqual([]);
    stop.abort();
    await publishing;
  });

  expect(world.shown()["posts/p1/index.html"]).not.toContain("Moment");
});
