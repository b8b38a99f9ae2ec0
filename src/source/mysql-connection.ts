import type { ConnectionOptions, PoolConnection, SslOptions } from "mysql2/promise";
import { createPool } from "mysql2/promise";
import { PipelineError } from "../error.ts";
import type { Raw } from "./decode.ts";
import type { Param } from "./dialect.ts";
import { mysqlError } from "./mysql-error.ts";

/** Snapshots open at once against one server; each holds a connection. */
const MAX_CONNECTIONS = 8;

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
 * Sets up connections to `mysql://user:password@host:3306/database`; opens none yet.
 * `?ssl=true` asks for TLS with a verified certificate, `?ssl=skip-verify` for TLS without,
 * `?ssl={"ca":"…"}` gives Node's TLS options; `?socketPath=/run/mysqld/mysqld.sock` a local socket.
 * @throws PipelineError `config_invalid` when the URL is none of these
 */
export function mysqlPool(url: string): MysqlPool {
  const pool = createPool({
    ...parseUrl(url),
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

function parseUrl(text: string): ConnectionOptions {
  try {
    const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(text);
    const database = decodeURIComponent(pathname.slice(1));
    if (!/^(mysql|mariadb):$/.test(protocol) || database === "") throw new Error("incomplete");
    const socketPath = searchParams.get("socketPath");
    return {
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 3306),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database,
      ...(socketPath !== null && { socketPath }),
      ...tlsOf(searchParams.get("ssl")),
    };
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    // Not passed on as cause: its text repeats the URL with the password.
    throw new PipelineError("config_invalid", "The database URL is not of the form it must have.", {
      hint: "Write mysql://user:password@host:3306/database, with special characters percent-encoded.",
    });
  }
}

function tlsOf(ssl: string | null): { readonly ssl?: SslOptions } {
  if (ssl === null || ssl === "false") return {};
  if (ssl === "true") return { ssl: {} };
  if (ssl === "skip-verify") return { ssl: { rejectUnauthorized: false } };
  try {
    return { ssl: JSON.parse(ssl) as SslOptions };
  } catch {
    throw new PipelineError("config_invalid", "The database URL's ssl option is not understood.", {
      hint: 'Write ssl=true, ssl=skip-verify or ssl={"ca":"…"} (percent-encoded JSON of Node\'s TLS options).',
    });
  }
}
