import type { InventoryTable } from "../source/inventory.ts";
import { type Declared, declareColumn, isName, type Tables } from "./column-code.ts";

/** How a definition calls what it makes of a table; no two tables share one. */
export interface Names {
  /** The constant that holds the table: `blogPosts`. */
  readonly constant: string;
  /** The constant that holds its list: `newestBlogPosts`. */
  readonly listConstant: string;
  /** Its kind of pages: `blog_posts`. */
  readonly kind: string;
}

/** A table as far as it can be declared. */
export interface DeclaredTable extends Names {
  readonly table: InventoryTable;
  readonly columns: ReadonlyMap<string, Declared>;
  /** Why it cannot be declared at all. */
  readonly left: string | undefined;
}

/** Declares each column that has a type here. */
export function declareTable(tables: Tables, table: InventoryTable, names: Names): DeclaredTable {
  const columns = new Map(
    [...table.columns.keys()].map((name) => [name, declareColumn(tables, table, name)]),
  );
  return { ...names, table, columns, left: tableFlaw(table, columns) };
}

/** Columns that can be declared. */
export function namesOf({ columns }: DeclaredTable): readonly string[] {
  return [...columns].flatMap(([name, { left }]) => (left === undefined ? name : []));
}

/** True when the column is declared so and never NULL. */
export function isPresent(declared: DeclaredTable, name: string, builder: string): boolean {
  return isDeclared(declared, name, builder) && !declared.table.columns.get(name)?.isNullable;
}

/** True when the column is declared with that builder. */
export function isDeclared({ columns }: DeclaredTable, name: string, builder: string): boolean {
  const column = columns.get(name);
  return column?.left === undefined && column?.builder === builder;
}

function tableFlaw(
  { name, key, columns: stored }: InventoryTable,
  columns: ReadonlyMap<string, Declared>,
): string | undefined {
  if (!isName(name)) return "its name is no plain identifier";
  if (key.length === 0) return "it has no primary key";
  for (const column of key) {
    const declared = columns.get(column);
    if (declared?.left !== undefined)
      return `its key ${column} cannot be declared: ${declared.left}`;
    if (declared?.builder === "json" || declared?.builder === "bool") {
      return `its key ${column} is ${declared.builder}, which has no order`;
    }
    if (stored.get(column)?.type === "enum") return `its key ${column} is an ENUM`;
  }
  return undefined;
}
