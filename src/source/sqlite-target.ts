import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Fragment } from "./dialect.ts";
import type { LoadTarget, LoadTransaction } from "./load-target.ts";
import { missingSchema } from "./schema.ts";
import { sqlRows } from "./sql-rows.ts";
import { type SqliteConnection, sqliteConnection } from "./sqlite-connection.ts";
import { SQLITE } from "./sqlite-dialect.ts";
import { SQLITE_SCHEMA } from "./sqlite-schema.ts";
import { sqliteSnapshot } from "./sqlite-source.ts";
import { sqliteStorage } from "./sqlite-storage.ts";
import { checkStored } from "./stored.ts";
import { deleteSql, insertSql, updateSql } from "./write-sql.ts";

/** Opens a SQLite file to load into; makes it and its folder when they are not there. */
export async function openSqliteTarget(file: string): Promise<LoadTarget> {
  mkdirSync(dirname(file), { recursive: true });
  const connection = sqliteConnection(file);
  // Readers keep their snapshot while a load writes.
  connection.all("PRAGMA journal_mode = WAL");
  connection.run("PRAGMA synchronous = NORMAL");
  return {
    async begin(tables, lists) {
      connection.run("BEGIN IMMEDIATE");
      try {
        const storage = sqliteStorage(connection);
        for (const { sql } of await missingSchema(SQLITE_SCHEMA, storage, tables, lists))
          connection.run(sql);
        await checkStored(storage, tables, lists);
      } catch (error) {
        connection.run("ROLLBACK");
        throw error;
      }
      return transaction(connection);
    },
    [Symbol.asyncDispose]: async () => connection.close(),
  };
}

function transaction(connection: SqliteConnection): LoadTransaction {
  let isOpen = true;
  const end = async (sql: string) => {
    if (isOpen) connection.run(sql);
    isOpen = false;
  };
  return {
    rows: sqlRows({ ...sqliteSnapshot(connection), close: async () => {} }, 0),
    async write(table, { inserts, updates, deletes }) {
      if (deletes.length > 0) run(connection, deleteSql(SQLITE, table, deletes));
      for (const row of updates) run(connection, updateSql(SQLITE, table, row));
      for (const row of inserts) run(connection, insertSql(SQLITE, table, [row]));
    },
    commit: () => end("COMMIT"),
    [Symbol.asyncDispose]: () => end("ROLLBACK"),
  };
}

function run(connection: SqliteConnection, { sql, params }: Fragment): void {
  connection.run(sql, params);
}
