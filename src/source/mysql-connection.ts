import type { PoolConnection } from "mysql2/promise";
import { createPool } from "mysql2/promise";
import { mysqlAddress } from "../mysql-address.ts";
import type { Raw } from "./decode.ts";
import type { Param } from "./dialect.ts";
import { mysqlError } from "./mysql-error.ts";

/** Snapshots open at once against one server; each holds a connection. */
const MAX_CONNECTIONS = 8;

/** One moment for all that is read until the transaction ends. */
export const SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/** Connections of one server, with our session settings. */
export interface MysqlPool extends AsyncDisposable {
  /** @throws PipelineError `source_unavailable` or `source_rejected` */
  connect(): Promise<MysqlConnection>;
}

/** One borrowed connection. Errors come translated. */
export interface MysqlConnection {
  all(sql: string, params?: readonly Param[]): Promise<readonly (readonly Raw[])[]>;
  run(sql: string, params?: readonly Param[]): Promise<void>;
  /** Gives it back, rolling back what is open; a broken one is thrown away. */
  release(): Promise<void>;
}

/**
 * Sets up connections to a database, see {@link mysqlAddress}; opens none yet.
 * @throws PipelineError `config_invalid` when the URL is no database's
 */
export function mysqlPool(url: string): MysqlPool {
  const pool = createPool({
    ...mysqlAddress(url),
    connectionLimit: MAX_CONNECTIONS,
    charset: "utf8mb4",
    // Exact values: DECIMAL and large BIGINT as text, dates as text with all their digits.
    supportBigNumbers: true,
    bigNumberStrings: false,
    dateStrings: true,
    jsonStrings: true,
    multipleStatements: false,
  });
  const ready = new WeakSet<object>();
  return {
    async connect() {
      const connection = await translated(pool.getConnection());
      if (!ready.has(connection.connection)) {
        await translated(prepare(connection)).catch((error: unknown) => {
          connection.destroy();
          throw error;
        });
        ready.add(connection.connection);
      }
      return borrowed(connection);
    },
    [Symbol.asyncDispose]: () => translated(pool.end()),
  };
}

async function prepare(connection: PoolConnection): Promise<void> {
  await connection.query(
    "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
  );
  // Below this level there is no snapshot, and servers are often set so.
  await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
}

function borrowed(connection: PoolConnection): MysqlConnection {
  return {
    async all(sql, values = []) {
      const [rows] = await translated(
        connection.query({ sql, values: [...values], rowsAsArray: true }),
      );
      return rows as Raw[][];
    },
    async run(sql, values = []) {
      await translated(connection.query({ sql, values: [...values] }));
    },
    async release() {
      try {
        await connection.query("ROLLBACK");
        connection.release();
      } catch {
        connection.destroy();
      }
    },
  };
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw mysqlError(error);
  }
}
