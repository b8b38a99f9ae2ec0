import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createConnection } from "mysql2/promise";
import type { AnyList, AnyTable, Row } from "../../src/site.ts";
import type { LoadTarget } from "../../src/source/load-target.ts";
import { openMysqlSource } from "../../src/source/mysql-source.ts";
import { openMysqlTarget } from "../../src/source/mysql-target.ts";
import type { Source } from "../../src/source/source.ts";
import { openSqliteSource } from "../../src/source/sqlite-source.ts";
import { openSqliteTarget } from "../../src/source/sqlite-target.ts";
import type { MariaDb } from "../services/mariadb.ts";
import { sharedMariaDb } from "../services/shared.ts";

/** An empty database of one technology, with its ports and a way around them. */
export interface TestDatabase extends AsyncDisposable {
  /** A file, or a URL. */
  readonly at: string;
  source(): Promise<Source>;
  target(): Promise<LoadTarget>;
  /** Runs SQL past the ports, one statement at a time; rows as objects. */
  run(...sql: readonly string[]): Promise<readonly Row[]>;
}

export async function sqliteDatabase(): Promise<TestDatabase> {
  const dir = mkdtempSync(join(tmpdir(), "nightbake-source-"));
  const at = join(dir, "folder", "site.db");
  await (await openSqliteTarget(at))[Symbol.asyncDispose]();
  return {
    at,
    source: () => openSqliteSource(at),
    target: () => openSqliteTarget(at),
    async run(...sql) {
      using database = new DatabaseSync(at, { readBigInts: true });
      return sql.flatMap((each) => database.prepare(each).all());
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}

export async function mysqlDatabase(own?: MariaDb): Promise<TestDatabase> {
  const server = own ?? (await sharedMariaDb());
  const name = `source_${randomBytes(6).toString("hex")}`;
  const at = await server.createDatabase(name);
  return {
    at,
    source: () => openMysqlSource({ url: at }),
    target: () => openMysqlTarget(at),
    async run(...sql) {
      const connection = await createConnection({ uri: at, dateStrings: true });
      try {
        // Users' rows were not all written in strict mode.
        await connection.query("SET sql_mode = '', time_zone = '+00:00'");
        const rows: Row[] = [];
        for (const each of sql) {
          const [result] = await connection.query(each);
          if (Array.isArray(result)) rows.push(...(result as Row[]));
        }
        return rows;
      } finally {
        await connection.end();
      }
    },
    async [Symbol.asyncDispose]() {
      await server.query(`DROP DATABASE ${name}`);
    },
  };
}

/** Creates `table` with the indexes of `lists` and writes `rows`, which are decoded values. */
export async function fill(
  database: TestDatabase,
  table: AnyTable,
  rows: readonly Row[],
  lists: readonly AnyList[] = [],
): Promise<void> {
  await using target = await database.target();
  await using transaction = await target.begin([table], lists);
  await transaction.write(table, { inserts: rows, updates: [], deletes: [] });
  await transaction.commit();
}
