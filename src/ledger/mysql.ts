import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type Pool, type PoolConnection } from "mysql2/promise";
import { mysqlAddress } from "../mysql-address.ts";
import type { Ledger } from "./ledger.ts";
import { isDeadlock, isGone, stillMigrating, translated } from "./mysql-errors.ts";
import { type Dialect, openSchema } from "./schema.ts";
import {
  nothingOf,
  type SqlDatabase,
  type SqlRow,
  type SqlValue,
  type Statement,
  type Work,
  withIndex,
} from "./sql.ts";
import { sqlLedger } from "./sql-ledger.ts";

/** Connections of one process; one run writes one transaction at a time. */
const CONNECTIONS = 4;
const CONNECT_MS = 10_000;
/** A server that is frozen must not freeze us. */
const STATEMENT_MS = 120_000;
/** Deadlocks are normal in InnoDB: the victim tries again, after a moment of random length. */
const ATTEMPTS = 6;
const PAUSE_MS = 50;
/** How long to wait for another process that migrates, in seconds. */
const MIGRATION_SECONDS = 60;

const BY_SECOND = "$1 FORCE INDEX ($1_index)";
const LOCKS = { share: " LOCK IN SHARE MODE", update: " FOR UPDATE" } as const;

/**
 * Opens the ledger in a MySQL or MariaDB database, e.g. `mysql://user:secret@host:3306/nightbake`;
 * other tables may be there too. The user needs SELECT, INSERT, UPDATE, DELETE, and CREATE for the
 * first time. Binary logs must be in row or mixed format (both servers' default).
 * @throws PipelineError `ledger_rejected`, `ledger_unavailable`
 */
export async function openMysqlLedger(url: string): Promise<Ledger> {
  const { pool, name } = connect(url);
  const db = mysqlDatabase(pool, name);
  try {
    return sqlLedger(db, await openSchema(db, dialect(name)));
  } catch (error) {
    await db[Symbol.asyncDispose]();
    throw error;
  }
}

function dialect(name: string): Dialect {
  return {
    name,
    tables:
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()",
    isShared: true,
    // Text is stored as its UTF-8 bytes: collations that do not pad differ between the two servers.
    // An index of InnoDB takes 3,072 bytes.
    types: {
      kind: "VARBINARY(64)",
      key: "VARBINARY(1500)",
      read: "VARBINARY(1400)",
      route: "VARBINARY(1100)",
      name: "VARBINARY(255)",
      text: "LONGBLOB",
      blob: "LONGBLOB",
      digest: "BINARY(16)",
      short: "VARBINARY(8)",
      int: "BIGINT",
      tiny: "TINYINT",
      number: "SMALLINT UNSIGNED",
    },
    columns: (table) =>
      `SELECT column_name AS name FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = '${table}'`,
    createTable: ({ name: table, columns, index }) => {
      const key = index ? `, KEY ${table}_index (${index})` : "";
      return [
        `CREATE TABLE IF NOT EXISTS ${table} (${columns}${key}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`,
      ];
    },
  };
}

function connect(url: string): { readonly pool: Pool; readonly name: string } {
  const address = mysqlAddress(url);
  const limits = { connectionLimit: CONNECTIONS, connectTimeout: CONNECT_MS };
  const name = `MySQL database ${address.database} at ${address.host}:${address.port}`;
  return { pool: createPool({ ...address, ...limits }), name };
}

function mysqlDatabase(pool: Pool, name: string): SqlDatabase {
  const ready = new WeakSet<object>();
  const on = <T>(act: (connection: PoolConnection) => Promise<T>) =>
    withConnection(pool, name, async (connection) => {
      if (!ready.has(connection.connection)) await send(connection, SESSION);
      ready.add(connection.connection);
      return await act(connection);
    });
  return {
    async read(work) {
      const done = nothingOf(work);
      return done !== undefined ? done.value : await on((connection) => look(connection, work));
    },
    async write(work) {
      const done = nothingOf(work);
      if (done !== undefined) return done.value;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await on((connection) => transaction(connection, WRITE, work));
        } catch (error) {
          if (attempt === ATTEMPTS || !isDeadlock(error)) throw error;
          await sleep(PAUSE_MS * attempt * Math.random());
        }
      }
    },
    // Each statement that makes a table commits, so a lock by name stands for the transaction.
    migrate: (work) => on((connection) => exclusively(connection, work)),
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
}

/** Writers see what others have committed and lock no gaps; reads see one snapshot. */
const SESSION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
const WRITE = ["START TRANSACTION"];
const READ = ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY"];

/**
 * Reads without a transaction what one statement gives, since that is one snapshot: one round trip
 * for four. A work that wants more begins again in a transaction.
 */
async function look<T>(connection: PoolConnection, work: () => Work<T>): Promise<T> {
  const attempt = work();
  const first = attempt.next();
  if (first.done) return first.value;
  const next = attempt.next(await ask(connection, first.value));
  return next.done ? next.value : await transaction(connection, READ, work);
}

async function withConnection<T>(
  pool: Pool,
  name: string,
  act: (connection: PoolConnection) => Promise<T>,
): Promise<T> {
  let connection: PoolConnection | undefined;
  try {
    connection = await pool.getConnection();
    const result = await act(connection);
    connection.release();
    return result;
  } catch (error) {
    if (isGone(error)) connection?.destroy();
    else connection?.release();
    throw translated(error, name);
  }
}

async function transaction<T>(
  connection: PoolConnection,
  begin: readonly string[],
  work: () => Work<T>,
): Promise<T> {
  for (const each of begin) await send(connection, each);
  try {
    const result = await run(connection, work());
    await send(connection, "COMMIT");
    return result;
  } catch (error) {
    if (!isGone(error)) await send(connection, "ROLLBACK");
    throw error;
  }
}

async function exclusively<T>(connection: PoolConnection, work: () => Work<T>): Promise<T> {
  // Names of locks are the whole server's; they may have 64 characters. MySQL 9.6 has SHA2 only.
  const lock = "SHA2(CONCAT('nightbake ', DATABASE()), 224)";
  const [row] = await send(connection, `SELECT GET_LOCK(${lock}, ${MIGRATION_SECONDS}) AS got`);
  if (row?.["got"] !== 1) throw stillMigrating();
  try {
    return await run(connection, work());
  } finally {
    await send(connection, `SELECT RELEASE_LOCK(${lock})`);
  }
}

async function run<T>(connection: PoolConnection, work: Work<T>): Promise<T> {
  let step = work.next();
  while (!step.done) {
    step = work.next(await ask(connection, step.value));
  }
  return step.value;
}

async function ask(
  connection: PoolConnection,
  { text, values, lock }: Statement,
): Promise<readonly SqlRow[]> {
  return await send(connection, withIndex(text, BY_SECOND) + lockOf(lock), values);
}

function lockOf(lock: Statement["lock"]): string {
  return lock === undefined ? "" : LOCKS[lock];
}

/** `query`, not `execute`: prepared statements pin a session of RDS Proxy, and gain nothing here. */
async function send(
  connection: PoolConnection,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<readonly SqlRow[]> {
  const options = { sql, values: values.map(asLiteral), timeout: STATEMENT_MS };
  const [rows] = await connection.query(options);
  return Array.isArray(rows) ? (rows as SqlRow[]) : [];
}

/** Text goes as bytes too (`X'6162'`), so that no sql_mode or character set changes how it is read. */
function asLiteral(value: SqlValue): number | bigint | Buffer | null {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  if (!(value instanceof Uint8Array)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
