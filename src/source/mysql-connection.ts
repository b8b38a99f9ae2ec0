import { setTimeout as sleep } from "node:timers/promises";
import type { PoolConnection } from "mysql2/promise";
import { createPool } from "mysql2/promise";
import { mysqlAddress } from "../mysql-address.ts";
import type { Raw } from "./decode.ts";
import type { Param } from "./dialect.ts";
import { mysqlError } from "./mysql-error.ts";

/** Snapshots open at once against one server; each holds a connection. */
const MAX_CONNECTIONS = 8;

/** A server that is there greets sooner; a frozen one takes the connection and never does. */
export const CONNECT_MS = 5_000;
/** To undo what is open, and to say goodbye. */
const GOODBYE_MS = 1_000;
/** Snapshots idle while pages are rendered; servers are often told to end such connections soon. */
const IDLE_SECONDS = 86_400;

/** How long a server may take. */
export interface TimeLimits {
  /** Until a connection is there; default 5 s. */
  readonly connectMs?: number | undefined;
  /** For one statement; default none. */
  readonly queryMs?: number | undefined;
}

/** One moment for all that is read until the transaction ends. */
export const SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/** Connections of one server, with our session settings. */
export interface MysqlPool extends AsyncDisposable {
  /** @throws PipelineError `source_unavailable` or `source_rejected` */
  connect(): Promise<MysqlConnection>;
}

/** One borrowed connection. Errors come translated. */
export interface MysqlConnection {
  /** `withinMs` instead of the pool's limit; the connection is of no use after it. */
  all(
    sql: string,
    params?: readonly Param[],
    withinMs?: number,
  ): Promise<readonly (readonly Raw[])[]>;
  run(sql: string, params?: readonly Param[]): Promise<void>;
  /** Gives it back, rolling back what is open; a broken one is thrown away. Safe to repeat. */
  release(): Promise<void>;
  /** Throws it away, whatever it is doing. */
  abandon(): void;
}

/**
 * Sets up connections to a database, see {@link mysqlAddress}; opens none yet.
 * @throws PipelineError `config_invalid` when the URL is no database's
 */
export function mysqlPool(url: string, limits: TimeLimits = {}): MysqlPool {
  const pool = createPool({
    ...mysqlAddress(url),
    connectionLimit: MAX_CONNECTIONS,
    connectTimeout: limits.connectMs ?? CONNECT_MS,
    charset: "utf8mb4",
    // Exact values: DECIMAL and large BIGINT as text, dates as text with all their digits.
    supportBigNumbers: true,
    bigNumberStrings: false,
    dateStrings: true,
    jsonStrings: true,
    multipleStatements: false,
  });
  const open = new Set<{ destroy(): void }>();
  pool.pool.on("connection", (connection) => {
    open.add(connection);
    connection.once("end", () => open.delete(connection));
  });
  const ready = new WeakSet<object>();
  return {
    async connect() {
      const connection = await translated(pool.getConnection());
      if (!ready.has(connection.connection)) {
        await translated(prepare(connection, limits)).catch((error: unknown) => {
          connection.destroy();
          throw error;
        });
        ready.add(connection.connection);
      }
      return borrowed(connection, limits.queryMs);
    },
    async [Symbol.asyncDispose]() {
      await Promise.race([translated(pool.end()), sleep(GOODBYE_MS, undefined, { ref: false })]);
      // A frozen server never ends what we have ended, and our process would wait for it.
      setTimeout(() => {
        for (const each of open) each.destroy();
      }, GOODBYE_MS).unref();
    },
  };
}

async function prepare(connection: PoolConnection, { connectMs, queryMs }: TimeLimits) {
  const timeout = connectMs ?? CONNECT_MS;
  // Comments with M are run by MariaDB alone, those with 80000 by MySQL alone. What we no longer
  // wait for the server ends, too.
  const limit =
    queryMs === undefined
      ? ""
      : ` /*M! , max_statement_time = ${queryMs / 1000} */ /*!80000 , max_execution_time = ${queryMs} */`;
  const sql = `SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',
    wait_timeout = ${IDLE_SECONDS}
    /*M! , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0 */${limit}`;
  await connection.query({ sql, timeout });
  // Below this level there is no snapshot, and servers are often set so.
  const level = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
  await connection.query({ sql: level, timeout });
}

function borrowed(connection: PoolConnection, queryMs: number | undefined): MysqlConnection {
  let isGone = false;
  const abandon = () => {
    if (!isGone) connection.destroy();
    isGone = true;
  };
  const query = async (sql: string, values: readonly Param[], withinMs = queryMs) => {
    const timeout = withinMs === undefined ? {} : { timeout: withinMs };
    try {
      const asked = { sql, values: [...values], rowsAsArray: true, ...timeout };
      return (await connection.query(asked))[0];
    } catch (error) {
      // The answer may still come, and would be taken for another statement's.
      if (isOver(error)) abandon();
      throw mysqlError(error);
    }
  };
  return {
    all: async (sql, values = [], withinMs) => (await query(sql, values, withinMs)) as Raw[][],
    async run(sql, values = []) {
      await query(sql, values);
    },
    async release() {
      if (isGone) return;
      try {
        const patience = queryMs === undefined ? {} : { timeout: GOODBYE_MS };
        await connection.query({ sql: "ROLLBACK", ...patience });
        if (!isGone) connection.release();
        isGone = true;
      } catch {
        abandon();
      }
    },
    abandon,
  };
}

/** The same connection with another limit for each statement that gives rows. */
export function within(ms: number, connection: MysqlConnection): MysqlConnection {
  return { ...connection, all: (sql, params) => connection.all(sql, params, ms) };
}

function isOver(error: unknown): boolean {
  const { fatal, code } = error as { readonly fatal?: unknown; readonly code?: unknown };
  return fatal === true || code === "PROTOCOL_SEQUENCE_TIMEOUT";
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw mysqlError(error);
  }
}
