import { sqliteUnnesting } from "./backfill.ts";
import { quote } from "./dialect.ts";
import { NOTHING_STORED, type Scripted } from "./schema-script.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import { SQLITE } from "./sqlite-dialect.ts";
import { SQLITE_SCHEMA } from "./sqlite-schema.ts";
import { sqliteStorage } from "./sqlite-storage.ts";

/** A SQLite file; without a connection one that holds nothing. It is only read. */
export function scriptedSqlite(connection?: SqliteConnection): Scripted {
  return {
    schema: SQLITE_SCHEMA,
    storage: connection === undefined ? NOTHING_STORED : sqliteStorage(connection),
    unnesting: sqliteUnnesting(SQLITE),
    async isEmpty({ name }) {
      const rows = connection?.all(`SELECT 1 FROM ${quote(SQLITE, name)} LIMIT 1`) ?? [];
      return rows.length === 0;
    },
    collate: async () => undefined,
    hasAlter: false,
  };
}
