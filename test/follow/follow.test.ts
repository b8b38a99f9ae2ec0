import { expect, test } from "vitest";
import { differences } from "../pipeline/small-site.ts";
import { describeWith } from "../services/requires.ts";
import { type FollowedSite, followedSite } from "./followed-site.ts";

const post = (id: number, slug: string, title: string) =>
  `INSERT INTO posts (id, slug, title, body, author, topic, status, published_at)
   VALUES (${id}, '${slug}', '${title}', 'Body of ${id}', 'ann', 'x', 'published', '2024-01-0${id}')`;

async function expectExact(site: FollowedSite): Promise<void> {
  expect(differences(site.shown(), await site.scratch())).toEqual([]);
}

const causes = (site: FollowedSite) =>
  site.events.flatMap((each) =>
    each.event === "warning" ? [each.error.code] : each.event === "note" ? [each.message] : [],
  );
const LOST = ["feed_lost", "position_unknown"];

describeWith("shared-mariadb", "Following a database", () => {
  test("publishes what changes, however it was logged, and goes on where it was", async () => {
    await using site = await followedSite();
    await site.run(post(1, "one", "One"));
    await site.while(async () => {
      await site.caughtUp();
      await site.run(post(2, "two", "Two"), "UPDATE posts SET title = 'Uno' WHERE id = 1");
      await site.run("INSERT INTO people VALUES ('ann', 'Ann')");
      await site.caughtUp();
      await expectExact(site);
    });
    expect(Object.keys(site.shown())).toContain("posts/two/index.html");
    await site.run(post(3, "three", "Three"), "UPDATE posts SET id = 4 WHERE id = 1");

    await site.while(async () => {
      await site.caughtUp();
      await expectExact(site);
      await site.run("SET STATEMENT binlog_format = STATEMENT FOR UPDATE posts SET title = 'All'");
      await site.caughtUp();
      await expectExact(site);
      await site.run("DELETE FROM posts WHERE id = 4", "TRUNCATE people");
      await site.until(() => causes(site).includes("source_empty"));
      await site.run("INSERT INTO people VALUES ('ann', 'Ann again')");
      await site.caughtUp();
    });

    await expectExact(site);
    await site.wired.ledger.tell([], "mariadb:0-1-99999999");
    await site.run("UPDATE people SET name = 'Anna'");
    await site.while(async () => {
      // Whichever notices first: the rows' server has not got there either.
      await site.until(() => causes(site).some((each) => LOST.includes(each)));
      await site.caughtUp();
      await site.run(
        "UPDATE posts SET status = 'published', published_at = UTC_TIMESTAMP(6) + INTERVAL 1 SECOND WHERE id = 2",
      );
      await site.caughtUp();
      expect(Object.keys(site.shown())).not.toContain("posts/two/index.html");
      const isOut = () => "posts/two/index.html" in site.shown();
      await site.until(() => isOut() && site.events.at(-1)?.event === "summary");
    });

    await expectExact(site);
    const followed = causes(site).filter((each) =>
      each.startsWith("The database's log is followed"),
    );
    expect([followed.length, causes(site)[0]]).toEqual([
      4,
      "Every row is compared before the log is followed.",
    ]);
  });
});
