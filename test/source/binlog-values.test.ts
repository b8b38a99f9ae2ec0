import { expect, test } from "vitest";
import { bigint, bool, instant, int, json, oneOf, table, text } from "../../src/site.ts";
import { BRAND } from "../services/brand.ts";
import { describeWith } from "../services/requires.ts";
import { mysqlDatabase } from "./database.ts";
import { feedOf, toldSince } from "./following.ts";
import { NOW } from "./samples.ts";

/** Each type a column may have, what it is declared as, and values as SQL. */
const COLUMNS: Readonly<Record<string, readonly [unknown, ...string[]]>> = {
  TINYINT: [int(), "-128", "127", "NULL"],
  "TINYINT UNSIGNED": [int(), "0", "255"],
  "TINYINT(1)": [bool(), "0", "1", "2"],
  SMALLINT: [int(), "-32768", "32767"],
  MEDIUMINT: [int(), "-8388608", "8388607"],
  "MEDIUMINT UNSIGNED": [int(), "16777215"],
  INT: [int(), "-2147483648", "2147483647"],
  "INT UNSIGNED": [int(), "4294967295"],
  BIGINT: [bigint(), "-9223372036854775808", "9007199254740993", "-9007199254740993", "7"],
  "BIGINT UNSIGNED": [bigint(), "18446744073709551615", "9223372036854775807"],
  DATETIME: [instant(), "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'0000-00-00'"],
  "DATETIME(3)": [instant(), "'2026-03-29 02:30:00.5'", "'2026-10-25 02:30:00.001'"],
  "DATETIME(6)": [instant(), "'1969-12-31 23:59:58.000001'", "'2026-02-30 00:00:00'"],
  "TIMESTAMP NULL": [instant(), "'2026-10-25 00:30:00'", "'1970-01-01 00:00:01'", "'0000-00-00'"],
  "TIMESTAMP(6) NULL": [instant(), "'2026-03-29 01:30:00.000009'", "'2038-01-19 03:14:07'"],
  DATE: [text(), "'2026-02-28'", "'0000-00-00'"],
  "TIME(3)": [text(), "'-12:30:00.5'", "'838:59:59'"],
  YEAR: [int(), "1901", "2155"],
  "DECIMAL(20,6)": [text(), "-12345678901234.000001", "0.1"],
  DOUBLE: [int(), "1.5", "-3"],
  "CHAR(5)": [text(), "'ab  '", "''", "'é'"],
  "VARCHAR(50)": [text(), "'trailing  '", "'N'", "'ünïcødé 🍞'"],
  "VARCHAR(300) CHARACTER SET latin1": [text(), "'€é'"],
  TEXT: [text(), "REPEAT('x', 3000)", "'\\\\n'"],
  "MEDIUMTEXT COMPRESSED": [text(), "REPEAT('y', 3000)", "''"],
  "LONGTEXT CHARACTER SET utf16": [text(), "'🍞'"],
  "ENUM('a','b,c','d''e')": [oneOf("a", "b,c", "d'e"), "'a'", "'b,c'", "'d''e'", "'none'"],
  "SET('x','y')": [text(), "'x,y'", "''"],
  JSON: [json(), `'{"b": [1, 2.50], "a": "é"}'`, "'null'"],
  UUID: [
    text(),
    "'550E8400-e29b-41d4-a716-446655440000'",
    "'00000000-0000-0000-0000-000000000000'",
  ],
  INET4: [text(), "'10.0.0.0'", "'255.255.255.255'"],
  INET6: [
    text(),
    ...[
      "::",
      "::1",
      "::2",
      "::1:0",
      "::1.2.3.4",
      "::ffff:1.2.3.4",
      "::fffe:1:2",
      "2001:db8::",
      "1:0:0:2:0:0:0:3",
      "1:2:0:4:0:6:0:8",
      "0:2:3:4:5:6:7:8",
      "1:2:3:4:5:6:7:8",
    ].map((each) => `'${each}'`),
  ],
  "BINARY(4)": [text(), "'ab'"],
  "VARBINARY(9)": [text(), "X'00ff'"],
  BLOB: [text(), "X'fffe'"],
  "BIT(9)": [int(), "b'100000001'"],
};

/** What MariaDB alone has. */
const OF_MARIADB = /COMPRESSED|^UUID|^INET/;

const columnsHere = Object.entries(COLUMNS).filter(
  ([type]) => BRAND.flavour === "mariadb" || !OF_MARIADB.test(type),
);

describeWith("shared-mariadb", "A row that the log tells of", () => {
  test("is the row that a read gives, for every type of column", async () => {
    await using database = await mysqlDatabase();
    const names = columnsHere.map((_, at) => `c${at}`);
    const columns = columnsHere.map(
      ([, [column]], at) => [`c${at}`, (column as ReturnType<typeof text>).nullable()] as const,
    );
    const all = table("all_types", {
      key: "id",
      columns: { id: int(), ...Object.fromEntries(columns) },
    });
    const types = columnsHere.map(([type], at) => `c${at} ${type}`);
    await database.run(
      `CREATE TABLE all_types (id INT PRIMARY KEY, ${types.join(", ")}) COLLATE ${BRAND.byteCollation}`,
    );
    await using feed = feedOf(database.at, [all]);
    const start = await feed.position();
    const depth = Math.max(...columnsHere.map(([, each]) => each.length - 1));
    const values = Array.from({ length: depth }, (_, row) =>
      [row, ...columnsHere.map(([, [, ...each]]) => each[row] ?? "NULL")].join(),
    );
    await database.run(...values.map((row) => `INSERT INTO all_types VALUES (${row})`));

    const told = await toldSince(feed, start);

    await using source = await database.source();
    await using rows = await source.read(NOW);
    const keys = values.map((_, row) => [row]);
    const read = await rows.rows(all, { see: names, keys });
    const changes = told.flatMap((each) => each.changes);
    expect(changes.map((each) => each.is === "row" && each.after)).toEqual(read);
    // Most are good: the same mistake on both sides would be no proof.
    const bad = ["BIGINT UNSIGNED", "DOUBLE", "BINARY(4)", "VARBINARY(9)", "BLOB", "BIT(9)"];
    const isBad = ([type]: readonly [string, unknown]) => bad.includes(type);
    expect(read[0]?.error?.problems.map(({ place }) => place)).toEqual(
      columnsHere.flatMap((each, at) => (isBad(each) ? `c${at}` : [])),
    );
  });
});
