import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { mariaDbAt } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { article, intent, livePage, publish, step } from "./fixtures.ts";
import { describeLedger } from "./ledger-contract.ts";
import { testAgainstModel } from "./ledger-property.ts";
import { TO_THIRD_SCHEMA } from "./third-schema.ts";

const PRIVILEGES = readFileSync(
  new URL("../../docs/reference/privileges.md", import.meta.url),
  "utf8",
);

describeWith("shared-mariadb", "MariaDB", () => {
  const newDatabase = async () => (await sharedMariaDb()).createDatabase();

  describeLedger("MariaDB", async () => {
    const url = await newDatabase();
    return { open: () => openMysqlLedger(url) };
  });

  testAgainstModel(async () => openMysqlLedger(await newDatabase()), 15);

  test("processes that make the ledger at once make one, beside other tables", async () => {
    const server = await sharedMariaDb();
    const url = await server.createDatabase();
    await server.query(`CREATE TABLE ${new URL(url).pathname.slice(1)}.articles (id INT)`);

    const ledgers = await Promise.all(Array.from({ length: 4 }, () => openMysqlLedger(url)));

    expect(new Set(ledgers.map(({ id }) => id)).size).toBe(1);
    await Promise.all(ledgers.map((ledger) => ledger[Symbol.asyncDispose]()));
  });

  test("the rights that are documented are enough to make a ledger", async () => {
    const server = await sharedMariaDb();
    const url = new URL(await server.createDatabase());
    const [, grant = ""] = /`(GRANT [^`]* ON nightbake\.\*)/.exec(PRIVILEGES) ?? [];
    const user = `l${process.pid}`;
    await server.query(`CREATE USER ${user} IDENTIFIED BY 'pw'`);
    await server.query(`${grant.replace("nightbake", url.pathname.slice(1))} TO ${user}`);
    Object.assign(url, { username: user, password: "pw" });

    await using ledger = await openMysqlLedger(url.href);

    expect(await ledger.release()).toBe(0);
    await server.query(`DROP USER ${user}`);
  });

  /** A ledger of schema 3 with one live page; gives its id. */
  async function thirdSchema(url: string): Promise<string> {
    const ledger = await openMysqlLedger(url);
    await publish(ledger, livePage());
    await ledger.setNote("basis", "what the last build started from");
    await ledger[Symbol.asyncDispose]();
    for (const statement of TO_THIRD_SCHEMA) await mariaDbAt(url).query(statement);
    return ledger.id;
  }

  test("a ledger of the third schema keeps what is live, for the next build to look at", async () => {
    const url = await newDatabase();
    const id = await thirdSchema(url);

    await using ledger = await openMysqlLedger(url);

    expect(ledger.id).toBe(id);
    expect(await ledger.live("article", undefined, 9)).toEqual([
      livePage({ trace: Buffer.alloc(0) }),
    ]);
    expect(await ledger.note("basis")).toBeUndefined();
    expect(await ledger.readersBetween(Buffer.of(0), Buffer.of(255))).toEqual([]);
  });

  test("a migration that was cut off at any statement is done again", async () => {
    const url = await newDatabase();
    await thirdSchema(url);
    const dropped = "ALTER TABLE nb_step RENAME TO nb_step_away";
    await mariaDbAt(url).query(dropped);

    await expect(openMysqlLedger(url)).rejects.toThrow();
    await mariaDbAt(url).query("ALTER TABLE nb_step_away RENAME TO nb_step");
    await using ledger = await openMysqlLedger(url);

    expect(await ledger.live("article", undefined, 9)).toHaveLength(1);
    await mariaDbAt(url).query("UPDATE nightbake_meta SET value = '3' WHERE name = 'version'");
    await using again = await openMysqlLedger(url);
    expect(await again.live("article", undefined, 9)).toHaveLength(1);
  });

  test("a ledger of a newer release is refused with what to do", async () => {
    const server = await sharedMariaDb();
    const url = await server.createDatabase();
    await (await openMysqlLedger(url))[Symbol.asyncDispose]();
    const table = `${new URL(url).pathname.slice(1)}.nightbake_meta`;
    await server.query(`UPDATE ${table} SET value = '99' WHERE name = 'version'`);

    await expect(openMysqlLedger(url)).rejects.toMatchObject({
      code: "ledger_rejected",
      hint: expect.stringContaining("newer release"),
    });
  });

  test("writers that lock each other's rows all succeed", async () => {
    const url = await newDatabase();
    await using one = await openMysqlLedger(url);
    await using two = await openMysqlLedger(url);
    const steps = Array.from({ length: 200 }, (_, key) => step(article(key)));

    const rounds = Array.from({ length: 10 }, () => [
      one.stage("run", steps),
      two.stage("run", steps.toReversed()),
    ]);
    await Promise.all(rounds.flat());

    expect(await one.staged("run", { limit: 500 })).toEqual(steps);
  });

  test("intents outlive the connection that wrote them, and a lost connection is replaced", async () => {
    const server = await sharedMariaDb();
    const url = await server.createDatabase();
    await using ledger = await openMysqlLedger(url);
    await ledger.intend("publisher", [intent()], []);
    const database = new URL(url).pathname.slice(1);
    const connections = await server.query<{ id: number }>(
      "SELECT id AS id FROM information_schema.processlist WHERE db = ?",
      [database],
    );
    for (const { id } of connections) await server.query(`KILL ${id}`);

    const read = () => ledger.intents();
    const intents = await read().catch((error: unknown) => {
      expect(error).toMatchObject({ code: "ledger_unavailable" });
      return read();
    });

    expect(connections.length).toBeGreaterThan(0);
    expect(intents).toEqual([intent()]);
  });

  test("a wrong password and a missing database are refused without the password", async () => {
    const url = new URL(await newDatabase());
    const missing = new URL(`${url}_not`);
    url.password = "s3cret-and-wrong";

    const refused = await openMysqlLedger(url.href).catch((error: unknown) => error);

    expect(refused).toMatchObject({ code: "ledger_rejected", retryable: false });
    expect(JSON.stringify(refused) + String(refused)).not.toContain("s3cret");
    await expect(openMysqlLedger(missing.href)).rejects.toMatchObject({ code: "ledger_rejected" });
  });
});

test("a server that does not answer is unavailable, which may pass", async () => {
  await expect(openMysqlLedger("mysql://user:s3cret@127.0.0.1:1/nightbake")).rejects.toMatchObject({
    code: "ledger_unavailable",
    retryable: true,
    message: expect.not.stringContaining("s3cret"),
  });
});

test("a URL that names no MySQL database is refused without repeating it", async () => {
  for (const url of ["not a url: s3cret", "mysql://u:s3cret@host", "http://u:s3cret@host/x"]) {
    await expect(openMysqlLedger(url)).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.not.stringContaining("s3cret"),
    });
  }
});
