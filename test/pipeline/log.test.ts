import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { RunEvent } from "../../src/events.ts";
import { openBell } from "../../src/follow/bell.ts";
import { listen } from "../../src/follow/listen.ts";
import { type FollowedSite, followedSite } from "../follow/followed-site.ts";
import { describeWith } from "../services/requires.ts";
import { bake, differences } from "./small-site.ts";

const post = (id: number, title = `Post ${id}`) =>
  `INSERT INTO posts (id, slug, title, body, author, topic, status, published_at)
   VALUES (${id}, 'p${id}', '${title}', 'Body', 'ann', NULL, 'published', '2024-01-0${id}')`;

async function expectExact(site: FollowedSite): Promise<void> {
  expect(differences(site.shown(), await site.scratch())).toEqual([]);
}

/** Builds; tells whether rows were compared, and how many pages were put. */
async function built(site: FollowedSite, options: Parameters<typeof bake>[1] = {}) {
  const { events, changed, missed } = await bake(site.wired, options);
  const isScan = events.some((each) => each.event === "phase" && each.phase === "scan");
  const codes = events.flatMap((each) => (each.event === "warning" ? [each.error.code] : []));
  return { isScan, changed, missed, codes };
}
const QUIET = { isScan: false, changed: 0, missed: undefined, codes: [] };

describeWith("shared-mariadb", "A build that asks the database's log first", () => {
  test("compares no row while nothing has changed, and all of them when something has", async () => {
    await using site = await followedSite({ replacesScan: true });
    await site.run(post(1), post(2));
    expect(await built(site)).toMatchObject({ isScan: true });
    expect(await built(site)).toEqual(QUIET);
    await site.run("CREATE TABLE other (id INT PRIMARY KEY)", "INSERT INTO other VALUES (1)");
    expect(await built(site)).toEqual(QUIET);

    for (const change of [
      "UPDATE posts SET title = 'Edited' WHERE id = 1",
      "SET STATEMENT binlog_format = STATEMENT FOR UPDATE posts SET title = 'Said' WHERE id = 2",
      "ALTER TABLE posts ADD COLUMN note INT",
      "SET STATEMENT binlog_row_image = MINIMAL FOR UPDATE posts SET title = 'Little' WHERE id = 2",
      "DELETE FROM posts WHERE id = 2",
    ]) {
      await site.run(change);
      expect(await built(site), change).toMatchObject({ isScan: true });
      await expectExact(site);
      expect(await built(site), `after ${change}`).toEqual(QUIET);
    }
  });

  test("still does what templates, the clock and a rebuild ask of it", async () => {
    await using site = await followedSite({ replacesScan: true });
    await site.run(post(1), post(2));
    await built(site);
    const later = (Date.now() + 3_600_000) * 1000;
    await site.run(
      "UPDATE posts SET published_at = UTC_TIMESTAMP(6) + INTERVAL 30 MINUTE WHERE id = 2",
    );
    await built(site);
    expect(Object.keys(site.shown())).not.toContain("posts/p2/index.html");

    expect(await built(site, { now: () => later })).toMatchObject({ isScan: false });
    expect(Object.keys(site.shown())).toContain("posts/p2/index.html");
    await site.run("UPDATE posts SET title = 'Rebuilt' WHERE id = 1");
    await built(site, { targets: ["post:1"], now: () => later });
    expect(await built(site, { now: () => later })).toMatchObject({ isScan: true, changed: 0 });
    expect(await built(site, { now: () => later })).toEqual(QUIET);
  });

  test("compares all rows when it is asked to, and when the log cannot tell", async () => {
    await using site = await followedSite({ replacesScan: true });
    await site.run(post(1));
    await built(site);
    await site.runUnlogged("UPDATE posts SET title = 'In secret'");
    expect(await built(site)).toEqual(QUIET);

    expect(await built(site, { isScan: true })).toMatchObject({ isScan: true });
    await expectExact(site);
    const { ledger } = site.wired;
    const note = JSON.parse((await ledger.note("shown")) ?? "");
    for (const other of [
      { ...note, of: "another database" },
      { ...note, position: "mariadb:0-1-99999999" },
      { ...note, position: "mariadb:0-77-1" },
    ]) {
      await ledger.setNote("shown", JSON.stringify(other));
      expect(await built(site), other.position).toMatchObject({ isScan: true });
      expect(await built(site)).toEqual(QUIET);
    }
  });

  test("a rebuild leaves what was noted when it began: of two runs the older may end last", async () => {
    await using site = await followedSite({ replacesScan: true });
    await site.run(post(1));
    await built(site);
    const { ledger } = site.wired;
    const noted = await ledger.note("shown");
    await site.run("UPDATE posts SET title = 'New'");
    const emit = (event: RunEvent) => {
      if (event.event === "phase") void ledger.setNote("shown", "a build beside it");
    };

    await bake(site.wired, { targets: ["post:1"], emit });

    expect(await ledger.note("shown")).toBe(noted);
  });

  test("with rows that are not as declared there is a scan each time, which tells them", async () => {
    await using site = await followedSite({ replacesScan: true });
    await site.run(post(1), "INSERT INTO people VALUES ('ann', 'Ann')");
    await built(site);
    expect(await built(site)).toEqual(QUIET);
    await site.run("ALTER TABLE people MODIFY name TEXT NULL", "UPDATE people SET name = NULL");
    await built(site);

    expect(await built(site)).toMatchObject({ isScan: true });
  });
});

