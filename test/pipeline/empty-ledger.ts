import { DatabaseSync } from "node:sqlite";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";

/**
 * A SQLite ledger that becomes empty again, which takes a tenth of the time of making another: its
 * tables, its connection and its prepared statements stay.
 */
export interface EmptyLedger extends AsyncDisposable {
  readonly ledger: Ledger;
  /** Another connection to it. */
  readonly database: DatabaseSync;
  /** Names of its tables. */
  readonly tables: readonly string[];
  empty(): void;
}

/** Makes a ledger, in memory unless a file is named that is not there yet. */
export async function openEmptyLedger(file = nextInMemory()): Promise<EmptyLedger> {
  await using stack = new AsyncDisposableStack();
  const ledger = stack.use(await openSqliteLedger(file));
  const database = new DatabaseSync(file);
  stack.defer(() => database.close());
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => String(name));
  const filled = tables.filter(
    (table) => database.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() !== undefined,
  );
  for (const table of filled) {
    database.exec(`CREATE TEMP TABLE first_${table} AS SELECT * FROM ${table}`);
  }
  const refill = [
    ...tables.map((table) => `DELETE FROM ${table};`),
    ...filled.map((table) => `INSERT INTO ${table} SELECT * FROM first_${table};`),
  ].join("");
  const open = stack.move();
  return {
    ledger,
    database,
    tables,
    empty: () => database.exec(`BEGIN IMMEDIATE; ${refill} COMMIT`),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

let count = 0;

/** A name that connections of one process share; what it names is gone with the last of them. */
function nextInMemory(): string {
  count += 1;
  return `file:%2Fledger-${count}?vfs=memdb`;
}
