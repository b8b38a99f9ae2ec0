import { expect, test } from "vitest";
import { differences } from "../pipeline/small-site.ts";
import { startMariaDb } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";
import { followedSite } from "./followed-site.ts";

const post = (id: number) =>
  `(${id}, 'p${id}', 'Post ${id}', 'Body', 'ann', 'x', 'published', '2024-01-0${id}')`;
const POSTS =
  "INSERT INTO posts (id, slug, title, body, author, topic, status, published_at) VALUES";

/** What a log tells badly or not at all, by what an application or an operator did. */
const CHANGES: readonly (readonly [string, readonly string[]])[] = [
  [
    "a mixed session",
    ["SET STATEMENT binlog_format = MIXED FOR UPDATE posts SET title = 'Mixed' WHERE id = 1"],
  ],
  [
    "a minimal image",
    ["SET STATEMENT binlog_row_image = MINIMAL FOR UPDATE posts SET slug = 'little' WHERE id = 2"],
  ],
  [
    "a table that takes another's place",
    [
      "CREATE TABLE fresh LIKE posts",
      "INSERT INTO fresh SELECT * FROM posts WHERE id <> 3",
      "UPDATE fresh SET title = 'Swapped' WHERE id = 4",
      "RENAME TABLE posts TO old, fresh TO posts",
    ],
  ],
  [
    "a table that is made of another",
    [
      "DROP TABLE people",
      "CREATE TABLE people (handle VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin PRIMARY KEY, name TEXT NOT NULL) SELECT 'ann' AS handle, 'Made' AS name",
    ],
  ],
  [
    "a foreign key",
    [
      "DELETE FROM topics WHERE post_id = 3",
      "ALTER TABLE topics ADD CONSTRAINT c FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE",
      "DELETE FROM posts WHERE id = 5",
    ],
  ],
];

describeWith("mariadb", "Following a log that tells little", () => {
  test("ends in the right pages each time", async () => {
    // Others would have to compare all their tables, too.
    await using server = await startMariaDb({ durable: true });
    const url = await server.createDatabase();
    await using site = await followedSite({ servers: { url, feedUrl: url, writeUrl: url } });
    await site.run(
      `${POSTS} ${[1, 2, 3, 4, 5, 6].map(post)}`,
      "INSERT INTO people VALUES ('ann', 'Ann')",
      "INSERT INTO topics (topic, post_id, title, status, published_at) SELECT topic, id, title, status, published_at FROM posts",
    );
    await site.while(async () => {
      await site.caughtUp();
      for (const [name, sql] of CHANGES) {
        await site.run(...sql);
        await site.caughtUp();
        expect(differences(site.shown(), await site.scratch()), name).toEqual([]);
      }
    });
    const topic = Object.keys(site.shown()).filter((each) => each.includes("/x/"));
    expect(topic.length).toBeGreaterThan(0);
    expect(Object.keys(site.shown())).not.toContain("posts/p5/index.html");
  });
});
