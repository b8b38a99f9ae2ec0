import { createRequire } from "node:module";
import { StatementSync } from "node:sqlite";

/** Rows that this process got from its databases. */
export interface RowsRead {
  /** Of the site's tables. */
  source: number;
  ledger: number;
}

/** Counts from now on; the result grows. */
export function countRows(): RowsRead {
  const read: RowsRead = { source: 0, ledger: 0 };
  const add = (sql: string, rows: number) => {
    if (/\bnb_|nightbake_meta/.test(sql)) read.ledger += rows;
    else if (/^\(?SELECT/.test(sql)) read.source += rows;
  };
  const { all } = StatementSync.prototype;
  StatementSync.prototype.all = function counted(
    this: StatementSync,
    ...values: Parameters<typeof all>
  ) {
    const rows = all.apply(this, values);
    if (rows.length > 0) add(this.sourceSQL, rows.length);
    return rows;
  } as typeof all;
  // The class that mysql2 wraps in promises.
  const { prototype } = createRequire(import.meta.url)("mysql2").Connection;
  const { query } = prototype;
  prototype.query = function counted(this: unknown, asked: unknown, ...rest: unknown[]) {
    const sql = typeof asked === "string" ? asked : (asked as { readonly sql: string }).sql;
    const done = rest.at(-1);
    const onRows = (error: unknown, rows: unknown, fields: unknown) => {
      // Several statements have a list of fields each.
      const isSeveral = Array.isArray(fields) && Array.isArray(fields[0]);
      if (Array.isArray(rows)) add(sql, isSeveral ? rows.flat(1).length : rows.length);
      (done as (...result: unknown[]) => void)(error, rows, fields);
    };
    if (typeof done === "function") rest[rest.length - 1] = onRows;
    return query.call(this, asked, ...rest);
  };
  return read;
}
