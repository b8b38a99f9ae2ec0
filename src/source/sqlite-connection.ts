import { isUtf8 } from "node:buffer";
import type { DatabaseSyncOptions, StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import type { Raw } from "./decode.ts";
import type { Param, Statement } from "./dialect.ts";
import { sqliteError } from "./sqlite-error.ts";

/** How long a statement waits for another process's lock. */
const BUSY_TIMEOUT_MS = 10_000;

/** One open SQLite file. Synchronous; errors come translated. */
export interface SqliteConnection {
  /** Rows of values; whole numbers are `bigint`. The prepared statement is kept. */
  all(sql: string, params?: readonly Param[]): Raw[][];
  /** Like `all`, and text that is not UTF-8 comes as bytes, not mended. */
  select(statement: Statement): Raw[][];
  /** How many rows were written. */
  run(sql: string, params?: readonly Param[]): number;
  close(): void;
}

/** Opens `file`; the empty name is a temporary database that spills to disk and goes when closed. */
export function sqliteConnection(
  file: string,
  options: DatabaseSyncOptions = {},
): SqliteConnection {
  const translated = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw sqliteError(error, file);
    }
  };
  const database = translated(
    () =>
      new DatabaseSync(file, {
        timeout: BUSY_TIMEOUT_MS,
        readBigInts: true,
        returnArrays: true,
        ...options,
      }),
  );
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string) => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const made = database.prepare(sql);
    prepared.set(sql, made);
    return made;
  };
  const all = (sql: string, params: readonly Param[] = []) =>
    // `returnArrays` is not known to the type.
    translated(() => prepare(sql).all(...params) as unknown as Raw[][]);
  return {
    all,
    select({ select, sql, params }) {
      const rows = all(`SELECT ${select.join(", ")} ${sql}`, params);
      if (!rows.some(hasReplacement)) return rows;
      const exact = select.map(
        (each) => `CASE typeof(${each}) WHEN 'text' THEN CAST(${each} AS BLOB) END`,
      );
      const bytes = all(`SELECT ${exact.join(", ")} ${sql}`, params);
      return rows.map((row, at) =>
        row.map((value, column) => unmended(value, bytes[at]?.[column])),
      );
    },
    run: (sql, params = []) => translated(() => Number(prepare(sql).run(...params).changes)),
    close: () => database.close(),
  };
}

/** node:sqlite puts U+FFFD for what is no UTF-8, but a text may also hold that character itself. */
function hasReplacement(row: readonly Raw[]): boolean {
  return row.some((value) => typeof value === "string" && value.includes("\ufffd"));
}

function unmended(value: Raw, bytes: Raw | undefined): Raw {
  return bytes instanceof Uint8Array && !isUtf8(bytes) ? bytes : value;
}
