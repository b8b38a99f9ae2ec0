import type { Position } from "./position.ts";

/** What a binlog says, of tables that were asked for. */
export type BinlogEvent =
  /** A group of events begins: a transaction, or what stands alone. */
  | {
      readonly is: "begin";
      /** Where the log is once the group has ended. */
      readonly position: Position;
      /** See `Transaction.committedAt`. */
      readonly committedAt: number;
      /** It ends with its first statement, unless that is a BEGIN. */
      readonly isAlone: boolean;
    }
  | {
      readonly is: "rows";
      readonly schema: string;
      readonly table: string;
      readonly rows: readonly RowImages[];
    }
  /** An SQL statement that was logged as such; unqualified names are of `schema`. */
  | { readonly is: "statement"; readonly text: string; readonly schema: string }
  /** Something that may have changed anything. */
  | { readonly is: "opaque"; readonly what: string }
  /** The group has ended. */
  | { readonly is: "end" };

/** A row as it was and is; undefined for inserts and deletes. */
export interface RowImages {
  readonly before: Image | undefined;
  readonly after: Image | undefined;
}

/** Values by column, as the log has them. A column that the log left out is not in it. */
export type Image = Readonly<Record<string, unknown>>;
