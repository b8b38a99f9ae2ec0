import type { AnyTable, Column, ListingFill } from "../site.ts";
import { declaration } from "./decode.ts";
import { type Dialect, quote } from "./dialect.ts";
import type { MysqlCatalog } from "./mysql-catalog.ts";

/** How one technology takes a JSON array apart and compares what is in it. */
export interface Unnesting {
  readonly dialect: Dialect;
  /** A table expression with one row for each element of `array`, called `element`. */
  elements(array: string, column: Column): string;
  /** The element as a value of the column. */
  element(column: Column): string;
  /** A value of `from` as one of `to`, where instants are kept in another form there. */
  copied(value: string, from: Place, to: Place): string;
}

interface Place {
  readonly table: AnyTable;
  readonly column: string;
}

/**
 * Fills an empty listing table from the table that it lists, as `load` does: one row for each distinct
 * element. An element that does not fit ends the statement.
 */
export function backfillSql(unnesting: Unnesting, table: AnyTable, fill: ListingFill): string {
  const { dialect } = unnesting;
  const { of, as, each, copy } = fill;
  const name = (column: string) => quote(dialect, column);
  const column = declaration(table, as);
  const copied = Object.entries(copy).map(([to, from]) =>
    unnesting.copied(`listed.${name(from)}`, { table: of, column: from }, { table, column: to }),
  );
  return [
    `INSERT INTO ${name(table.name)} (${[as, ...Object.keys(copy)].map(name).join(", ")})`,
    `SELECT DISTINCT ${[unnesting.element(column), ...copied].join(", ")}`,
    `FROM ${name(of.name)} AS listed, ${unnesting.elements(`listed.${name(each)}`, column)} AS elements`,
  ].join("\n");
}

/** JSON_TABLE of MariaDB 10.6 and MySQL 8. */
export function mysqlUnnesting(
  dialect: Dialect,
  { collation, isMicros }: Pick<MysqlCatalog, "isMicros"> & { readonly collation: string },
): Unnesting {
  return {
    dialect,
    elements(array, { type, max }) {
      const types = { int: "BIGINT", bigint: "BIGINT", bool: "TINYINT" } as const;
      // What is too long is cut here, and refused by the column while it is still longer.
      const stored = type in types ? types[type as "int"] : `VARCHAR(${(max ?? 255) + 1})`;
      return `JSON_TABLE(${array}, '$[*]' COLUMNS (element ${stored} PATH '$' ERROR ON ERROR))`;
    },
    // In the expression's own collation DISTINCT would take "a" and "A" for one.
    element: ({ type }) =>
      type === "text" || type === "oneOf"
        ? `CONVERT(elements.element USING utf8mb4) COLLATE ${collation}`
        : "elements.element",
    copied(value, from, to) {
      const [was, is] = [from, to].map(({ table, column }) => isMicros(table, column));
      if (declaration(to.table, to.column).type !== "instant" || was === is) return value;
      return is
        ? `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${value})`
        : `TIMESTAMPADD(MICROSECOND, ${value}, '1970-01-01')`;
    },
  };
}

/** json_each of SQLite. */
export function sqliteUnnesting(dialect: Dialect): Unnesting {
  return {
    dialect,
    elements: (array) => `json_each(${array})`,
    element: () => "elements.value",
    copied: (value) => value,
  };
}
