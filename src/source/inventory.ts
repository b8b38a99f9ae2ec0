import type { StoredColumn, StoredTable } from "./stored.ts";

/** A table as a database has it, with what helps to guess what it is for. */
export interface InventoryTable extends StoredTable {
  readonly name: string;
  readonly columns: ReadonlyMap<string, InventoryColumn>;
  /** Columns of each unique index in order, the primary key among them. */
  readonly unique: readonly (readonly string[])[];
  /** References to other tables by their whole key, of one column each. */
  readonly references: readonly Reference[];
}

export interface InventoryColumn extends StoredColumn {
  /** Characters that a text column takes; undefined for others. */
  readonly max: number | undefined;
  readonly isAutoIncrement: boolean;
  /** Text that must be JSON, as MariaDB keeps it. */
  readonly isJson: boolean;
  /** What makes its equality and order that of bytes; undefined when it is so, or is no text. */
  readonly collate: string | undefined;
}

/** A foreign key of one column. */
export interface Reference {
  readonly column: string;
  readonly table: string;
  readonly key: string;
}
