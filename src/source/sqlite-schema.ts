import type { SchemaDialect } from "./schema.ts";
import { SQLITE } from "./sqlite-dialect.ts";

/**
 * Tables of SQLite. STRICT keeps text out of number columns, whoever writes. INT, not INTEGER: as
 * INTEGER a key is the rowid, and then the range (published_at, id) > (?, ?) of an index ends at
 * published_at, so that entries of one moment are read again for each page.
 */
export const SQLITE_SCHEMA: SchemaDialect = {
  dialect: SQLITE,
  typeOf: ({ type }) => (type === "text" || type === "oneOf" || type === "json" ? "TEXT" : "INT"),
  tableOptions: " STRICT",
};
