import { createServer } from "node:net";
import { expect, test } from "vitest";
import { bucketEnd } from "../../src/plan/windows.ts";
import {
  appendOnly,
  byYear,
  decodeKey,
  encodeKey,
  instant,
  int,
  list,
  table,
  text,
} from "../../src/site.ts";
import { openMysqlSource } from "../../src/source/mysql-source.ts";
import { BRAND } from "../services/brand.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { listed, loose, looseList, verdicts } from "./bad-rows.ts";
import { fill, mysqlDatabase } from "./database.ts";
import { NOW } from "./samples.ts";
import { describeSource } from "./source-contract.ts";

describeWith("shared-mariadb", "On a real server", () => {
  describeSource("MariaDB", mysqlDatabase);

  test("a bad value spoils its row only, and is named", async () => {
    await using database = await mysqlDatabase();
    await database.run(
      `CREATE TABLE loose (id BIGINT PRIMARY KEY, title VARCHAR(50) COLLATE ${BRAND.byteCollation}, size BIGINT UNSIGNED, flag TINYINT,
       at DATETIME(6), data LONGTEXT COLLATE ${BRAND.byteCollation}, kind VARCHAR(9) COLLATE ${BRAND.byteCollation})`,
      "INSERT INTO loose VALUES (1, 'good', 5, 1, '1970-01-01 00:00:00.000007', '[1]', 'a')",
      "INSERT INTO loose VALUES (2, NULL, 18446744073709551615, 2, '0000-00-00', '{', 'A')",
      "INSERT INTO loose VALUES (3, 'a', 9223372036854775807, 0, '9999-12-31 23:59:59.999999', '\"\\\\ud800\"', 'b')",
      "INSERT INTO loose VALUES (4, 'a', 1, 0, NULL, '', 'b ')",
      "INSERT INTO loose VALUES (9007199254740993, 'beyond', 1, 0, '2020-01-01', NULL, 'b')",
    );
    await using source = await database.source();
    await source.check([loose], [looseList]);

    expect(await verdicts(source)).toEqual({
      1: "ok",
      2: "title holds NULL and is not declared nullable; size holds a number of more than 64 bits; flag holds neither 0 nor 1; at holds a date that does not exist, or a fraction of a second outside the years 1685-2254; data holds text that is not JSON; kind holds none of a, b",
      3: "at holds a date that does not exist, or a fraction of a second outside the years 1685-2254; data holds JSON with half of a surrogate pair",
      4: "at holds NULL and is not declared nullable; data holds text that is not JSON; kind holds none of a, b",
      undefined: "id holds a number beyond ±2^53; declare it bigint",
    });
    await using rows = await source.read(NOW);
    expect(await listed(rows)).toEqual({
      places: [1],
      entries: [
        "title holds NULL and is not declared nullable",
        "ok",
        "id holds a number beyond ±2^53; declare it bigint",
        "ok",
      ],
    });
  });

  test.each([
    ["DATETIME(6)", "'1969-12-31 23:59:58.000001'", -1_999_999],
    ["DATETIME(3)", "'1000-01-01 00:00:00'", -30_610_224_000_000_000],
    ["DATETIME", "'9999-12-31 23:59:59'", 253_402_300_799_000_000],
    ["TIMESTAMP(6)", "'2026-03-29 02:30:00.5'", Date.UTC(2026, 2, 29, 2, 30) * 1000 + 500_000],
    ["TIMESTAMP", "'2026-10-25 02:30:00'", Date.UTC(2026, 9, 25, 2, 30) * 1000],
    ["BIGINT", "-1999999", -1_999_999],
  ])("reads, compares and pages instants in %s", async (type, literal, at) => {
    await using database = await mysqlDatabase();
    const times = table("times", { key: "id", columns: { id: int(), at: instant() } });
    const byTime = list(times, { order: ["at", "id"], cut: appendOnly() });
    await database.run(
      `CREATE TABLE times (id BIGINT PRIMARY KEY, at ${type} NOT NULL, KEY (at, id))`,
      `INSERT INTO times VALUES (1, ${literal}), (2, ${literal}), (3, ${type === "BIGINT" ? 1000 : "'2020-01-01'"})`,
    );
    await using source = await database.source();
    await source.check([times], [byTime]);
    await using rows = await source.read(at);

    const [own, before] = await rows.windows(byTime, [
      {
        part: null,
        // As a ledger gives them back: beyond 2^53 as bigint.
        from: { order: decodeKey(encodeKey([at, 1])), isInclusive: false },
        to: { order: decodeKey(encodeKey([at])), isInclusive: true },
        first: "oldest",
        limit: 9,
      },
      { part: null, to: { order: [at], isInclusive: false }, first: "newest", limit: 9 },
    ]);
    const visible = { from: "at", until: "at" } as const;

    expect(own?.map(({ row }) => row)).toEqual([{ id: 2, at }]);
    expect(before?.map(({ key }) => key)).toEqual(at > Date.UTC(2020) * 1000 ? [[3]] : []);
    const query = { see: [], after: undefined, limit: 9 };
    expect(
      (await rows.scan(times, { ...query, visible: { from: "at" } })).map(({ key }) => key),
    ).toContainEqual([1]);
    expect(await rows.scan(times, { ...query, visible })).toEqual([]);
  });

  test("a window may end after the last moment that a date can be", async () => {
    await using database = await mysqlDatabase();
    const times = table("times", { key: "id", columns: { id: int(), at: instant() } });
    const byTime = list(times, { order: ["at", "id"], cut: byYear("at") });
    const last = Date.UTC(9999, 11, 31, 23, 59, 59) * 1000;
    await fill(database, times, [{ id: 1, at: last }], [byTime]);
    await using source = await database.source();
    await using rows = await source.read(NOW);

    const to = { order: [bucketEnd("year", "9999")], isInclusive: false };
    const [places] = await rows.placesIn(byTime, [{ part: null, to, first: "oldest", limit: 9 }]);

    expect(places).toEqual([{ part: null, order: [last, 1] }]);
  });

  test("a key or list column that does not compare by bytes is refused, with what mends it", async () => {
    await using database = await mysqlDatabase();
    const t = table("t", {
      key: "name",
      columns: { name: text({ max: 9 }), tag: text({ max: 9 }), body: text() },
    });
    const byTag = list(t, { by: "tag", order: ["name"], cut: appendOnly() });
    await database.run(
      `CREATE TABLE t (name VARCHAR(9) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
       tag VARCHAR(9) COLLATE utf8mb4_unicode_ci, body TEXT COLLATE utf8mb4_general_ci)`,
    );
    await using source = await database.source();

    const mend = (column: string) =>
      `ALTER TABLE \`t\` MODIFY \`${column}\` varchar(9) CHARACTER SET utf8mb4 COLLATE ${BRAND.byteCollation}`;
    await expect(source.check([t], [byTag])).rejects.toMatchObject({
      code: "source_rejected",
      problems: [
        { place: "t.name", message: expect.stringContaining(`${mend("name")} NOT NULL;`) },
        { place: "t.tag", message: expect.stringContaining(`${mend("tag")};`) },
      ],
    });
    await database.run(`${mend("name")} NOT NULL`, mend("tag"));
    await source.check([t], [byTag]);
  });

  test("gives every connection back, also after an error", async () => {
    await using database = await mysqlDatabase();
    await using source = await database.source();

    for (let at = 0; at < 20; at += 1) {
      await using rows = await source.read(NOW);
      await expect(rows.isEmpty(loose)).rejects.toMatchObject({ code: "source_rejected" });
      await expect(source.check([loose])).rejects.toMatchObject({ code: "source_rejected" });
    }
  });

  test("says whether the server, the password or the database is wrong, and never the password", async () => {
    const { url } = await sharedMariaDb();
    const wrong = new URL(`${url}/mysql`);
    wrong.password = "s3cret%2F";
    const failure = async (at: string) => {
      await using source = await openMysqlSource({ url: at });
      const error: unknown = await source.read(NOW).catch((each: unknown) => each);
      expect(JSON.stringify(error) + String((error as Error).cause)).not.toContain("s3cret");
      return error;
    };

    expect(await failure(`mysql://root:s3cret@127.0.0.1:${await freePort()}/x`)).toMatchObject({
      code: "source_unavailable",
      hint: "Start the database, or correct host and port in DATABASE_URL.",
    });
    expect(await failure(wrong.href)).toMatchObject({
      code: "source_rejected",
      hint: "Correct user and password in DATABASE_URL.",
    });
    expect(await failure(`${url}/absent`)).toMatchObject({
      code: "source_rejected",
      hint: "Create the database, or correct its name in DATABASE_URL.",
    });
    // MySQL always has a certificate: it makes its own.
    if (BRAND.flavour === "mariadb") {
      expect(await failure(`${url}/mysql?ssl=skip-verify`)).toMatchObject({
        code: "source_rejected",
        hint: expect.stringContaining("?ssl=false"),
      });
    }
    expect(await failure("mysql://root:s3cret@nowhere.invalid/x")).toMatchObject({
      code: "source_unavailable",
    });
  });

  test("says that the connection was lost while reading", async () => {
    await using database = await mysqlDatabase();
    const t = table("t", { key: "id", columns: { id: int() } });
    await fill(database, t, []);
    await using source = await database.source();
    await using rows = await source.read(NOW);
    const name = new URL(database.at).pathname.slice(1);
    const sessions = await database.run(
      `SELECT id AS id FROM information_schema.processlist WHERE db = '${name}' AND id <> CONNECTION_ID()`,
    );

    // Some of them may have ended by themselves since.
    await Promise.allSettled(sessions.map(({ id }) => database.run(`KILL ${id}`)));

    await expect(rows.isEmpty(t)).rejects.toMatchObject({ code: "source_unavailable" });
    await using later = await source.read(NOW);
    expect(await later.isEmpty(t)).toBe(true);
  });
});

test.each([
  "postgres://a:s3cret@localhost/x",
  "s3cret",
  "mysql://a:s3cret%@localhost/x",
  "mysql://a:s3cret@localhost",
  "mysql://a:s3cret@localhost/x?ssl=maybe",
])("a URL that is not understood is refused and not repeated: %s", async (url) => {
  const error: unknown = await openMysqlSource({ url }).catch((each: unknown) => each);

  expect(error).toMatchObject({ code: "config_invalid", hint: expect.any(String) });
  expect(String(error) + JSON.stringify(error)).not.toContain("s3cret");
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}
