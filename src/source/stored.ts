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

/** One way in which a table is not as declared. */
export interface Difference extends Problem {
  /** `order`: the column fits, but cannot be a key or list column. */
  readonly is: "no table" | "no column" | "type" | "order" | "key";
  readonly table: AnyTable;
  /** Absent where it is about the whole table. */
  readonly column?: string;
}

/** Compares declarations with what is stored; in the order of `tables` and their columns. */
export async function differences(
  storage: Storage,
  tables: readonly AnyTable[],
  lists: readonly AnyList[],
): Promise<readonly Difference[]> {
  const stored = await storage.describe(tables.map((table) => table.name));
  return tables.flatMap((table): readonly Difference[] => {
    const found = stored.get(table.name);
    const place = table.name;
    if (found === undefined) {
      return [{ is: "no table", table, place, message: "The table is missing." }];
    }
    return [...columnFlaws(storage, table, found, lists), ...keyFlaws(table, found)];
  });
}

/**
 * Checks that what is stored is as declared.
 * @throws PipelineError `source_rejected` with every difference
 */
export async function checkStored(
  storage: Storage,
  tables: readonly AnyTable[],
  lists: readonly AnyList[],
): Promise<void> {
  const problems = (await differences(storage, tables, lists)).map(({ place, message }) => {
    return { place, message };
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

function columnFlaws(
  storage: Storage,
  table: AnyTable,
  found: StoredTable,
  lists: readonly AnyList[],
): readonly Difference[] {
  const ordered = orderedColumns(table, lists);
  return Object.entries(table.columns).flatMap(([name, column]): readonly Difference[] => {
    const at = { table, column: name, place: `${table.name}.${name}` };
    const stored = found.columns.get(name);
    if (stored === undefined)
      return [{ ...at, is: "no column", message: "The column is missing." }];
    if (!storage.fits(column, stored)) {
      const message = `The column is ${stored.fullType}, which cannot hold ${column.type}.`;
      return [{ ...at, is: "type", message }];
    }
    const flaw = ordered.has(name) ? storage.orderFlaw(table.name, name, stored) : undefined;
    return flaw === undefined ? [] : [{ ...at, is: "order", message: flaw }];
  });
}

function keyFlaws(table: AnyTable, found: StoredTable): readonly Difference[] {
  if (found.key.join() === table.key.join()) return [];
  const is = found.key.length === 0 ? "none" : `(${found.key.join(", ")})`;
  const message = `The primary key must be (${table.key.join(", ")}); it is ${is}.`;
  return [{ is: "key", table, place: table.name, message }];
}
