import type { Dialect } from "./dialect.ts";
import { encodePlain } from "./dialect.ts";

/** Reading statements of SQLite. Instants are stored as INTEGER microseconds. */
export const SQLITE: Dialect = {
  hasTextualNumbers: false,
  quoteMark: '"',
  // Without the plus SQLite plans by the value, and prepares again whenever one is bound.
  limit: "LIMIT +?",
  byKey: "",
  byList: () => "",
  byColumns: () => "",
  compare(columns, comparison, values) {
    const [tuple, marks] = [columns.join(", "), columns.map(() => "?").join(", ")];
    return { sql: `(${tuple}) ${comparison} (${marks})`, params: values };
  },
  among(columns, tuples) {
    const params = tuples.flat();
    if (columns.length === 1) {
      return { sql: `${columns[0]} IN (${tuples.map(() => "?").join(", ")})`, params };
    }
    const marks = `(${columns.map(() => "?").join(", ")})`;
    return {
      sql: `(${columns.join(", ")}) IN (VALUES ${tuples.map(() => marks).join(", ")})`,
      params,
    };
  },
  // A unary plus keeps SQLite from using an index for the term.
  passive: (column) => `+${column}`,
  encode: (table, column, value) => encodePlain(table.columns[column], value),
};
