import type { InventoryColumn, InventoryTable } from "../source/inventory.ts";

/** How a stored column is declared, or why it cannot be. */
export type Declared =
  | { readonly code: string; readonly builder: string; readonly left?: undefined }
  | { readonly left: string };

const INTEGERS = ["tinyint", "smallint", "mediumint", "int", "bigint"];
const LONG_TEXTS = ["tinytext", "text", "mediumtext", "longtext"];

/** The tables of a database by name. */
export type Tables = ReadonlyMap<string, InventoryTable>;

/** Declares one column: `text({ max: 50 }).nullable()`. */
export function declareColumn(tables: Tables, table: InventoryTable, name: string): Declared {
  const column = table.columns.get(name);
  if (column === undefined) return { left: "it is not there" };
  // As the name of a property it would be no column.
  if (!isName(name) || name === "__proto__") return { left: "its name is no plain identifier" };
  const [builder, args] = builderOf(tables, table, name, column);
  if (builder === undefined) return { left: `${column.fullType} has no type here` };
  return { builder, code: `${builder}(${args})${column.isNullable ? ".nullable()" : ""}` };
}

/** Whether a definition can name it. */
export function isName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name);
}

function builderOf(
  tables: Tables,
  table: InventoryTable,
  name: string,
  { type, fullType, max, isJson }: InventoryColumn,
): readonly [string | undefined, string] {
  if (isJson) return ["json", ""];
  if (fullType.toLowerCase() === "tinyint(1)") return ["bool", ""];
  if (INTEGERS.includes(type)) return [integer(tables, table, name), ""];
  if (type === "datetime" || type === "timestamp") return ["instant", ""];
  if (type === "enum") return ["oneOf", enumValues(fullType).join(", ")];
  if (type === "char" || type === "varchar") return ["text", `{ max: ${max ?? 255} }`];
  return LONG_TEXTS.includes(type) ? ["text", ""] : [undefined, ""];
}

/**
 * Numbers that a counter gives fit a double for ever; other 64-bit ones may not. A reference has the
 * type of what it refers to, else the two could not be compared.
 */
function integer(
  tables: Tables,
  table: InventoryTable,
  name: string,
  seen: ReadonlySet<string> = new Set(),
): "int" | "bigint" {
  const column = table.columns.get(name);
  const place = `${table.name}.${name}`;
  const reference = table.references.find((each) => each.column === name);
  const other = reference && tables.get(reference.table);
  if (reference !== undefined && other !== undefined && !seen.has(place)) {
    return integer(tables, other, reference.key, new Set([...seen, place]));
  }
  return column?.type !== "bigint" || column.isAutoIncrement ? "int" : "bigint";
}

/** `enum('a','it''s')` as literals of TypeScript. */
function enumValues(fullType: string): readonly string[] {
  const quoted = fullType.match(/'(?:[^']|'')*'/g) ?? [];
  return quoted.map((each) => JSON.stringify(each.slice(1, -1).replaceAll("''", "'")));
}
