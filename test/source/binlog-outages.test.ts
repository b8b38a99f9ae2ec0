import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { PipelineError } from "../../src/error.ts";
import { int, table, text } from "../../src/site.ts";
import type { Feed, Transaction } from "../../src/source/feed.ts";
import { BRAND } from "../services/brand.ts";
import { type MariaDb, mariaDbAt, startMariaDb } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";
import { beyond, FOREIGN, feedOf, numbers, sequence, toldSince } from "./following.ts";

const posts = table("posts", { key: "id", columns: { id: int(), tag: text({ max: 20 }) } });

describeWith("mariadb", "A feed of a server in trouble", () => {
  let server: MariaDb;
  let url: string;
  beforeAll(async () => {
    server = await startMariaDb({ durable: true });
    url = await server.createDatabase("site");
    await run("CREATE TABLE posts (id INT PRIMARY KEY, tag VARCHAR(20) NOT NULL, body TEXT)");
  });
  beforeEach(() => run("TRUNCATE posts"));
  afterAll(() => server[Symbol.asyncDispose]());

  const run = (sql: string) => mariaDbAt(url).query(sql);
  const insert = (id: number) => run(`INSERT INTO posts VALUES (${id}, 'x', '')`);
  const keys = (told: readonly Transaction[]) =>
    told.flatMap(({ changes }) => changes.map((each) => (each.is === "row" ? each.key[0] : "*")));
  /** The connections that are sent the log. */
  const dumps = () =>
    server.query<{ id: number; state: string }>(
      "SELECT id AS id, state AS state FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'",
    );
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds())) await sleep(20);
  };
  async function lost(feed: Feed, after: string): Promise<unknown> {
    return await toldSince(feed, after).catch((error: unknown) => error);
  }

  test("refuses a position that it cannot go on from: future, foreign, empty, purged", async () => {
    await using feed = feedOf(url, [posts]);
    const start = await feed.position();
    const first = async (after: string) => {
      for await (const each of feed.follow(after, AbortSignal.timeout(10_000))) return each;
      return undefined;
    };

    await expect(first(beyond(start))).rejects.toMatchObject({ code: "feed_lost" });
    // MySQL sends all that a foreign set lacks: its whole log.
    const foreign = first(BRAND.flavour === "mysql" ? FOREIGN : "mariadb:0-77-1");
    if (BRAND.flavour === "mysql") expect((await foreign)?.position).toMatch(/:1$/);
    else await expect(foreign).rejects.toMatchObject({ code: "feed_lost" });
    await expect(first(`${BRAND.flavour}:`)).rejects.toMatchObject({ code: "input_invalid" });
    await insert(1);
    await run("FLUSH BINARY LOGS");
    await insert(2);
    const [last] = (await server.query<{ Log_name: string }>("SHOW BINARY LOGS")).slice(-1);
    await until(async () => {
      await run(`PURGE BINARY LOGS TO '${last?.Log_name}'`);
      return (await server.query("SHOW BINARY LOGS")).length === 1;
    });
    expect(await lost(feed, start)).toMatchObject({
      code: "feed_lost",
      retryable: false,
      at: { position: start },
    });
  });

  test("goes on where it was when connections end and when the server dies, and repeats nothing", async () => {
    const outages: PipelineError[] = [];
    await using feed = feedOf(url, [posts], { onOutage: (error) => outages.push(error) });
    const start = await feed.position();
    const told: Transaction[] = [];
    const trouble = [
      async () => {
        for (const { id } of await dumps()) await server.query(`KILL ${id}`);
      },
      async () => {
        await server.kill();
        await server.start();
      },
    ];
    for (let id = 1; id <= 5; id += 1) await insert(id);

    for await (const each of feed.follow(start, AbortSignal.timeout(30_000))) {
      told.push(each);
      const next = told.length + 5;
      if (told.length % 4 === 0) await trouble.shift()?.();
      if (next <= 15) await insert(next);
      if (told.length === 15) break;
    }

    expect(keys(told)).toEqual(Array.from({ length: 15 }, (_, at) => at + 1));
    expect(new Set(outages.map(({ code }) => code))).toEqual(new Set(["source_unavailable"]));
    expect(await dumps()).toEqual([]);
  });

  test("goes on from any position that it gave, which a replica has, too", async () => {
    await using feed = feedOf(url, [posts]);
    const start = await feed.position();
    for (let id = 1; id <= 4; id += 1) await insert(id);
    const all = await toldSince(feed, start);

    for (const [at, { position }] of all.entries()) {
      expect(keys(await toldSince(feed, position))).toEqual(keys(all.slice(at + 1)));
    }
    expect(all.map(({ position }) => sequence(position) - sequence(start))).toEqual([1, 2, 3, 4]);
  });

  test("takes a silent server for one that is down, and an idle one for one that is up", async () => {
    const outages: PipelineError[] = [];
    const options = { silenceMs: 300, onOutage: (error: PipelineError) => outages.push(error) };
    await using feed = feedOf(url, [posts], options);
    const pid = Number(readFileSync(await pidFile(), "utf8"));
    const stop = new AbortController();
    const following = Array.fromAsync(feed.follow(await feed.position(), stop.signal));
    await until(async () => (await dumps()).length === 1);
    const [idle] = await dumps();

    await sleep(900);
    expect([outages, (await dumps())[0]?.id]).toEqual([[], idle?.id]);
    process.kill(pid, "SIGSTOP");
    await until(async () => outages.length > 0);
    process.kill(pid, "SIGCONT");
    await until(async () => (await dumps()).some(({ id }) => id !== idle?.id));
    await insert(1);
    await sleep(100);
    stop.abort();

    expect(keys(await following)).toEqual([1]);
    expect(outages[0]?.message).toContain("silent for 0.3 s");
  });

  async function pidFile(): Promise<string> {
    const [row] = await server.query<{ dir: string; file: string }>(
      "SELECT @@datadir AS dir, @@pid_file AS file",
    );
    return resolve(row?.dir ?? "", row?.file ?? "");
  }

  test("lets a server wait for a slow consumer instead of keeping what it sends", async () => {
    await using feed = feedOf(url, [posts], { maxWaiting: 100 });
    const start = await feed.position();
    for (let at = 0; at < 8; at += 1) {
      await run(
        `INSERT INTO posts SELECT seq + ${at * 500}, 'x', REPEAT('y', 8000) FROM ${numbers(500)}`,
      );
    }
    const end = sequence(await feed.position());
    const told: Transaction[] = [];

    for await (const each of feed.follow(start, AbortSignal.timeout(30_000))) {
      if (told.length === 0) await until(isStuck);
      told.push(each);
      if (sequence(each.position) >= end) break;
    }

    expect(keys(told)).toEqual(Array.from({ length: 4000 }, (_, at) => at + 1));
  });

  /** Its buffers are full and nobody reads: seen twice, since it writes now and then anyway. */
  async function isStuck(): Promise<boolean> {
    for (let look = 0; look < 3; look += 1) {
      const [dump] = await dumps();
      if (!/^(Writing to net|Sending to client)/.test(dump?.state ?? "")) return false;
      await sleep(50);
    }
    return true;
  }

  test.each([
    ["binlog_format", "MIXED", "ROW"],
    ["binlog_row_image", "MINIMAL", "FULL"],
    ["binlog_row_metadata", BRAND.flavour === "mysql" ? "MINIMAL" : "NO_LOG", "FULL"],
  ])("refuses a server whose %s is %s, naming it", async (setting, bad, good) => {
    await run(`SET GLOBAL ${setting} = ${bad}`);
    await using feed = feedOf(url, [posts]);

    const refused = await feed.position().catch((error: unknown) => error);

    await run(`SET GLOBAL ${setting} = ${good}`);
    expect(refused).toMatchObject({
      code: "source_rejected",
      message: `The database does not log what following it needs: ${setting} is ${bad} and must be ${good}.`,
      problems: [{ place: setting }],
    });
  });

  test("needs REPLICATION SLAVE only, beside a user who reads; the refusal names no password", async () => {
    for (const user of ["live", "reader"]) {
      await run(`CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY 's3cret'`);
    }
    await run("GRANT REPLICATION SLAVE ON *.* TO live@'127.0.0.1'");
    await run("GRANT SELECT ON site.* TO reader@'127.0.0.1'");
    const as = (user: string) =>
      Object.assign(new URL(url), { username: user, password: "s3cret" });
    await using feed = feedOf(as("live").href, [posts], { readUrl: as("reader").href });
    const start = await feed.position();
    await insert(1);

    expect(keys(await toldSince(feed, start))).toEqual([1]);
    await using refused = feedOf(as("reader").href, [posts]);
    const error = await lost(refused, start);
    expect(error).toMatchObject({ code: "source_rejected" });
    expect(String(error) + JSON.stringify(error)).not.toContain("s3cret");
  });
});
