import { expect, test } from "vitest";
import { differences } from "../pipeline/small-site.ts";
import { describeWith } from "../services/requires.ts";
import { type FollowedSite, followedSite } from "./followed-site.ts";

/** Rows of the mass update, and of one slice of it. */
const [ROWS, SLICE] = [300, 40];
/** A slice that leaves time for an edit before the last one. */
const SMALL = 20;

const insert = (first: number, count: number) =>
  `INSERT INTO posts (id, slug, title, body, author, topic, status, published_at)
   SELECT seq, CONCAT('p', seq), 'Title', 'Body', 'ann', NULL, 'published', '2024-01-01' + INTERVAL seq HOUR
   FROM seq_${first}_to_${first + count - 1}`;
const EDITED = "Edited in between";

/** Releases in their order: `bulk 40`, `urgent 1`. */
const releases = (site: FollowedSite) =>
  site.events.flatMap((each) =>
    each.event === "followed" ? [`${each.isBulk ? "bulk" : "urgent"} ${each.rows}`] : [],
  );
const slices = (site: FollowedSite) => releases(site).filter((each) => each.startsWith("bulk"));

async function expectExact(site: FollowedSite): Promise<void> {
  expect(differences(site.shown(), await site.scratch())).toEqual([]);
}

describeWith("shared-mariadb", "A mass update while a database is followed", () => {
  test("goes in slices, an editor's change before the next of them, and dies without loss", async () => {
    await using site = await followedSite({ sliceRows: SMALL });
    await site.run(insert(1, ROWS));
    await site.while(async () => {
      await site.caughtUp();
      await site.run("UPDATE posts SET title = CONCAT('Sale ', id)");
      await site.until(() => slices(site).length >= 2);
      await site.run(`UPDATE posts SET title = '${EDITED}' WHERE id = ${ROWS}`);
      await site.until(() => releases(site).includes("urgent 1"));
      const waits = (await site.wired.ledger.told(ROWS, "bulk")).length;
      expect(waits).toBeGreaterThan(0);
    });
    const before = releases(site);
    expect(before.slice(0, 2)).toEqual([`bulk ${SMALL}`, `bulk ${SMALL}`]);
    expect(before.indexOf("urgent 1")).toBeLessThan(ROWS / SMALL);
    expect(site.shown()[`posts/p${ROWS}/index.html`]).toContain(EDITED);

    await site.while(() => site.caughtUp());

    await expectExact(site);
    const all = slices(site).map((each) => Number(each.slice(5)));
    // The slice that was stopped is done again, and so counts once.
    expect(all.reduce((sum, each) => sum + each, 0)).toBe(ROWS);
  });

  test("of a table to compare only the rows that differ are published, those of a range, too", async () => {
    await using site = await followedSite({ sliceRows: SLICE, maxRows: 150 });
    await site.run(insert(1, ROWS));
    await site.while(async () => {
      await site.caughtUp();
      await site.run(
        "SET STATEMENT binlog_format = STATEMENT FOR UPDATE posts SET title = 'One' WHERE id % 50 = 0",
      );
      await site.caughtUp();
      expect(releases(site)).toEqual(["bulk 6"]);
      await site.run("UPDATE posts SET title = 'Two' WHERE id BETWEEN 101 AND 260");
      await site.caughtUp();
      expect(
        slices(site)
          .slice(1)
          .map((each) => Number(each.slice(5))),
      ).toEqual([1, 40, 40, 40, 39]);
      await site.run("SET STATEMENT binlog_format = STATEMENT FOR DELETE FROM posts WHERE id = 7");
      await site.caughtUp();
    });

    expect(releases(site).at(-1)).toBe("bulk 1");
    await expectExact(site);
  });

  test("the slices of a mass delete are one run for the guard", async () => {
    await using site = await followedSite({ sliceRows: SLICE, deleteShare: 0.2 });
    await site.run(insert(1, ROWS));
    const isRefused = () =>
      site.events.some((each) => each.event === "warning" && each.error.code === "deletes_refused");
    await site.while(async () => {
      await site.caughtUp();
      await site.run(`DELETE FROM posts WHERE id <= ${ROWS / 2}`);
      await site.until(isRefused);
      const left = Object.keys(site.shown()).filter((each) => each.startsWith("posts/p"));
      expect(left.length).toBeGreaterThan(ROWS * 0.8 - 10);
      await site.run(insert(1, ROWS / 2));
      await site.caughtUp();
    });

    await expectExact(site);
  });
});
