import type { AnyList, AnyTable } from "../site.ts";
import { collationAlter } from "../source/mysql-alter.ts";
import type { MysqlConnection } from "../source/mysql-connection.ts";
import { mysqlStorage } from "../source/mysql-storage.ts";
import { type Difference, differences } from "../source/stored.ts";
import { type Finding, ok, problem } from "./finding.ts";

/** Whether the declared tables are there, of types that fit, with their keys and collations. */
export async function tableFindings(
  connection: MysqlConnection,
  tables: readonly AnyTable[],
  lists: readonly AnyList[],
): Promise<readonly Finding[]> {
  const found = await differences(mysqlStorage(connection), tables, lists);
  if (found.length === 0) return [ok("Every declared table is there, as it is declared.")];
  const [orders, others] = [found.filter(isOrder), found.filter((each) => !isOrder(each))];
  const told = others.map(({ place, message, is }) =>
    problem(message, REMEDIES[is], { about: place }),
  );
  const byTable = Map.groupBy(orders, ({ table }) => table);
  const collations = [...byTable].map(([table, some]) => collationFinding(connection, table, some));
  return [...told, ...(await Promise.all(collations))];
}

const REMEDIES: Readonly<Record<Difference["is"], string>> = {
  "no table": "`nightbake schema --diff` prints the CREATE TABLE.",
  "no column":
    "Take it out of the declaration, or add it: `nightbake schema --diff` prints the ALTER.",
  type: "Declare the type that it has, or change the column.",
  order: "",
  key: "Declare the key that it has, or change the table.",
};

function isOrder({ is }: Difference): boolean {
  return is === "order";
}

/** One ALTER a table, since each copies it. */
async function collationFinding(
  connection: MysqlConnection,
  table: AnyTable,
  flaws: readonly Difference[],
): Promise<Finding> {
  const columns = flaws.flatMap(({ column }) => column ?? []);
  const alter = await collationAlter(connection, table.name, columns);
  const message = `Key and list columns must compare by bytes, without padding; ${columns.join(", ")} ${columns.length === 1 ? "does" : "do"} not.`;
  return problem(message, alter?.concat(";") ?? flaws.map((each) => each.message).join(" "), {
    about: `${table.name} collation`,
  });
}

/** The declared instants whose values say no time zone: `articles.published_at`. */
export async function dateTimes(
  connection: MysqlConnection,
  tables: readonly AnyTable[],
): Promise<readonly string[]> {
  const stored = await mysqlStorage(connection).describe(tables.map(({ name }) => name));
  return tables.flatMap(({ name, columns }) =>
    Object.keys(columns)
      .filter((column) => stored.get(name)?.columns.get(column)?.type === "datetime")
      .map((column) => `${name}.${column}`),
  );
}