describeWith("shared-mariadb", "What a followed log did not tell of", () => {
  test("is counted, alarmed and put right by the next build that compares rows", async () => {
    await using site = await followedSite();
    await site.run(post(1), post(2));
    await site.while(() => site.caughtUp());
    await site.runUnlogged("UPDATE posts SET title = 'In secret' WHERE id = 2", post(3));
    await site.run("UPDATE posts SET title = 'Told' WHERE id = 1");

    const found = await built(site);

    expect(found.missed).toEqual({ rows: 2, first: ["posts/2", "posts/3"] });
    expect(found.codes).toEqual(["changes_missed"]);
    await expectExact(site);
    expect(await built(site)).toMatchObject({ changed: 0, missed: undefined, codes: [] });
  });

  test("is nothing while the follower runs, lags or is down, whatever it was told of", async () => {
    await using site = await followedSite();
    await site.run(post(1), post(2));
    await site.while(async () => {
      await site.caughtUp();
      await site.run("UPDATE posts SET title = 'Published' WHERE id = 1");
      await site.caughtUp();
      expect(await built(site)).toMatchObject({ missed: undefined, codes: [] });
    });
    // It is down: the log is read from where it was.
    await site.run("UPDATE posts SET title = 'While it was down' WHERE id = 1", post(4));
    await site.run(
      "SET STATEMENT binlog_format = STATEMENT FOR UPDATE posts SET author = 'bob' WHERE id = 2",
    );
    expect(await built(site)).toMatchObject({ missed: undefined, codes: [] });
    // It was told, and has not published.
    await site.run(
      "UPDATE posts SET title = 'Told' WHERE id = 1",
      "DELETE FROM posts WHERE id = 4",
    );
    await hear(site);
    await site.run("UPDATE posts SET title = 'Not told yet' WHERE id = 2");
    expect(await built(site)).toMatchObject({ missed: undefined, codes: [] });
    await expectExact(site);
    await site.while(() => site.caughtUp());
    // Its position is lost: nobody can say.
    await site.wired.ledger.tell([], "mariadb:0-77-1");
    await site.run("UPDATE posts SET title = 'Lost' WHERE id = 1");
    expect(await built(site)).toMatchObject({ missed: undefined, codes: [] });
  });

  test("is not what only the clock has changed", async () => {
    await using site = await followedSite();
    await site.run(post(1), "UPDATE posts SET expires_at = UTC_TIMESTAMP(6) + INTERVAL 30 MINUTE");
    await site.while(() => site.caughtUp());
    const now = () => (Date.now() + 3_600_000) * 1000;

    expect(await built(site, { now })).toMatchObject({ missed: undefined, codes: [] });

    expect(Object.keys(site.shown())).not.toContain("posts/p1/index.html");
  });
});

/** The half of a follower that listens, up to now. */
async function hear({ wired, feed }: FollowedSite): Promise<void> {
  const from = (await wired.ledger.toldUpTo()) ?? "";
  const until = Number((await feed.position()).split("-").at(-1));
  const stop = new AbortController();
  const options = { signal: stop.signal, emit: () => {}, sleep: (ms: number) => sleep(ms) };
  const listening = listen(wired, feed, { ...options, from, bell: openBell(), positionMs: 0 });
  while (Number((await wired.ledger.toldUpTo())?.split("-").at(-1)) < until) await sleep(10);
  stop.abort();
  await listening;
}
