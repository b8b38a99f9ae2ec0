import { afterAll, beforeAll, expect, test } from "vitest";
import site from "../../site.config.ts";
import { examineDatabases, type Server } from "../../src/doctor/databases.ts";
import { examine, type Told } from "../../src/doctor/finding.ts";
import { PipelineError } from "../../src/error.ts";
import { listsOf, tablesOf } from "../../src/site.ts";
import { mysqlPool } from "../../src/source/mysql-connection.ts";
import { openMysqlTarget } from "../../src/source/mysql-target.ts";
import { BRAND } from "../services/brand.ts";
import { type MariaDb, mariaDbAt, startMariaDb } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";

const [tables, lists] = [tablesOf(site.kinds), listsOf(site.kinds)];

describeWith("mariadb", "doctor looks at databases", () => {
  let server: MariaDb;
  beforeAll(async () => {
    server = await startMariaDb({ replicas: 1 });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** A database with the demo's tables, and a user who may only read. */
  async function open() {
    const url = await server.createDatabase();
    const database = url.split("/").at(-1) ?? "";
    await using target = await openMysqlTarget(url);
    await (await target.begin(tables, lists))[Symbol.asyncDispose]();
    await server.query(`CREATE USER ${database} IDENTIFIED BY 'secret'`);
    await server.query(`GRANT SELECT ON ${database}.* TO ${database}`);
    await server.caughtUp();
    const run = async (...sql: readonly string[]) => {
      for (const each of sql) await mariaDbAt(url).query(each);
    };
    const told = async (isFollowing = false, named = [server, ...server.replicas]) => {
      await using parts = new AsyncDisposableStack();
      const servers = named.map(({ url: at }, n): Server => {
        const { host } = new URL(at);
        const address = `${host}/${database}`;
        const pool = parts.use(mysqlPool(`mysql://${database}:secret@${address}`));
        return { role: n === 0 ? "primary" : "replica", address, pool };
      });
      const asked = { site, now: Date.now() * 1000, isFollowing };
      return await Array.fromAsync(examineDatabases(servers, asked));
    };
    return { database, run, told };
  }

  const flawsOf = (told: readonly Told[]) => told.filter(({ state }) => state !== "ok");
  const remediesOf = (told: readonly Told[], check: string) =>
    told.flatMap((each) => (each.check === check && each.state === "problem" ? each.remedy : []));

  test("finds nothing at servers that are as they should be", async () => {
    const { told, run, database } = await open();

    const quiet = await told();
    const follow = await told(true);
    await server.query(`GRANT REPLICATION SLAVE ON *.* TO ${database}`);
    await run("INSERT INTO users VALUES ('a', 'A', NOW())");
    await server.caughtUp();
    const whole = await told(true);

    expect(flawsOf(quiet).map(({ state, about }) => [state, about])).toEqual([
      ["warning", "REPLICATION SLAVE"],
    ]);
    expect(remediesOf(follow, "grants")[0]).toBe(
      `GRANT REPLICATION SLAVE ON *.* TO '${database}'@'%';`,
    );
    expect(flawsOf(whole)).toEqual([]);
    expect(whole.find(({ check }) => check === "lag")?.message).toMatch(/^It had what .* ms\.$/);
  });

  test("the statements that it names put right what it found", async () => {
    const { told, run, database } = await open();
    await run(
      "DROP INDEX article_tags_status_tag_published_at_article_id_expires_at ON article_tags",
      "ALTER TABLE article_tags MODIFY tag VARCHAR(100) COLLATE utf8mb4_general_ci NOT NULL DEFAULT 'x' COMMENT 'it''s COLLATE y'",
      "ALTER TABLE articles MODIFY status ENUM('draft', 'published') NOT NULL",
      `REVOKE SELECT ON ${database}.* FROM ${database}`,
      ...["articles", "article_tags", "activities"].map(
        (table) => `GRANT SELECT ON ${table} TO ${database}`,
      ),
    );
    await server.caughtUp();

    const found = await told();
    const remedies = ["grants", "tables", "indexes"].flatMap((each) => remediesOf(found, each));
    await run(...new Set(remedies.map(String)));
    await server.caughtUp();
    const mended = await told();

    expect(flawsOf(found).map(({ state, check, about }) => [state, check, about])).toEqual(
      ["primary", "replica"].flatMap((role) => [
        ["problem", "grants", "SELECT"],
        ...(role === "primary" ? [["warning", "grants", "REPLICATION SLAVE"]] : []),
        ["problem", "tables", "articles collation"],
        ["problem", "tables", "article_tags collation"],
        ["problem", "indexes", "list article_tags_by_tag"],
      ]),
    );
    expect(remedies[0]).toBe(`GRANT SELECT ON \`${database}\`.\`users\` TO '${database}'@'%';`);
    expect(remedies).toContain(
      `ALTER TABLE \`article_tags\` MODIFY \`tag\` varchar(100) CHARACTER SET utf8mb4 COLLATE ${BRAND.byteCollation} NOT NULL DEFAULT 'x' COMMENT 'it''s COLLATE y';`,
    );
    expect(found.find(({ about }) => about === "list article_tags_by_tag")?.message).toMatch(
      /the newest entries: .*sorts/,
    );
    expect(flawsOf(mended).filter(({ check }) => check !== "grants")).toEqual([]);
    expect(remediesOf(mended, "grants")).toEqual([]);
  });

  test("says what other settings would spoil, and which replica is behind", async () => {
    const { told, run } = await open();
    const [replica] = server.replicas;
    await server.query(
      "SET GLOBAL time_zone = '+02:00', sql_mode = '', max_allowed_packet = 1048576",
    );
    await server.query("SET GLOBAL binlog_format = 'MIXED', binlog_row_metadata = 'MINIMAL'");
    await replica?.query(`STOP ${BRAND.replica} SQL_THREAD`);
    await run("INSERT INTO users VALUES ('a', 'A', NOW())");

    const found = await told();

    await replica?.query(`START ${BRAND.replica} SQL_THREAD`);
    await server.query("SET GLOBAL time_zone = 'SYSTEM', sql_mode = 'STRICT_TRANS_TABLES'");
    await server.query("SET GLOBAL binlog_format = 'ROW', binlog_row_metadata = 'FULL'");
    await server.query("SET GLOBAL max_allowed_packet = 67108864");
    const about = (name: string) => found.find((each) => each.about === name);
    expect(about("time_zone")).toMatchObject({
      state: "warning",
      message: expect.stringContaining("articles.published_at"),
    });
    expect(about("sql_mode")?.state).toBe("warning");
    expect(about("max_allowed_packet")?.state).toBe("warning");
    expect(about("binlog_format")?.remedy).toMatch(/^SET GLOBAL binlog_format = 'ROW';/);
    expect(about("binlog_row_metadata")?.state).toBe("warning");
    expect(found.find(({ check }) => check === "lag")).toMatchObject({ state: "warning" });
  });

  test("servers that are not what the settings say are told", async () => {
    const { told } = await open();
    const [replica = server] = server.replicas;
    const roles = (found: readonly Told[]) =>
      found.filter(({ check }) => check === "role").map(({ state, message }) => [state, message]);

    const twice = await told(false, [server, server]);
    const swapped = await told(false, [replica, server]);

    expect(roles(twice)).toEqual([
      ["ok", "It takes writes."],
      ["warning", "It is the primary itself."],
    ]);
    expect(roles(swapped)).toEqual([
      ["problem", "It is read-only, or applies another server's writes."],
      ["warning", expect.stringMatching(/^It takes writes, so/)],
    ]);
  });

  test("a server that is followed by a user of its own is looked at for that alone", async () => {
    const [replica = server] = server.replicas;
    await server.query("CREATE USER follower IDENTIFIED BY 'secret'");
    await server.query("GRANT REPLICATION SLAVE ON *.* TO follower");
    await server.caughtUp();
    const url = new URL(replica.url);
    await using pool = mysqlPool(`mysql://follower:secret@${url.host}/information_schema`);
    const feed: Server = { role: "feed", address: url.host, pool };
    const told = () =>
      Array.fromAsync(examineDatabases([feed], { site, now: 0, isFollowing: false }));

    const good = await told();
    await replica.query("SET GLOBAL binlog_row_image = 'MINIMAL'");
    const bad = await told();
    await replica.query("SET GLOBAL binlog_row_image = 'FULL'");

    expect(flawsOf(good)).toEqual([]);
    expect(good.find(({ about }) => /^log_(slave|replica)_updates$/.test(about ?? ""))?.state).toBe(
      "ok",
    );
    expect(flawsOf(bad).map(({ state, about }) => [state, about])).toEqual([
      ["problem", "binlog_row_image"],
    ]);
  });

  test("a server that does not answer, or lets nobody in, is a problem of its own", async () => {
    const url = await server.createDatabase();
    const { host, pathname } = new URL(url);
    await server.query("CREATE USER nobody IDENTIFIED BY 'secret'");
    await using closed = mysqlPool("mysql://a:b@127.0.0.1:1/x");
    await using refusing = mysqlPool(`mysql://nobody:secret@${host}${pathname}`);
    const servers: readonly Server[] = [
      { role: "primary", address: "closed", pool: closed },
      { role: "ledger", address: "refusing", pool: refusing },
    ];

    const told = await Array.fromAsync(
      examineDatabases(servers, { site, now: 0, isFollowing: false }),
    );

    expect(told).toMatchObject([
      { check: "connection", place: "primary closed", state: "problem" },
      {
        check: "connection",
        place: "ledger refusing",
        state: "problem",
        remedy: `GRANT SELECT ON \`${pathname.slice(1)}\`.* TO 'nobody'@'%';`,
      },
    ]);
    expect(JSON.stringify(told)).not.toContain("secret");
  });
});

test("a check that cannot be done says why", async () => {
  const look = async () => {
    throw new PipelineError("source_unavailable", "The database does not answer.");
  };

  expect(await examine({ name: "clock", place: "primary", look })).toEqual([
    expect.objectContaining({ state: "unknown", check: "clock", place: "primary" }),
  ]);
});
