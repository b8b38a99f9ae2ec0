import { checkedOnce } from "./checked.ts";
import type { Raw } from "./decode.ts";
import type { Param, Statement } from "./dialect.ts";
import { type MysqlCatalog, readCatalog } from "./mysql-catalog.ts";
import type { MysqlConnection } from "./mysql-connection.ts";
import { mysqlDialect } from "./mysql-dialect.ts";
import { mysqlRanges } from "./mysql-ranges.ts";
import { mysqlStorage } from "./mysql-storage.ts";
import { openReaders, type ReaderSetOptions } from "./readers.ts";
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

/** Servers, and how their rows are summed up. */
interface MysqlSourceOptions extends ReaderSetOptions {
  /** See `RowRanges.size`; default 500. */
  readonly rangeRows?: number | undefined;
}

/**
 * Opens a MySQL or MariaDB database for reading. Connects with the first `check` or `read`.
 * Every `read` is one REPEATABLE READ snapshot on a connection of its own, to a replica if one has
 * what the primary has. When that connection ends, reads fail: no other server has that snapshot.
 * @throws PipelineError `config_invalid` when a URL is malformed
 */
export async function openMysqlSource(options: MysqlSourceOptions): Promise<Source> {
  const readers = openReaders(options);
  const known = checkedOnce();
  const catalogs = new Map<string, { readonly value: MysqlCatalog; readonly state: string }>();
  const forget = () => {
    known.forget();
    catalogs.clear();
  };
  return {
    async check(tables, lists = []) {
      await known.check({ state: minute(), tables, lists }, () =>
        readers.askPrimary(({ connection }) =>
          checkStored(mysqlStorage(connection), tables, lists),
        ),
      );
    },
    async read(now, fence = {}) {
      const opened = await readers.open(fence);
      const { connection, count } = watched(opened.connection, forget);
      try {
        const state = minute();
        const { server } = opened;
        let catalog = catalogs.get(server);
        if (catalog?.state !== state) catalog = { value: await readCatalog(connection), state };
        catalogs.set(server, catalog);
        const { connection: _, ...origin } = opened;
        const snapshot = mysqlSnapshot(connection, catalog.value);
        const ranges = mysqlRanges(snapshot, mysqlStorage(connection), options.rangeRows);
        const rows = sqlRows(snapshot, now);
        return { ...rows, ranges, origin: () => ({ ...origin, rows: count() }) };
      } catch (error) {
        await connection.release();
        throw error;
      }
    },
    position: () => readers.askPrimary(({ flavour, connection }) => flavour.position(connection)),
    [Symbol.asyncDispose]: () => readers[Symbol.asyncDispose](),
  };
}

function minute(): string {
  return String(Math.floor(performance.now() / CHECK_MS));
}

/** The same connection, which counts rows and tells when a statement fails. */
function watched(connection: MysqlConnection, onFailure: () => void) {
  let rows = 0;
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      onFailure();
      throw error;
    }
  };
  const own: MysqlConnection = {
    ...connection,
    async all(sql, params) {
      const result = await told(connection.all(sql, params));
      rows += result.length;
      return result;
    },
    run: (sql, params) => told(connection.run(sql, params)),
  };
  return { connection: own, count: () => rows };
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
