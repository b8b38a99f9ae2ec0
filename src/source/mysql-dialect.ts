import type { Comparison, Dialect, Fragment, Param } from "./dialect.ts";
import { encodePlain } from "./dialect.ts";
import { formatDateTime } from "./instant.ts";
import type { MysqlCatalog } from "./mysql-catalog.ts";

/** Reading statements of MySQL and MariaDB, for a database with this catalog. */
export function mysqlDialect({ isMicros, indexOf, indexOver }: MysqlCatalog): Dialect {
  return {
    hasTextualNumbers: true,
    quoteMark: "`",
    // With an index on a visibility column the optimiser would sort all visible rows for each page.
    limit: "LIMIT ?",
    byKey: " FORCE INDEX (PRIMARY)",
    // Left alone it takes the equality columns only, and reads a partition from its start each time.
    byList: (list) => forced(indexOf(list)),
    // For many values it takes a list's index, and reads all visible rows.
    byColumns: (table, columns) => forced(indexOver(table, columns)),
    compare,
    among(columns, tuples) {
      const params = tuples.flat();
      if (columns.length === 1) {
        return { sql: `${columns[0]} IN (${tuples.map(() => "?").join(", ")})`, params };
      }
      const marks = `(${columns.map(() => "?").join(", ")})`;
      return { sql: `(${columns.join(", ")}) IN (${tuples.map(() => marks).join(", ")})`, params };
    },
    passive: (column) => column,
    encode(table, column, value) {
      const declared = table.columns[column];
      const isDate = declared?.type === "instant" && !isMicros(table, column);
      // A moment out of an encoded key is a bigint when it is beyond 2^53.
      return isDate && (typeof value === "number" || typeof value === "bigint")
        ? formatDateTime(Number(value))
        : encodePlain(declared, value);
    },
  };
}

function forced(index: string | undefined): string {
  return index === undefined ? "" : ` FORCE INDEX (\`${index}\`)`;
}

/**
 * `a > ? OR (a = ? AND b > ?)`: two ranges of the index. For `(a, b) > (?, ?)` the optimiser reads
 * the whole index instead.
 */
function compare(
  columns: readonly string[],
  comparison: Comparison,
  values: readonly Param[],
): Fragment {
  const last = columns.length - 1;
  const strict = comparison[0] as Comparison;
  const terms = columns.map((column, at) => {
    const equal = columns.slice(0, at).map((each) => `${each} = ?`);
    return [...equal, `${column} ${at === last ? comparison : strict} ?`].join(" AND ");
  });
  const params = columns.flatMap((_, at) => values.slice(0, at + 1));
  return { sql: `(${terms.map((term) => `(${term})`).join(" OR ")})`, params };
}
