import type { Row } from "../site.ts";
import type { Dialect } from "./dialect.ts";
import { quote } from "./dialect.ts";
import { flavourOf } from "./flavour.ts";
import type { LoadTarget, LoadTransaction } from "./load-target.ts";
import { type MysqlCatalog, readCatalog } from "./mysql-catalog.ts";
import type { MysqlConnection } from "./mysql-connection.ts";
import { mysqlPool } from "./mysql-connection.ts";
import { mysqlSchema } from "./mysql-schema.ts";
import { mysqlSnapshot } from "./mysql-source.ts";
import { mysqlStorage } from "./mysql-storage.ts";
import { missingSchema } from "./schema.ts";
import { sqlRows } from "./sql-rows.ts";
import { checkStored } from "./stored.ts";
import { deleteSql, insertSql, updateSql } from "./write-sql.ts";

/** Characters of text in one INSERT; escaped it may be twice that, and the usual packet is 16 MB. */
const INSERT_CHARACTERS = 2 * 1024 * 1024;

/** Opens a MySQL or MariaDB database to load into. It must exist; its tables need not. */
export async function openMysqlTarget(url: string): Promise<LoadTarget> {
  const pool = mysqlPool(url);
  return {
    async begin(tables, lists) {
      const connection = await pool.connect();
      try {
        const storage = mysqlStorage(connection);
        const schema = mysqlSchema((await flavourOf(connection)).byteCollation);
        // Creating tables commits, so it comes before the transaction.
        for (const { sql } of await missingSchema(schema, storage, tables, lists)) {
          await connection.run(sql);
        }
        await checkStored(storage, tables, lists);
        const catalog = await readCatalog(connection);
        await connection.run("START TRANSACTION");
        return transaction(connection, catalog);
      } catch (error) {
        await connection.release();
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

function transaction(connection: MysqlConnection, catalog: MysqlCatalog): LoadTransaction {
  const snapshot = { ...mysqlSnapshot(connection, catalog), close: async () => {} };
  const { dialect } = snapshot;
  const written = new Set<string>();
  return {
    rows: sqlRows(snapshot, 0),
    async write(table, { inserts, updates, deletes }) {
      const statements = [
        ...(deletes.length === 0 ? [] : [deleteSql(dialect, table, deletes)]),
        ...updates.map((row) => updateSql(dialect, table, row)),
        ...portions(inserts).map((rows) => insertSql(dialect, table, rows)),
      ];
      for (const { sql, params } of statements) await connection.run(sql, params);
      if (statements.length > 0) written.add(table.name);
    },
    async commit() {
      await connection.run("COMMIT");
      await analyze(connection, dialect, written);
    },
    [Symbol.asyncDispose]: () => connection.release(),
  };
}

/** Without fresh statistics the optimiser takes a table that was just filled for empty. */
async function analyze(
  connection: MysqlConnection,
  dialect: Dialect,
  tables: ReadonlySet<string>,
): Promise<void> {
  if (tables.size === 0) return;
  const names = [...tables].map((name) => quote(dialect, name)).join(", ");
  await connection.all(`ANALYZE TABLE ${names}`);
}

/** Cuts a batch so that no statement is too long for a packet; a long row stands alone. */
function portions(rows: readonly Row[]): readonly (readonly Row[])[] {
  const cut: Row[][] = [];
  let size = INSERT_CHARACTERS;
  for (const row of rows) {
    const own = Object.values(row).reduce<number>(
      (sum, value) => sum + (typeof value === "string" ? value.length : 8),
      0,
    );
    if (size + own > INSERT_CHARACTERS) {
      cut.push([]);
      size = 0;
    }
    cut.at(-1)?.push(row);
    size += own;
  }
  return cut;
}
