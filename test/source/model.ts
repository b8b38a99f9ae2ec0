import {
  type AnyList,
  type AnyTable,
  encodeKey,
  type Instant,
  isVisible,
  type Key,
  type KeyPart,
  type Row,
} from "../../src/site.ts";
import type { Bound, Place, Window } from "../../src/source/source.ts";

/** What a source must answer, said in plain JavaScript over an array of rows. */
export interface Model {
  scan(table: AnyTable, visible: AnyList["visible"]): readonly Row[];
  places(list: AnyList): readonly Place[];
  window(list: AnyList, window: Window): readonly Row[];
  placesBy(list: AnyList, columns: readonly string[], tuples: readonly Key[]): readonly Place[];
}

export function model(all: readonly Row[], now: Instant): Model {
  const entries = (list: AnyList) => {
    const placed = [...(list.by === undefined ? [] : [list.by]), ...list.order];
    return all
      .filter((row) => isVisible(list.visible, row, now))
      .filter((row) => placed.every((name) => row[name] !== null))
      .toSorted((a, b) => compare(pick(a, placed), pick(b, placed)));
  };
  return {
    scan: (table, visible) =>
      all
        .filter((row) => isVisible(visible, row, now))
        .toSorted((a, b) => compare(pick(a, table.key), pick(b, table.key))),
    places: (list) => entries(list).map((row) => placeOf(list, row)),
    window(list, { part, from, to, first, limit }) {
      const inside = entries(list)
        .filter((row) => list.by === undefined || row[list.by] === part)
        .filter((row) => from === undefined || isBeyond(list, row, from, 1))
        .filter((row) => to === undefined || isBeyond(list, row, to, -1));
      return (first === "oldest" ? inside : inside.toReversed()).slice(0, limit);
    },
    placesBy: (list, columns, tuples) =>
      entries(list)
        .filter((row) =>
          tuples.some((tuple) => columns.every((name, at) => row[name] === tuple[at])),
        )
        .map((row) => placeOf(list, row)),
  };
}

export function placeOf(list: AnyList, row: Row): Place {
  return { part: list.by === undefined ? null : row[list.by], order: pick(row, list.order) };
}

export function pick(row: Row, names: readonly string[]): Key {
  return names.map((name) => row[name] as KeyPart);
}

/** The row with its key and the columns `see` only. */
export function seen(table: AnyTable, see: readonly string[], row: Row): Row {
  return Object.fromEntries([...table.key, ...see].map((name) => [name, row[name]]));
}

function isBeyond(list: AnyList, row: Row, bound: Bound, side: 1 | -1): boolean {
  const own = pick(row, list.order.slice(0, bound.order.length));
  const order = compare(own, bound.order as Key) * side;
  return bound.isInclusive ? order >= 0 : order > 0;
}

function compare(a: Key, b: Key): number {
  return Buffer.compare(encodeKey(a), encodeKey(b));
}
