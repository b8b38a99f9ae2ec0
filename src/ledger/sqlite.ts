import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { PipelineError } from "../error.ts";
import type { Ledger } from "./ledger.ts";
import { type Dialect, openSchema } from "./schema.ts";
import { type SqlDatabase, type SqlRow, type Statement, type Work, withIndex } from "./sql.ts";
import { sqlLedger } from "./sql-ledger.ts";

/** How long a statement waits for another process's transaction. */
const BUSY_MS = 5_000;
/** Of the file in memory: indexes by digest are written in no order, so few pages are read once only. */
const CACHE_KB = 32_768;
/** What is left of the write-ahead log after a large transaction. */
const WAL_BYTES = 16 * 2 ** 20;
/** Values that prepared statements take, by which they are as large: lists of other lengths make others. */
const KEPT_VALUES = 100_000;
/** Pages given back at once, so that other processes get their turn in between. */
const VACUUM_PAGES = 1_000;
/** 2 MB are not worth the work. */
const FEW_PAGES = 256;

/** SQLite's primary result codes, by what they mean here; the rest are bugs of ours. */
const UNREADABLE = new Map([
  [5, "another process keeps it locked"],
  [6, "another connection keeps it locked"],
  [8, "it may only be read"],
  [10, "the disk reports an error"],
  [13, "the disk is full"],
  [14, "it cannot be opened"],
]);
const NOT_A_DATABASE = new Map([
  [11, "it is damaged"],
  [26, "it is not a database"],
]);

/**
 * Opens the ledger in a file, making file and folder when there are none. Opening an existing one writes nothing. Several
 * processes may use one file; it must be on a local disk.
 * @throws PipelineError `ledger_rejected`, `ledger_unavailable`
 */
export async function openSqliteLedger(file: string): Promise<Ledger> {
  const db = sqliteDatabase(file);
  try {
    return sqlLedger(db, await openSchema(db, dialect(file)));
  } catch (error) {
    await db[Symbol.asyncDispose]();
    throw error;
  }
}

function dialect(file: string): Dialect {
  return {
    name: `SQLite file ${file}`,
    tables: "SELECT name FROM sqlite_master WHERE type = 'table'",
    isShared: false,
    types: {
      kind: "TEXT",
      key: "BLOB",
      read: "BLOB",
      route: "TEXT",
      name: "TEXT",
      text: "TEXT",
      blob: "BLOB",
      digest: "BLOB",
      short: "BLOB",
      int: "INTEGER",
      tiny: "INTEGER",
      number: "INTEGER",
    },
    columns: (table) => `SELECT name FROM pragma_table_info('${table}')`,
    createTable: ({ name, columns, index }) => [
      `CREATE TABLE IF NOT EXISTS ${name} (${columns}) WITHOUT ROWID`,
      ...(index ? [`CREATE INDEX IF NOT EXISTS ${name}_index ON ${name} (${index})`] : []),
    ],
  };
}

function sqliteDatabase(file: string): SqlDatabase {
  const attempt = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw translated(error, file);
    }
  };
  const db = attempt(() => open(file));
  const prepare = preparing(db);
  const transaction = transactions(db);
  const transact = <T>(begin: Begin, work: () => Work<T>) => {
    const steps = work();
    const first = steps.next();
    // Like `nothingOf`, but no work has to begin again here.
    if (first.done) return first.value;
    return attempt(() => transaction(begin, () => run(prepare, steps, first)));
  };
  const pragma = pragmas(db);
  let isSynced: boolean | undefined;
  const syncCommits = (isDurable: boolean) => {
    if (isSynced !== isDurable) db.exec(`PRAGMA synchronous = ${isDurable ? "FULL" : "NORMAL"}`);
    isSynced = isDurable;
  };
  return {
    read: async (work) => transact("BEGIN", work),
    async write(work, { isDurable = false, isShrinking = false } = {}) {
      // In WAL mode NORMAL is safe against crashes of the process; FULL also syncs each commit, with
      // all before it, so only the works that ask for it pay the 1-10 ms.
      attempt(() => syncCommits(isDurable));
      const done = transact("BEGIN IMMEDIATE", work);
      if (isShrinking) await shrink(db, pragma);
      return done;
    },
    async migrate(work) {
      attempt(() => prepareFile(db));
      return transact("BEGIN IMMEDIATE", work);
    },
    async [Symbol.asyncDispose]() {
      if (db.isOpen) db.close();
    },
  };
}

