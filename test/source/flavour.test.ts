import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Flavour, flavourOf, parsePosition } from "../../src/source/flavour.ts";
import { type MysqlConnection, mysqlPool } from "../../src/source/mysql-connection.ts";
import { BRAND } from "../services/brand.ts";
import type { MariaDbServer } from "../services/mariadb.ts";
import {
  delay,
  promote,
  startTopology,
  stopApplying,
  stopFetching,
  type Topology,
} from "../services/replicas.ts";
import { describeWith } from "../services/requires.ts";
import { beyond, FOREIGN } from "./following.ts";

test.each([
  "mariadb:0-1-8",
  "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-8:11,3e11fa47-71ca-11e1-9e33-c80aa9429563:1",
  "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:nightly:1-8",
])("%s is a position", (text) => {
  expect(parsePosition(text)).toBe(text);
});

test.each([
  "",
  " ",
  "0-1-8",
  "mariadb:",
  "mysql:",
  "mariadb:0-1",
  "mysql:0-1-8",
  "mariadb:0-1-8,1-1-2",
  "mariadb:' OR 1",
])("%j is no position, and is refused", (text) => {
  expect(() => parsePosition(text)).toThrow(expect.objectContaining({ code: "input_invalid" }));
});

const OTHER = BRAND.flavour === "mysql" ? "mariadb" : "mysql";

describeWith("mariadb", "On a primary and its replicas", () => {
  let topology: Topology;
  let stack: AsyncDisposableStack;
  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    topology = stack.use(await startTopology());
  });
  afterAll(() => stack.disposeAsync());

  async function ask<T>(
    at: number,
    question: (flavour: Flavour, connection: MysqlConnection) => Promise<T>,
  ): Promise<T> {
    await using pool = mysqlPool(topology.urls[at] ?? "");
    const connection = await pool.connect();
    try {
      return await question(await flavourOf(connection), connection);
    } finally {
      await connection.release();
    }
  }
  const position = async () => (await ask(0, (flavour, from) => flavour.position(from))) ?? "";
  const reaches = (at: number, wanted: string, seconds = 5) =>
    ask(at, (flavour, from) => flavour.reaches(from, wanted, seconds));

  test("a replica reaches what the primary committed, and its SELECT user may ask", async () => {
    await topology.query("CREATE TABLE site.t (id INT PRIMARY KEY)");
    const wanted = await position();

    expect(wanted).toMatch(new RegExp(`^${BRAND.flavour}:[\\w:-]+-\\d+$`));
    expect(await reaches(1, wanted)).toBe(true);
    expect(await ask(1, (flavour, from) => flavour.applied(from))).toBe(wanted);
    expect(await ask(0, (flavour, from) => flavour.standing(from))).toMatchObject({
      isPrimary: true,
    });
    expect(await ask(1, (flavour, from) => flavour.standing(from))).toMatchObject({
      isPrimary: false,
    });
  });

  test("neither the primary nor a replica reaches what it cannot know", async () => {
    // Of MySQL one set says what was written and what was applied.
    expect(await reaches(0, await position(), 0)).toBe(BRAND.flavour === "mysql");
    expect(await reaches(1, FOREIGN, 0)).toBe(false);
    await expect(reaches(1, `${BRAND.flavour}:`)).rejects.toMatchObject({ code: "input_invalid" });
    await expect(reaches(1, `${OTHER}:0-1-1`)).rejects.toMatchObject({ code: "input_invalid" });
  });

  test.each([
    ["applies nothing", stopApplying],
    ["fetches nothing", stopFetching],
    ["is late", (replica: MariaDbServer) => delay(replica, 3600)],
  ])("a replica that %s does not reach what came since, until it follows", async (_, stop) => {
    const [, replica] = topology.replicas;
    await stop(replica);
    await topology.query("INSERT INTO site.t SELECT COALESCE(MAX(id), 0) + 1 FROM site.t");
    const wanted = await position();

    expect(await reaches(2, wanted, 0)).toBe(false);
    await delay(replica, 0);
    expect(await reaches(2, wanted)).toBe(true);
  });

  test("a primary has what was committed, and a snapshot of it shows that", async () => {
    await topology.query("INSERT INTO site.t VALUES (99)");
    const wanted = await position();
    const has = (text: string) => ask(0, (flavour, from) => flavour.has(from, text));

    expect(await ask(0, (flavour, from) => flavour.snapshotAt(from, wanted, 5))).toBe(true);
    expect(await has(wanted)).toBe(true);
    expect(await has(beyond(wanted))).toBe(false);
    expect(await has(FOREIGN)).toBe(false);
  });

  test.each([
    ["SELECT alone", () => topology.urls[0]],
    ["BINLOG MONITOR", () => `${topology.url}/site`],
  ])(
    "a snapshot at a position shows what has it, beside a busy writer, to a user with %s",
    async (_, url) => {
      await topology.query("DROP TABLE IF EXISTS site.counts");
      await topology.query("CREATE TABLE site.counts (id INT PRIMARY KEY, n INT)");
      await topology.query("INSERT INTO site.counts VALUES (1, 0)");
      const first = sequence(await position());
      const over = new AbortController();
      const writing = write(topology.url, over.signal);
      await using pool = mysqlPool(url());
      const connection = await pool.connect();
      const flavour = await flavourOf(connection);

      const late: number[] = [];
      for (let look = 0; look < 150; look += 1) {
        const wanted = (await flavour.position(connection)) ?? "";
        expect(await flavour.snapshotAt(connection, wanted, 5)).toBe(true);
        const [[n] = []] = await connection.all("SELECT n FROM site.counts");
        if (Number(n) < sequence(wanted) - first) late.push(look);
        await connection.run("ROLLBACK");
      }
      over.abort();
      await writing;
      await connection.release();

      expect(late).toEqual([]);
    },
  );

  test("a promoted replica is a primary, also before its first write", async () => {
    await topology.caughtUp();
    const before = await position();
    await promote(topology.replicas[0]);

    expect(await ask(1, (flavour, from) => flavour.standing(from))).toMatchObject({
      isPrimary: true,
    });
    expect(await ask(1, (flavour, from) => flavour.position(from))).toBe(before);
  });
});

function sequence(position: string): number {
  return Number(position.split("-").at(-1));
}

/** Counts in transactions of one statement, as fast as it goes. */
async function write(url: string, signal: AbortSignal): Promise<void> {
  const connection = await createConnection(url);
  while (!signal.aborted) await connection.query("UPDATE site.counts SET n = n + 1");
  await connection.end();
}
