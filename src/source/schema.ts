import { type AnyList, type AnyTable, type Column, digest } from "../site.ts";
import { declaration } from "./decode.ts";
import type { Dialect } from "./dialect.ts";
import { quote } from "./dialect.ts";
import { orderedColumns, type Storage } from "./stored.ts";

/** The limit of MySQL for names. */
const MAX_NAME = 64;
/** Key, list and link columns without `max` get this many characters. */
const DEFAULT_MAX = 255;

/** What differs between the databases in creating tables. */
export interface SchemaDialect {
  readonly dialect: Dialect;
  /** Type of a column, e.g. `VARCHAR(255) COLLATE …`; `max` is set for text that must be indexable. */
  typeOf(column: Column, max: number | undefined): string;
  /** Follows the closing parenthesis of CREATE TABLE. */
  readonly tableOptions: string;
}

/** A statement that creates what is missing, without a semicolon. */
export interface Creation {
  readonly is: "table" | "index";
  readonly table: AnyTable;
  readonly sql: string;
}

/**
 * What creates all that is missing: tables with their keys, and an index for each list. Tables that
 * exist are left as they are, but for their indexes. Run again it gives none.
 */
export async function missingSchema(
  schema: SchemaDialect,
  storage: Storage,
  tables: readonly AnyTable[],
  lists: readonly AnyList[],
): Promise<readonly Creation[]> {
  const stored = await storage.describe(tables.map((table) => table.name));
  return tables.flatMap((table): readonly Creation[] => {
    const found = stored.get(table.name);
    const wanted = listIndexes(table, lists);
    const missing = wanted.filter(
      (columns) => !found?.indexes.some((each) => startsWith(each, columns)),
    );
    const indexes = missing.map((columns): Creation => {
      return { is: "index", table, sql: createIndex(schema.dialect, table, columns) };
    });
    if (found !== undefined) return indexes;
    return [{ is: "table", table, sql: createTable(schema, table, lists) }, ...indexes];
  });
}

/**
 * Columns of the index that makes a list's windows ranges: the shown constants, the partition, the
 * order; then those that only decide visibility, so that no row is fetched to be left out.
 */
export function indexColumns({ by, order, visible }: AnyList): readonly string[] {
  const { show = {}, from, until } = visible;
  const parts = [...Object.keys(show).sort(), by, ...order, from, until];
  return [...new Set(parts.filter((each) => each !== undefined))];
}

/** A list's own index, and one for each way its entries are found from the pages they lead to. */
function listIndexes(table: AnyTable, lists: readonly AnyList[]): readonly (readonly string[])[] {
  const ofTable = lists
    .filter((list) => list.table.name === table.name)
    .flatMap((list) => [
      indexColumns(list),
      ...(list.item === undefined ? [] : [list.item.key]),
      ...Object.values(list.links).map(({ columns }) => columns),
    ]);
  const distinct = [...new Map(ofTable.map((columns) => [columns.join(), columns])).values()];
  return distinct.filter((columns) => !startsWith(table.key, columns));
}

function createTable(schema: SchemaDialect, table: AnyTable, lists: readonly AnyList[]): string {
  const { dialect } = schema;
  const columns = Object.keys(table.columns).map((name) => columnSql(schema, table, lists, name));
  const key = table.key.map((name) => quote(dialect, name)).join(", ");
  const parts = [...columns, `PRIMARY KEY (${key})`].join(",\n  ");
  return `CREATE TABLE ${quote(dialect, table.name)} (\n  ${parts}\n)${schema.tableOptions}`;
}

/** A declared column as CREATE and ALTER TABLE have it: its name, type and NOT NULL. */
export function columnSql(
  schema: SchemaDialect,
  table: AnyTable,
  lists: readonly AnyList[],
  name: string,
): string {
  const column = declaration(table, name);
  // MySQL has no index over text without a length.
  const isIndexed =
    orderedColumns(table, lists).has(name) || listIndexes(table, lists).flat().includes(name);
  const max = isIndexed ? (column.max ?? DEFAULT_MAX) : column.max;
  const none = column.isNullable ? "" : " NOT NULL";
  return `${quote(schema.dialect, name)} ${schema.typeOf(column, max)}${none}`;
}

/** The statement that makes an index; its name follows from its columns. */
export function createIndex(dialect: Dialect, table: AnyTable, columns: readonly string[]): string {
  const name = indexName(table, columns);
  const quoted = columns.map((each) => quote(dialect, each)).join(", ");
  return `CREATE INDEX ${quote(dialect, name)} ON ${quote(dialect, table.name)} (${quoted})`;
}

/** In SQLite index names are shared by all tables, so the table's is part of it. */
function indexName(table: AnyTable, columns: readonly string[]): string {
  const name = [table.name, ...columns].join("_");
  if (name.length <= MAX_NAME) return name;
  return `${name.slice(0, MAX_NAME - 9)}_${digest(name).toString("hex").slice(0, 8)}`;
}

function startsWith(columns: readonly string[], first: readonly string[]): boolean {
  return first.every((each, at) => columns[at] === each);
}