function open(file: string): DatabaseSync {
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  db.exec(`PRAGMA journal_size_limit = ${WAL_BYTES}; PRAGMA cache_size = -${CACHE_KB}`);
  return db;
}

/** Settings that a file keeps. Only a file without tables takes the first two. */
function prepareFile(db: DatabaseSync): void {
  db.exec("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
}

type Begin = "BEGIN" | "BEGIN IMMEDIATE";

/** Runs acts in transactions. They are many and small, so what begins and ends them is prepared. */
function transactions(db: DatabaseSync): <T>(begin: Begin, act: () => T) => T {
  const begins = { BEGIN: db.prepare("BEGIN"), "BEGIN IMMEDIATE": db.prepare("BEGIN IMMEDIATE") };
  const commit = db.prepare("COMMIT");
  return (begin, act) => {
    begins[begin].run();
    try {
      const result = act();
      commit.run();
      return result;
    } finally {
      // Some errors (disk full) have rolled back already.
      if (db.isTransaction) db.exec("ROLLBACK");
    }
  };
}

/** Goes on with a work that has given its `first` statement. */
function run<T>(prepare: Prepare, work: Work<T>, first: IteratorResult<Statement, T>): T {
  let step = first;
  while (!step.done) {
    const { values } = step.value;
    step = work.next(prepare(step.value).all(...values) as SqlRow[]);
  }
  return step.value;
}

/**
 * A statement in SQLite's own SQL. Without the plus, which changes nothing, SQLite plans by the value
 * of a limit and prepares the statement again each time that one is bound.
 */
export function sqliteText(text: string): string {
  return withIndex(text, "$1 INDEXED BY $1_index").replaceAll("LIMIT ?", "LIMIT +?");
}

type Prepare = (statement: Statement) => StatementSync;

/** Prepares each text once, until there are too many. */
function preparing(db: DatabaseSync): Prepare {
  const known = new Map<string, StatementSync>();
  let kept = 0;
  return ({ text, values }) => {
    const old = known.get(text);
    if (old !== undefined) return old;
    if (kept > KEPT_VALUES) {
      known.clear();
      kept = 0;
    }
    const statement = db.prepare(sqliteText(text));
    // A row may expire in the year 9999, which is beyond 2^53 µs: such a number would throw.
    statement.setReadBigInts(true);
    known.set(text, statement);
    kept += values.length;
    return statement;
  };
}

/**
 * Gives free pages back to the file system, and packs a file that has grown by half since it was
 * packed last: rows written in key order fill seven eighths of a page. A steady ledger is never
 * packed again. A busy file waits for the next time.
 */
async function shrink(db: DatabaseSync, pragma: (name: string) => number): Promise<void> {
  const isLoose = () => pragma("freelist_count") > FEW_PAGES + pragma("page_count") / 64;
  try {
    while (isLoose()) {
      db.prepare(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`).all();
      await nextTurn();
    }
    // The number SQLite keeps for its user: how many pages there were after the last packing.
    if (pragma("page_count") < 1.5 * pragma("user_version") + FEW_PAGES) return;
    db.exec("VACUUM");
    db.exec(`PRAGMA user_version = ${pragma("page_count")}`);
  } catch (error) {
    if (!UNREADABLE.has(resultCode(error))) throw error;
  }
}

/** Asks for numbers of the file, each with one statement for all times. */
function pragmas(db: DatabaseSync): (name: string) => number {
  const known = new Map<string, StatementSync>();
  return (name) => {
    const statement = known.get(name) ?? db.prepare(`PRAGMA ${name}`);
    known.set(name, statement);
    return Number(Object.values(statement.get() ?? {})[0]);
  };
}

function resultCode(error: unknown): number {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  return code & 0xff;
}

function translated(error: unknown, file: string): unknown {
  const code = resultCode(error);
  const foreign = NOT_A_DATABASE.get(code);
  if (foreign !== undefined) {
    const message = `The file ${file} cannot be used as the ledger: ${foreign}.`;
    const hint = "Name another file, or delete this one to begin with an empty ledger.";
    return new PipelineError("ledger_rejected", message, { hint, cause: error });
  }
  const reason = UNREADABLE.get(code);
  if (reason === undefined) return error;
  const message = `The ledger file ${file} cannot be used: ${reason}.`;
  const hint = "Check that its folder may be written to and that its disk has room.";
  return new PipelineError("ledger_unavailable", message, { hint, cause: error });
}
