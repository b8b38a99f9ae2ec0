import type { Column } from "./columns.ts";

/** A decoded row, by column name. */
export type Row = Readonly<Record<string, unknown>>;

/** A key's values in declared order, e.g. `[42]` or `["scaling", 42]`. */
export type Key = readonly KeyPart[];
export type KeyPart = string | number | bigint;

/** What the rest of the pipeline needs to know of a table, whatever its row type. */
export interface AnyTable {
  readonly name: string;
  /** Key columns in order; never nullable. */
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, Column>>;
  /** Where `load` takes this table's rows from when no file has them. */
  readonly fill: ListingFill | undefined;
}

/** A declared table with rows of type `R`. Build with {@link table}. */
export interface Table<R extends Row = Row, K extends keyof R = keyof R> extends AnyTable {
  /** Never set: carry the row and key types. */
  readonly row?: R;
  readonly keys?: K;
}

/** A listing table: one row for each element of a JSON array in each row of another table. */
export interface ListingFill {
  readonly of: AnyTable;
  /** The JSON array column of `of`. */
  readonly each: string;
  /** The column here that takes the element. */
  readonly as: string;
  /** Columns copied: name here → name there. */
  readonly copy: Readonly<Record<string, string>>;
}

type Columns = Readonly<Record<string, Column>>;
type RowOf<C extends Columns> = {
  readonly [N in keyof C & string]: C[N] extends Column<infer T> ? T : never;
};

/**
 * Declares a table. Names go into SQL as identifiers, so they are checked by `defineSite`.
 * `key` is the primary key; rows are visited in its order.
 */
export function table<
  const C extends Columns,
  const K extends (keyof C & string) | readonly (keyof C & string)[],
>(
  name: string,
  parts: { readonly key: K; readonly columns: C; readonly fill?: ListingFill },
): Table<RowOf<C>, K extends readonly (infer P extends keyof RowOf<C>)[] ? P : K & keyof RowOf<C>> {
  const key: readonly string[] = typeof parts.key === "string" ? [parts.key] : parts.key;
  return { name, key, columns: parts.columns, fill: parts.fill };
}
