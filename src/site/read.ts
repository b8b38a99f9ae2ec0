import type { AnyList, List } from "./list.ts";
import type { AnyTable, Row, Table } from "./table.ts";

/** One declared read of a page: what it gives a template under its name. */
export type AnyRead =
  /** A joined row, or undefined in the template when there is none. */
  | {
      readonly read: "one";
      readonly table: AnyTable;
      /** Own columns that hold the other row's key, in its order. */
      readonly key: readonly string[];
      readonly see: readonly string[];
    }
  /** The entries before (older) and after (newer) this page's own place in a list. */
  | {
      readonly read: "around";
      readonly list: AnyList;
      readonly part: string | undefined;
      /** Own columns that are this page's place in the list's order. */
      readonly at: readonly string[];
      readonly before: number;
      readonly after: number;
    }
  /** The newest entries of a list, newest first. */
  | {
      readonly read: "newest";
      readonly list: AnyList;
      readonly part: string | undefined;
      readonly count: number;
      /** Said to be meant although every row's page would change with each new entry. */
      readonly isFanoutAccepted: boolean;
    }
  /** How many entries of a list readers may see, those whose page failed included. */
  | {
      readonly read: "count";
      readonly list: AnyList;
      readonly part: string | undefined;
      readonly isFanoutAccepted: boolean;
    };

/** A read whose page must have the columns of `Own`. */
export type Read<Own extends Row = Row> = AnyRead & {
  /** Never set: carries `Own`, contravariantly. */
  readonly needs?: (own: Own) => void;
};

type Name<R extends Row> = keyof R & string;
type KeyValue<R extends Row, K extends keyof R> = R[K] | null;

/** Joins one row by its key, batched with the other pages' joins. */
export function one<R extends Row, K extends keyof R, const C extends string>(
  table: Table<R, K>,
  options: { readonly key: C; readonly see: readonly Name<R>[] },
): Read<{ readonly [N in C]: KeyValue<R, K> }> {
  return { read: "one", table, key: [options.key], see: options.see };
}

/**
 * Reads the neighbours of a page in a list it is in. `at` names the own columns that are the
 * list's order columns; by default those of the same names.
 */
export function around<P, const C extends string = never>(
  list: List<P>,
  options: {
    readonly part?: C;
    readonly at?: readonly string[];
    readonly before: number;
    readonly after: number;
  },
): Read<{ readonly [N in C]: P | null }> {
  const { part, at = list.order, before, after } = options;
  return { read: "around", list, part, at, before, after };
}

/**
 * Reads the newest `count` entries of a list (of the partition that own column `part` names).
 * On a kind with a page per row this makes one insert change all pages; that is refused unless
 * `fanout` says it is meant.
 */
export function newest<P, const C extends string = never>(
  list: List<P>,
  count: number,
  options: { readonly part?: C; readonly fanout?: "accepted" } = {},
): Read<{ readonly [N in C]: P | null }> {
  const { part, fanout } = options;
  return { read: "newest", list, part, count, isFanoutAccepted: fanout === "accepted" };
}

/**
 * Counts the entries of a list (of the partition that own column `part` names). The database counts
 * them along the list's index, which takes about 50 ns an entry. Refused like {@link newest} where
 * one insert would change all pages.
 */
export function count<P, const C extends string = never>(
  list: List<P>,
  options: { readonly part?: C; readonly fanout?: "accepted" } = {},
): Read<{ readonly [N in C]: P | null }> {
  const { part, fanout } = options;
  return { read: "count", list, part, isFanoutAccepted: fanout === "accepted" };
}
