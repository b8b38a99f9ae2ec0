import type { AnyTable, Key, Row } from "../site.ts";
import type { Dialect, Fragment } from "./dialect.ts";
import { quote } from "./dialect.ts";

/** Inserts complete rows in one statement. */
export function insertSql(
  dialect: Dialect,
  table: AnyTable,
  rows: readonly Row[],
  verb = "INSERT",
): Fragment {
  const names = Object.keys(table.columns);
  const marks = `(${names.map(() => "?").join(", ")})`;
  const columns = names.map((name) => quote(dialect, name)).join(", ");
  const values = rows.map(() => marks).join(", ");
  return {
    sql: `${verb} INTO ${quote(dialect, table.name)} (${columns}) VALUES ${values}`,
    params: rows.flatMap((row) => names.map((name) => dialect.encode(table, name, row[name]))),
  };
}

/** Sets all columns but the key of one row. */
export function updateSql(dialect: Dialect, table: AnyTable, row: Row): Fragment {
  const names = Object.keys(table.columns).filter((name) => !table.key.includes(name));
  const assign = (name: string) => `${quote(dialect, name)} = ?`;
  const set = names.map(assign).join(", ");
  const where = table.key.map(assign).join(" AND ");
  return {
    sql: `UPDATE ${quote(dialect, table.name)} SET ${set} WHERE ${where}`,
    params: [...names, ...table.key].map((name) => dialect.encode(table, name, row[name])),
  };
}

/** Deletes rows by key. */
export function deleteSql(dialect: Dialect, table: AnyTable, keys: readonly Key[]): Fragment {
  const tuples = keys.map((key) =>
    table.key.map((name, at) => dialect.encode(table, name, key[at])),
  );
  const among = dialect.among(
    table.key.map((name) => quote(dialect, name)),
    tuples,
  );
  return { ...among, sql: `DELETE FROM ${quote(dialect, table.name)} WHERE ${among.sql}` };
}
