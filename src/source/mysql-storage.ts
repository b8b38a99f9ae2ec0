import type { Column } from "../site.ts";
import type { MysqlConnection } from "./mysql-connection.ts";
import type { Storage, StoredColumn, StoredTable } from "./stored.ts";

const INTEGERS = ["tinyint", "smallint", "mediumint", "int", "bigint"];
const TEXTS = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext"];

const FITS: Readonly<Record<Column["type"], readonly string[]>> = {
  int: INTEGERS,
  bigint: INTEGERS,
  bool: INTEGERS,
  instant: ["datetime", "timestamp", "bigint"],
  text: TEXTS,
  oneOf: [...TEXTS, "enum"],
  json: [...TEXTS, "json"],
};

/** What a MySQL or MariaDB connection can say about its database's tables. */
export function mysqlStorage(connection: MysqlConnection): Storage {
  return {
    async describe(names) {
      if (names.length === 0) return new Map();
      const marks = names.map(() => "?").join(", ");
      const columns = await connection.all(
        `SELECT table_name, column_name, data_type, column_type, is_nullable, collation_name
         FROM information_schema.columns
         WHERE table_schema = DATABASE() AND table_name IN (${marks}) ORDER BY ordinal_position`,
        names,
      );
      const indexed = await connection.all(
        `SELECT table_name, index_name, column_name FROM information_schema.statistics
         WHERE table_schema = DATABASE() AND table_name IN (${marks}) ORDER BY index_name, seq_in_index`,
        names,
      );
      const rows = (from: typeof columns, name: string) => from.filter((each) => each[0] === name);
      const present = names.filter((name) => rows(columns, name).length > 0);
      return new Map(
        present.map((name) => [name, storedTable(rows(columns, name), rows(indexed, name))]),
      );
    },
    fits: (column, stored) => FITS[column.type].includes(stored.type),
    orderFlaw,
  };
}

function storedTable(
  columns: readonly (readonly unknown[])[],
  indexed: readonly (readonly unknown[])[],
): StoredTable {
  const indexes = Map.groupBy(indexed, (each) => String(each[1]));
  const names = (rows: readonly (readonly unknown[])[] = []) => rows.map((each) => String(each[2]));
  return {
    columns: new Map(columns.map((each) => [String(each[1]), storedColumn(each)])),
    key: names(indexes.get("PRIMARY")),
    indexes: [...indexes.values()].map(names),
  };
}

function storedColumn([
  ,
  ,
  type,
  fullType,
  isNullable,
  collation,
]: readonly unknown[]): StoredColumn {
  return {
    type: String(type).toLowerCase(),
    fullType: String(fullType),
    isNullable: isNullable === "YES",
    collation: collation === null ? undefined : String(collation),
  };
}

function orderFlaw(table: string, name: string, stored: StoredColumn): string | undefined {
  const { type, fullType, isNullable, collation } = stored;
  if (type === "enum") return "A key or list column cannot be an ENUM, which is ordered by number.";
  if (collation === undefined || /^utf8(mb[34])?_(nopad|0900)_bin$/.test(collation))
    return undefined;
  const none = isNullable ? "" : " NOT NULL";
  const mend = (wanted: string) =>
    `ALTER TABLE \`${table}\` MODIFY \`${name}\` ${fullType} CHARACTER SET utf8mb4 COLLATE ${wanted}${none}`;
  return (
    `Its collation ${collation} does not compare by bytes; key and list columns must. ` +
    `MariaDB: ${mend("utf8mb4_nopad_bin")}; MySQL: ${mend("utf8mb4_0900_bin")};`
  );
}
