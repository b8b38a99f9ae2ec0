import { DatabaseSync } from "node:sqlite";
import { canonicalJson } from "../../src/site.ts";

type Row = Readonly<Record<string, unknown>>;

/** Every row of every table of a ledger file, to compare; numbered kinds and tables by their names. */
export function dumpLedger(file: string): Readonly<Record<string, readonly Row[]>> {
  const database = new DatabaseSync(file, { readOnly: true, readBigInts: true });
  try {
    const all = (from: string) => database.prepare(`SELECT * FROM ${from}`).all() as Row[];
    const names = new Map(all("nb_name").map(({ id, name }) => [id, name]));
    const tables = all("sqlite_schema WHERE type = 'table'").map(({ name }) => String(name));
    return Object.fromEntries(
      tables.map((table) => [table, sorted(all(table).map((row) => named(row, names)))]),
    );
  } finally {
    database.close();
  }
}

function named(row: Row, names: ReadonlyMap<unknown, unknown>): Row {
  const own = ["kind", "tbl"].filter((column) => typeof row[column] === "bigint");
  const resolved = own.map((column) => [column, names.get(row[column])]);
  return { ...row, ...Object.fromEntries(resolved) };
}

/** Not in the tables' own order, which goes by numbers. */
function sorted(rows: readonly Row[]): readonly Row[] {
  const byText = rows.map((row) => ({ row, text: canonicalJson(row) }));
  return byText.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ row }) => row);
}
