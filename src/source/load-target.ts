import type { AnyList, AnyTable, Key, Row } from "../site.ts";
import type { Rows } from "./source.ts";

/** A database that `load` makes equal to its files. Open with `openSqliteTarget` or `openMysqlTarget`. */
export interface LoadTarget extends AsyncDisposable {
  /**
   * Creates missing tables and indexes and opens the one transaction of a load.
   * @throws PipelineError `source_unavailable`, or `source_rejected` when an existing table differs
   */
  begin(tables: readonly AnyTable[], lists: readonly AnyList[]): Promise<LoadTransaction>;
}

/** Reads and writes of one load; nothing is seen by others before `commit`. */
export interface LoadTransaction extends AsyncDisposable {
  readonly rows: Rows;
  /** Writes one batch of a table; `inserts` are not there yet, `updates` are. */
  write(table: AnyTable, changes: Changes): Promise<void>;
  commit(): Promise<void>;
}

/** Complete rows to write and keys to delete. */
export interface Changes {
  readonly inserts: readonly Row[];
  readonly updates: readonly Row[];
  readonly deletes: readonly Key[];
}
