import { createConnection } from "mysql2/promise";
import { expect, test } from "vitest";
import { BRAND } from "./brand.ts";
import { startMariaDb } from "./mariadb.ts";
import { describeWith, testOfMariaDb } from "./requires.ts";
import { sharedMariaDb } from "./shared.ts";

describeWith("mariadb", "a private MariaDB", () => {
  testOfMariaDb("it asks for settings of MariaDB")(
    "replicates full row events by GTID to read-only replicas",
    async () => {
      await using db = await startMariaDb({ replicas: 2 });
      const url = await db.createDatabase("site");
      await db.query("CREATE TABLE site.a (k VARCHAR(20) PRIMARY KEY)");
      await db.query("INSERT INTO site.a VALUES (?), (?), (?)", ["x", "X", "x "]);
      await db.caughtUp();

      expect(new URL(url).pathname).toBe("/site");
      for (const replica of db.replicas) {
        expect(await replica.query("SELECT k FROM site.a ORDER BY k")).toEqual([
          { k: "X" },
          { k: "x" },
          { k: "x " },
        ]);
      }
      const [settings] = await db.query(
        `SELECT @@binlog_format f, @@binlog_row_image i, @@binlog_row_metadata m, @@gtid_domain_id d,
        @@gtid_strict_mode s, @@server_id id, @@max_allowed_packet p, @@collation_server c`,
      );
      expect(settings).toEqual({
        ...{ f: "ROW", i: "FULL", m: "FULL", d: 0, s: 1, id: 1, p: 64 * 2 ** 20 },
        c: "utf8mb4_nopad_bin",
      });
    },
  );

  test("a replica refuses the writes of an ordinary user", async () => {
    await using db = await startMariaDb({ replicas: 1 });
    const [replicaUrl = ""] = db.replicaUrls;
    await db.createDatabase("site");
    await db.query("CREATE USER app@'127.0.0.1' IDENTIFIED BY 'app'");
    await db.query("GRANT ALL ON site.* TO app@'127.0.0.1'");
    await db.caughtUp();
    const { port } = new URL(replicaUrl);
    const app = await createConnection(`mysql://app:app@127.0.0.1:${port}/site`);

    await expect(app.query("CREATE TABLE a (k INT)")).rejects.toThrow(/read-only/);
    await app.end();
  });

  test("a lagging replica is not taken for caught up", async () => {
    await using db = await startMariaDb({ replicas: 1 });
    await db.replicas[0]?.query(`STOP ${BRAND.replica} SQL_THREAD`);
    await db.createDatabase();

    await expect(db.caughtUp(0.5)).rejects.toThrow(/did not reach/);
  });

  test("a durable primary keeps its commits through kill and start", async () => {
    await using db = await startMariaDb({ durable: true });
    await db.createDatabase("site");
    await db.query("CREATE TABLE site.a (k INT PRIMARY KEY)");
    await db.query("INSERT INTO site.a VALUES (7)");

    await db.kill();
    await expect(db.query("SELECT 1")).rejects.toThrow(/ECONNREFUSED/);
    await db.start();

    expect(await db.query("SELECT k FROM site.a")).toEqual([{ k: 7 }]);
  });

  test("several start at once without meeting", async () => {
    const servers = await Promise.all([startMariaDb(), startMariaDb(), startMariaDb()]);

    expect(new Set(servers.map(({ url }) => url)).size).toBe(3);
    for (const server of servers) await server[Symbol.asyncDispose]();
    await expect(servers[0]?.query("SELECT 1")).rejects.toThrow(/ECONNREFUSED/);
  });
});

describeWith("shared-mariadb", "the shared MariaDB", () => {
  test("is one server on which every suite has its own database", async () => {
    const [one, other] = await Promise.all([sharedMariaDb(), sharedMariaDb()]);
    const urls = [await one.createDatabase(), await other.createDatabase()];

    expect(one.url).toBe(other.url);
    expect(new Set(urls).size).toBe(2);
    await one.query(`DROP DATABASE ${new URL(urls[0] ?? "").pathname.slice(1)}`);
    await one.query(`DROP DATABASE ${new URL(urls[1] ?? "").pathname.slice(1)}`);
  });
});
