import type { AnyTable } from "../site.ts";
import { mysqlUnnesting } from "./backfill.ts";
import { quote } from "./dialect.ts";
import { flavourOf } from "./flavour.ts";
import { collationAlter } from "./mysql-alter.ts";
import { EMPTY_CATALOG, readCatalog } from "./mysql-catalog.ts";
import type { MysqlConnection } from "./mysql-connection.ts";
import { mysqlSchema } from "./mysql-schema.ts";
import { mysqlStorage } from "./mysql-storage.ts";
import { NOTHING_STORED, type Scripted } from "./schema-script.ts";

/** An empty MySQL or MariaDB database; `collation` is the flavour's. */
export function emptyMysql(collation: string): Scripted {
  const schema = mysqlSchema(collation);
  return {
    schema,
    storage: NOTHING_STORED,
    unnesting: mysqlUnnesting(schema.dialect, { ...EMPTY_CATALOG, collation }),
    isEmpty: async () => true,
    collate: async () => undefined,
    hasAlter: true,
  };
}

/** The database of a connection; it is only read. */
export async function scriptedMysql(connection: MysqlConnection): Promise<Scripted> {
  const { byteCollation: collation } = await flavourOf(connection);
  const schema = mysqlSchema(collation);
  const { isMicros } = await readCatalog(connection);
  return {
    schema,
    storage: mysqlStorage(connection),
    unnesting: mysqlUnnesting(schema.dialect, { collation, isMicros }),
    async isEmpty(table: AnyTable) {
      const rows = await connection.all(
        `SELECT 1 FROM ${quote(schema.dialect, table.name)} LIMIT 1`,
      );
      return rows.length === 0;
    },
    collate: (table, columns) => collationAlter(connection, table.name, columns),
    hasAlter: true,
  };
}
