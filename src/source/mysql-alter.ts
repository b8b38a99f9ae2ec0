import type { Flavour } from "./flavour.ts";
import { flavourOf } from "./flavour.ts";
import type { MysqlConnection } from "./mysql-connection.ts";

/**
 * The statement, without a semicolon, that makes columns compare by bytes and leaves all else of them
 * as it is; undefined for what is no table.
 */
export async function collationAlter(
  connection: MysqlConnection,
  table: string,
  columns: readonly string[],
): Promise<string | undefined> {
  return (await collationAlters(connection, table, await flavourOf(connection)))(columns);
}

/** The same for any columns of a table, which is looked at once. */
export async function collationAlters(
  connection: MysqlConnection,
  table: string,
  { byteCollation }: Flavour,
): Promise<(columns: readonly string[]) => string | undefined> {
  const [[, created] = []] = await connection.all(`SHOW CREATE TABLE \`${table}\``);
  const lines = String(created).split("\n");
  return (columns) => {
    const changes = columns.map((name) =>
      modified(lines.find((each) => each.startsWith(`  \`${name}\` `)) ?? "", byteCollation),
    );
    return changes.includes(undefined)
      ? undefined
      : `ALTER TABLE \`${table}\` ${changes.join(", ")}`;
  };
}

/** One column's line of SHOW CREATE TABLE; an ENUM, which is ordered by number, becomes text. */
function modified(line: string, collation: string): string | undefined {
  const values = /^ {2}`\w+` enum\(((?:'(?:[^']|'')*',?)+)\)/.exec(line)?.[1];
  const longest = Math.max(...(values ?? "").split("','").map((each) => each.length));
  const plain =
    values === undefined ? line : line.replace(`enum(${values})`, () => `varchar(${longest})`);
  const [, type, rest] =
    /^ {2}(`\w+` \w+(?:\(\d+\))?)(?: CHARACTER SET \w+)?(?: COLLATE \w+)?(.*?),?$/.exec(plain) ??
    [];
  return type && `MODIFY ${type} CHARACTER SET utf8mb4 COLLATE ${collation}${rest}`;
}
