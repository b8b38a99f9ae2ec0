import { PipelineError } from "../error.ts";
import type { AnyList, AnyTable, Column } from "../site.ts";
import type { RawForm } from "./decode.ts";

/** A value bound to a statement. Values never stand in its text. */
export type Param = string | number | bigint | null;

/** Part of a statement with the values of its question marks. */
export interface Fragment {
  readonly sql: string;
  readonly params: readonly Param[];
}

/** A SELECT: its columns (quoted) and all that follows `FROM`. */
export interface Statement extends Fragment {
  readonly select: readonly string[];
}

export type Comparison = ">" | ">=" | "<" | "<=";

/** What differs between the databases in reading statements. */
export interface Dialect extends RawForm {
  readonly quoteMark: '"' | "`";

  /** Compares columns (quoted) with as many values as a tuple, so that an index is a range for it. */
  compare(columns: readonly string[], comparison: Comparison, values: readonly Param[]): Fragment;

  /** True of rows whose columns hold one of the tuples. */
  among(columns: readonly string[], tuples: readonly (readonly Param[])[]): Fragment;

  /** The column (quoted) as a condition that must not choose the index; the key does. */
  passive(column: string): string;

  /** Ends a statement that takes at most so many rows. */
  readonly limit: string;

  /** Follows the table's name when rows are read by key. */
  readonly byKey: string;

  /** Follows the table's name when a list is read. */
  byList(list: AnyList): string;

  /** Follows the table's name when rows are found by the values of these columns. */
  byColumns(table: AnyTable, columns: readonly string[]): string;

  /** The bound form of a decoded value of a declared column. */
  encode(table: AnyTable, column: string, value: unknown): Param;
}

/**
 * Quotes a declared name.
 * @throws PipelineError `config_invalid` when it is no plain identifier
 */
export function quote(dialect: Dialect, name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) {
    return `${dialect.quoteMark}${name}${dialect.quoteMark}`;
  }
  throw new PipelineError("config_invalid", `"${name}" cannot be the name of a table or column.`, {
    hint: "Use at most 64 letters, digits and underscores, not starting with a digit.",
  });
}

/** Bound forms that are the same everywhere; `value` is a decoded value of `column`. */
export function encodePlain(column: Column | undefined, value: unknown): Param {
  if (value === null || value === undefined) return null;
  if (column?.type === "json") return JSON.stringify(value);
  return typeof value === "boolean" ? Number(value) : (value as Param);
}
