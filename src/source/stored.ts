import type { Problem } from "../error.ts";
import { PipelineError } from "../error.ts";
import type { AnyList, AnyTable, Column } from "../site.ts";

/** A table as the database has it. */
export interface StoredTable {
  readonly columns: ReadonlyMap<string, StoredColumn>;
  /** The primary key's columns in order; empty without one. */
  readonly key: readonly string[];
  /** Columns of each index in order. */
  readonly indexes: readonly (readonly string[])[];
}

export interface StoredColumn {
  /** Lower case, without length: `varchar`. */
  readonly type: string;
  /** As in a CREATE TABLE: `varchar(255)`. */
  readonly fullType: string;
  readonly isNullable: boolean;
  /** Undefined for columns that are no text. */
  readonly collation: string | undefined;
}

/** What one technology can say about its stored tables. */
export interface Storage {
  /** Tables by name; those that do not exist are absent. */
  describe(names: readonly string[]): Promise<ReadonlyMap<string, StoredTable>>;

  /** True when values of `column` can be read from (and written to) the stored type. */
  fits(column: Column, stored: StoredColumn): boolean;

  /**
   * Why the column cannot be a key or list column, with what mends it: its equality or order is
   * not that of UTF-8 bytes. Undefined when it can.
   */
  orderFlaw(table: string, name: string, stored: StoredColumn): string | undefined;
}

/**
 * Compares declarations with what is stored.
 * @throws PipelineError `source_rejected` with every difference
 */
export async function checkStored(
  storage: Storage,
  tables: readonly AnyTable[],
  lists: readonly AnyList[],
): Promise<void> {
  const stored = await storage.describe(tables.map((table) => table.name));
  const problems = tables.flatMap((table) => {
    const found = stored.get(table.name);
    if (found === undefined) return [{ place: table.name, message: "The table is missing." }];
    return [...columnProblems(storage, table, found, lists), ...keyProblems(table, found)];
  });
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more)`;
  const message = `The database does not hold what the site declares. ${first.place}: ${first.message}${more}`;
  throw new PipelineError("source_rejected", message, { hint: LOAD_HINT, problems });
}

/** What to do about missing tables. */
export const LOAD_HINT =
  "Run `nightbake load` (or `npm run bake` for the demo site) to create and fill missing tables; mend the others as each problem says.";

/** Columns whose equality or order decides what is read: key, partition, order, shown constants. */
export function orderedColumns(table: AnyTable, lists: readonly AnyList[]): ReadonlySet<string> {
  const ofLists = lists
    .filter((list) => list.table.name === table.name)
    .flatMap(({ by, order, visible }) => [
      ...(by === undefined ? [] : [by]),
      ...order,
      ...Object.keys(visible.show ?? {}),
    ]);
  return new Set([...table.key, ...ofLists]);
}

function columnProblems(
  storage: Storage,
  table: AnyTable,
  found: StoredTable,
  lists: readonly AnyList[],
): readonly Problem[] {
  const ordered = orderedColumns(table, lists);
  return Object.entries(table.columns).flatMap(([name, column]) => {
    const place = `${table.name}.${name}`;
    const stored = found.columns.get(name);
    if (stored === undefined) return [{ place, message: "The column is missing." }];
    if (!storage.fits(column, stored)) {
      const message = `The column is ${stored.fullType}, which cannot hold ${column.type}.`;
      return [{ place, message }];
    }
    const flaw = ordered.has(name) ? storage.orderFlaw(table.name, name, stored) : undefined;
    return flaw === undefined ? [] : [{ place, message: flaw }];
  });
}

function keyProblems(table: AnyTable, found: StoredTable): readonly Problem[] {
  if (found.key.join() === table.key.join()) return [];
  const is = found.key.length === 0 ? "none" : `(${found.key.join(", ")})`;
  const message = `The primary key must be (${table.key.join(", ")}); it is ${is}.`;
  return [{ place: table.name, message }];
}
