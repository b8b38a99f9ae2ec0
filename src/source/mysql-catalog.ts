import type { AnyList, AnyTable } from "../site.ts";
import type { MysqlConnection } from "./mysql-connection.ts";

/** What statements depend on besides the declarations. */
export interface MysqlCatalog {
  /** True when an instant column is a BIGINT of microseconds, not a date type. */
  isMicros(table: AnyTable, column: string): boolean;
  /** Name of the index that serves a list; undefined when there is none. */
  indexOf(list: AnyList): string | undefined;
  /** Name of the index that begins with these columns; undefined when there is none. */
  indexOver(table: AnyTable, columns: readonly string[]): string | undefined;
}

/** The catalog of a database without tables. */
export const EMPTY_CATALOG: MysqlCatalog = {
  isMicros: () => false,
  indexOf: () => undefined,
  indexOver: () => undefined,
};

/** Reads the catalog of the connection's database: two statements, whatever the number of tables. */
export async function readCatalog(connection: MysqlConnection): Promise<MysqlCatalog> {
  const integers = await connection.all(
    `SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND data_type = 'bigint'`,
  );
  const micros = new Set(integers.map(([name]) => name));
  const parts = await connection.all(
    `SELECT table_name, index_name, column_name FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND sub_part IS NULL
     ORDER BY table_name, index_name, seq_in_index`,
  );
  const indexes = [...Map.groupBy(parts, ([table, index]) => `${table}.${index}`).values()];
  const named = (table: AnyTable, fits: (columns: readonly string[]) => boolean) => {
    const own = indexes.filter((index) => index[0]?.[0] === table.name);
    const index = own.find((each) => fits(each.map((part) => String(part[2]))));
    return index === undefined ? undefined : String(index[0]?.[1]);
  };
  return {
    isMicros: (table, column) => micros.has(`${table.name}.${column}`),
    indexOf: (list) => named(list.table, (columns) => serves(list, columns)),
    indexOver: (table, wanted) =>
      named(table, (columns) => wanted.every((column, at) => columns[at] === column)),
  };
}

/** The shown constants in any order, then the partition, then the order: one range for any window. */
function serves({ by, order, visible }: AnyList, columns: readonly string[]): boolean {
  const shown = new Set(Object.keys(visible.show ?? {}));
  const rest = columns.slice(shown.size);
  const wanted = by === undefined ? order : [by, ...order];
  return (
    shown.isSubsetOf(new Set(columns.slice(0, shown.size))) &&
    wanted.every((column, at) => rest[at] === column)
  );
}
