import {
  type AnyList,
  type AnyTable,
  encodeKey,
  type Instant,
  isVisible,
  type Key,
  type Row,
} from "../site.ts";
import type { Decoded, Place, Rows, RowsQuery, Window } from "../source/source.ts";

/** One row that is imagined to be otherwise than it is. */
export interface Imagined {
  readonly table: AnyTable;
  readonly key: Key;
  /** The row as it is, with all columns that pages read; undefined when there is none. */
  readonly row: Row | undefined;
  /** Columns that hold something else; undefined when the row is gone. */
  readonly edited: readonly string[] | undefined;
  readonly now: Instant;
}

/** The rows as they would be if one of them were otherwise. */
export function imaginedRows(rows: Rows, imagined: Imagined): Rows {
  const { table, edited } = imagined;
  const isGone = edited === undefined;
  return {
    ...portOf(rows),
    async rows(of, query) {
      const found = await rows.rows(of, query);
      return of === table ? found.map((each, at) => imagine(each, query, at, imagined)) : found;
    },
    async windows(list, windows) {
      if (list.table !== table) return await rows.windows(list, windows);
      const found = await rows.windows(list, isGone ? windows.map(oneMore) : windows);
      return found.map((own, at) =>
        own.flatMap((each) => edit(each, imagined)).slice(0, windows[at]?.limit),
      );
    },
    async placesIn(list, windows) {
      if (list.table !== table || !isGone) return await rows.placesIn(list, windows);
      const found = await rows.placesIn(list, windows.map(oneMore));
      return found.map((own, at) =>
        withoutPlace(list, own, windows[at], imagined).slice(0, windows[at]?.limit),
      );
    },
    async counts(list, parts) {
      const counts = await rows.counts(list, parts);
      if (list.table !== table || !isGone) return counts;
      return counts.map((count, at) => (isListed(list, parts[at], imagined) ? count - 1 : count));
    },
  };
}

/** A port's methods on their own; a copy of an object of a class would lack them. */
function portOf(rows: Rows): Rows {
  return {
    isEmpty: (...of) => rows.isEmpty(...of),
    scan: (...of) => rows.scan(...of),
    rows: (...of) => rows.rows(...of),
    places: (...of) => rows.places(...of),
    placesIn: (...of) => rows.placesIn(...of),
    placesBy: (...of) => rows.placesBy(...of),
    windows: (...of) => rows.windows(...of),
    counts: (...of) => rows.counts(...of),
    [Symbol.asyncDispose]: () => rows[Symbol.asyncDispose](),
  };
}

function imagine(
  found: Decoded | undefined,
  { keys, see }: RowsQuery,
  at: number,
  imagined: Imagined,
): Decoded | undefined {
  if (found !== undefined) return edit(found, imagined)[0];
  const { table, key, edited } = imagined;
  const wanted = keys[at];
  if (edited === undefined || wanted === undefined || !isSame(wanted, key)) return undefined;
  const own = table.key.map((column, n) => [column, key[n]]);
  return { key, row: Object.fromEntries([...see.map((column) => [column, other(null)]), ...own]) };
}

function edit(found: Decoded, { key, edited }: Imagined): readonly Decoded[] {
  if (found.row === undefined || !isSame(found.key, key)) return [found];
  if (edited === undefined) return [];
  const changes = edited
    .filter((column) => column in found.row)
    .map((column) => [column, other(found.row[column])]);
  return [{ ...found, row: { ...found.row, ...Object.fromEntries(changes) } }];
}

/** A value of the same type that is not this one; what it says does not matter. */
function other(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "bigint") return value + 1n;
  if (typeof value === "boolean") return !value;
  if (typeof value === "object" && value !== null) return [value];
  return `${value ?? ""}-`;
}

function oneMore(window: Window): Window {
  return { ...window, limit: window.limit + 1 };
}

function withoutPlace(
  list: AnyList,
  places: readonly Place[],
  window: Window | undefined,
  imagined: Imagined,
): readonly Place[] {
  const { row } = imagined;
  if (row === undefined || !isListed(list, window?.part, imagined)) return places;
  const at = places.findIndex(({ order }) =>
    list.order.every((column, n) => order[n] === row[column]),
  );
  return at < 0 ? places : places.toSpliced(at, 1);
}

function isListed({ by, visible }: AnyList, part: unknown, { row, now }: Imagined): boolean {
  if (row === undefined || !isVisible(visible, row, now)) return false;
  return by === undefined || row[by] === part;
}

function isSame(a: Key, b: Key): boolean {
  return Buffer.compare(encodeKey(a), encodeKey(b)) === 0;
}
