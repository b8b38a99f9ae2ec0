import { checkedOnce } from "./checked.ts";
import type { Raw } from "./decode.ts";
import type { Param, Statement } from "./dialect.ts";
import { type MysqlCatalog, readCatalog } from "./mysql-catalog.ts";
import type { MysqlConnection } from "./mysql-connection.ts";
import { mysqlPool } from "./mysql-connection.ts";
import { mysqlDialect } from "./mysql-dialect.ts";
import { mysqlStorage } from "./mysql-storage.ts";
import type { Source } from "./source.ts";
import type { Snapshot } from "./sql-rows.ts";
import { sqlRows } from "./sql-rows.ts";
import { checkStored } from "./stored.ts";

/** Windows of one round trip; the statement stays well below any max_allowed_packet. */
const WINDOWS_PER_STATEMENT = 100;

/**
 * How long a check of the tables and the catalog of their indexes are relied on: MySQL has no number
 * that says that a table was altered. A statement that fails ends it at once.
 */
const CHECK_MS = 60_000;

/** Where a MySQL or MariaDB site is read. */
export interface MysqlSourceOptions {
  /** The primary; {@link mysqlPool} says what it may hold. */
  readonly url: string;
  /** Read from the first of these instead of the primary. */
  readonly replicaUrls?: readonly string[];
}

/**
 * Opens a MySQL or MariaDB database for reading. Connects with the first `check` or `read`.
 * Every `read` is one REPEATABLE READ snapshot on a connection of its own.
 * @throws PipelineError `config_invalid` when a URL is malformed
 */
export async function openMysqlSource(options: MysqlSourceOptions): Promise<Source> {
  const pool = mysqlPool(options.replicaUrls?.[0] ?? options.url);
  const known = checkedOnce();
  let catalog: { readonly value: MysqlCatalog; readonly state: string } | undefined;
  const forget = () => {
    known.forget();
    catalog = undefined;
  };
  return {
    async check(tables, lists = []) {
      await known.check({ state: minute(), tables, lists }, async () => {
        const connection = await pool.connect();
        try {
          await checkStored(mysqlStorage(connection), tables, lists);
        } finally {
          await connection.release();
        }
      });
    },
    async read(now) {
      const connection = forgetful(await pool.connect(), forget);
      try {
        const state = minute();
        if (catalog?.state !== state) catalog = { value: await readCatalog(connection), state };
        await connection.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
        return sqlRows(mysqlSnapshot(connection, catalog.value), now);
      } catch (error) {
        await connection.release();
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

function minute(): string {
  return String(Math.floor(performance.now() / CHECK_MS));
}

/** The same connection, which tells when a statement fails. */
function forgetful(connection: MysqlConnection, onFailure: () => void): MysqlConnection {
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      onFailure();
      throw error;
    }
  };
  return {
    ...connection,
    all: (sql, params) => told(connection.all(sql, params)),
    run: (sql, params) => told(connection.run(sql, params)),
  };
}

/** Runs statements on `connection`; closing gives it back. */
export function mysqlSnapshot(connection: MysqlConnection, catalog: MysqlCatalog): Snapshot {
  return {
    dialect: mysqlDialect(catalog),
    all: ({ select, sql, params }) => connection.all(`SELECT ${select.join(", ")} ${sql}`, params),
    async many(built) {
      const results: Raw[][][] = built.map(() => []);
      for (let start = 0; start < built.length; start += WINDOWS_PER_STATEMENT) {
        const some = built.slice(start, start + WINDOWS_PER_STATEMENT);
        for (const [at, ...raw] of await connection.all(union(some), some.flatMap(paramsOf))) {
          results[start + Number(at)]?.push(raw);
        }
      }
      return results;
    },
    close: () => connection.release(),
  };
}

/** Each part keeps its own order: a UNION ALL runs them one after the other. */
function union(parts: readonly Statement[]): string {
  const numbered = parts.map(
    ({ select, sql }, at) => `(SELECT ${at}, ${select.join(", ")} ${sql})`,
  );
  return numbered.join(" UNION ALL ");
}

function paramsOf({ params }: Statement): readonly Param[] {
  return params;
}
