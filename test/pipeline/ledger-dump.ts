import { DatabaseSync } from "node:sqlite";

/** Every row of every table of a ledger file, to compare. */
export function dumpLedger(file: string): Readonly<Record<string, readonly unknown[]>> {
  const database = new DatabaseSync(file, { readOnly: true, readBigInts: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    return Object.fromEntries(
      tables.map(({ name }) => [String(name), database.prepare(`SELECT * FROM ${name}`).all()]),
    );
  } finally {
    database.close();
  }
}
