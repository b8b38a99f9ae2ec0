import type { Column } from "../site.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import type { Storage, StoredColumn, StoredTable } from "./stored.ts";

const TEXTS: ReadonlySet<Column["type"]> = new Set(["text", "oneOf", "json"]);

/** What an open SQLite file can say about its tables. */
export function sqliteStorage(connection: SqliteConnection): Storage {
  return {
    async describe(names) {
      const tables = new Map<string, StoredTable>();
      for (const name of names) {
        const found = storedTable(connection, name);
        if (found !== undefined) tables.set(name, found);
      }
      return tables;
    },
    // The rules of type affinity: https://www.sqlite.org/datatype3.html#determination_of_column_affinity
    fits(column, { type }) {
      if (type.includes("int")) return !TEXTS.has(column.type);
      return TEXTS.has(column.type) && /char|clob|text|json/.test(type);
    },
    orderFlaw(_table, _name, { collation }) {
      if (collation === undefined) return undefined;
      return `Its table is declared with COLLATE ${collation}, which does not compare by bytes; create the table without it.`;
    },
  };
}

function storedTable(connection: SqliteConnection, table: string): StoredTable | undefined {
  const [schema] = connection.all("SELECT sql FROM sqlite_schema WHERE name = ?", [table]);
  if (schema === undefined) return undefined;
  // SQLite tells a column's collation only in the statement that made the table.
  const collation = /collate\s+["'`[]?(nocase|rtrim)/i.exec(String(schema[0]))?.[1];
  const rows = connection.all(
    'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) ORDER BY pk',
    [table],
  );
  const columns = rows.map(([name, type, notNull]): [string, StoredColumn] => [
    String(name),
    {
      type: String(type).toLowerCase(),
      fullType: String(type),
      isNullable: notNull === 0n,
      collation,
    },
  ]);
  const indexed = connection.all(
    `SELECT list.name, column.name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS column
     ORDER BY list.name, column.seqno`,
    [table],
  );
  const indexes = Map.groupBy(indexed, ([index]) => String(index));
  return {
    columns: new Map(columns),
    key: rows.filter(([, , , pk]) => pk !== 0n).map(([name]) => String(name)),
    indexes: [...indexes.values()].map((each) => each.map(([, column]) => String(column))),
  };
}
