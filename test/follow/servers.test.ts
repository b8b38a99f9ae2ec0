import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { differences } from "../pipeline/small-site.ts";
import {
  delay,
  promote,
  startTopology,
  stopApplying,
  type Topology,
} from "../services/replicas.ts";
import { describeWith } from "../services/requires.ts";
import { type FollowedSite, followedSite } from "./followed-site.ts";

const INSERT = `INSERT INTO site.posts (id, slug, title, body, author, topic, status, published_at)
  VALUES (1, 'one', 'One', 'Body', 'ann', NULL, 'published', '2024-01-01')`;
const retitled = (title: string) => `UPDATE site.posts SET title = '${title}' WHERE id = 1`;
const isOut = (site: FollowedSite, title: string) => () =>
  site.shown()["posts/one/index.html"]?.includes(title) === true;

const codes = (site: FollowedSite) =>
  site.events.flatMap((each) => (each.event === "warning" ? [each.error.code] : []));

describeWith("mariadb", "Following a primary with replicas", () => {
  const stack = new AsyncDisposableStack();
  let topology: Topology;
  beforeAll(async () => {
    topology = stack.use(await startTopology());
    await topology.query("GRANT REPLICATION SLAVE ON *.* TO reader@'%'");
  });
  afterAll(() => stack.disposeAsync());

  /** Follows the primary's log, or a replica's, and reads rows on the replicas. */
  async function open(feedFrom = 0): Promise<FollowedSite> {
    const [url, ...replicaUrls] = topology.urls;
    const feedUrl = topology.urls[feedFrom] ?? url;
    const servers = { url, replicaUrls, feedUrl, writeUrl: `${topology.url}/site` };
    const site = await followedSite({ servers: { ...servers, waitSeconds: 0.3 } });
    onTestFinished(() => site[Symbol.asyncDispose]());
    await topology.query(INSERT);
    await topology.caughtUp();
    return site;
  }

  test("no page shows less than what was told, however late the replicas are", async () => {
    const site = await open();
    await site.while(async () => {
      await site.caughtUp();
      for (const round of ["first", "second", "third"]) {
        await Promise.all(topology.replicas.map(stopApplying));
        await topology.query(retitled(`The ${round}`));
        await site.caughtUp();
        expect(site.shown()["posts/one/index.html"]).toContain(`The ${round}`);
        await Promise.all(topology.replicas.map((each) => delay(each, 0)));
      }
    });
  });

  test("connections that the servers end meanwhile are made again", async () => {
    const site = await open();
    await site.while(async () => {
      await site.caughtUp();
      for (const each of [topology, ...topology.replicas]) {
        await each.query("SET GLOBAL wait_timeout = 1");
        await each.query(
          "BEGIN NOT ATOMIC FOR c IN (SELECT id FROM information_schema.processlist WHERE user = 'reader' AND command = 'Sleep') DO KILL c.id; END FOR; END",
        );
      }
      await topology.query(retitled("After the time limit"));
      await site.caughtUp();
    });
    for (const each of [topology, ...topology.replicas]) {
      await each.query("SET GLOBAL wait_timeout = 28800");
    }

    expect(isOut(site, "After the time limit")()).toBe(true);
  });

  test("it begins once the primary has a connection for it", async () => {
    const site = await open();
    await topology.query("SET GLOBAL max_connections = 10");
    const others = await Promise.all(
      Array.from({ length: 12 }, () => createConnection(topology.urls[0]).catch(() => undefined)),
    );
    await site.while(async () => {
      await site.until(() => codes(site).includes("source_unavailable"));
      for (const each of others) await each?.end();
      await topology.query("SET GLOBAL max_connections = 500");
      await topology.query(retitled("With a connection"));
      await site.until(isOut(site, "With a connection"));
    });
  });

  test("what the log no longer holds is compared, when it was purged while nobody followed", async () => {
    const site = await open();
    await site.while(() => site.caughtUp());
    await topology.query(retitled("In a log that is purged"));
    await topology.query("FLUSH BINARY LOGS");
    await topology.caughtUp();
    // Replicas hold the last file for a moment.
    for (let files = 2; files > 1; ) {
      const all = await topology.query<{ Log_name: string }>("SHOW BINARY LOGS");
      await topology.query(`PURGE BINARY LOGS TO '${all.at(-1)?.Log_name}'`);
      files = (await topology.query("SHOW BINARY LOGS")).length;
    }
    await site.while(async () => {
      await site.until(isOut(site, "In a log that is purged"));
      await site.caughtUp();
    });

    expect(codes(site)).toContain("feed_lost");
    expect(differences(site.shown(), await site.scratch())).toEqual([]);
  });

  // The last one: the primary is another afterwards.
  test("a primary that dies is followed by the replica that takes its place", async () => {
    const site = await open(2);
    const [first, second] = topology.replicas;
    await site.while(async () => {
      await site.caughtUp();
      await topology.query(retitled("Before"));
      await site.until(isOut(site, "Before"));
      await topology.caughtUp();
      await topology.kill();
      await promote(first, [second]);
      await first.query(retitled("By the new primary"));
      await site.until(isOut(site, "By the new primary"));
    });

    expect(differences(site.shown(), await site.scratch())).toEqual([]);
  });
});
