import type { AnyList, AnyTable, Column, Row } from "../site.ts";
import { entryColumns, type Instant } from "../site.ts";
import type { Statement } from "../source/dialect.ts";
import { indexColumns } from "../source/schema.ts";
import {
  countStatement,
  type Moment,
  placesByStatement,
  placesStatement,
  rowsStatement,
  scanStatement,
  windowStatement,
} from "../source/sql.ts";

/** A statement that builds run, with the index that makes it cheap. */
export interface Planned {
  /** `the newest entries`, `entries by author` … */
  readonly name: string;
  readonly statement: Statement;
  /** Columns of that index; those of the key mean the primary key. */
  readonly index: readonly string[];
}

/** As many as builds ask for at once, or fewer: plans do not depend on it. */
const LIMIT = 20;

/** How a table's rows are read, whatever lists there are. `sample` is a row of it, or one like it. */
export function tableStatements(moment: Moment, table: AnyTable, sample: Row): readonly Planned[] {
  const columns = Object.keys(table.columns);
  const key = table.key.map((name) => sample[name] as never);
  const scan = scanStatement(moment, table, columns, { after: key, limit: LIMIT });
  const rows = rowsStatement(moment, table, columns, { keys: [key] });
  return [
    { name: "the scan in key order", statement: scan, index: table.key },
    { name: "rows by key", statement: rows, index: table.key },
  ];
}

/** How a list is read. `sample` is a row of its table, or one like it. */
export function listStatements(moment: Moment, list: AnyList, sample: Row): readonly Planned[] {
  const part = list.by === undefined ? null : sample[list.by];
  const order = list.order.map((name) => sample[name]);
  const here = { order, isInclusive: false };
  const window = (parts: object) =>
    windowStatement(moment, list, [...new Set([...list.table.key, ...entryColumns(list)])], {
      part,
      first: "newest",
      limit: LIMIT,
      ...parts,
    });
  const own: Readonly<Record<string, Statement>> = {
    "the newest entries": window({}),
    "entries before a place": window({ to: here }),
    "entries after a place": window({ from: here, first: "oldest" }),
    "the walk of all places": placesStatement(moment, list, { part, order }, LIMIT),
    "the number of entries": countStatement(moment, list, part),
  };
  const index = indexColumns(list);
  return [
    ...Object.entries(own).map(([name, statement]) => ({ name, statement, index })),
    ...foundBy(list).map((columns) => ({
      name: `entries by ${columns.join(", ")}`,
      statement: placesByStatement(moment, list, columns, [columns.map((each) => sample[each])]),
      index: columns,
    })),
  ];
}

/** The columns by which a list's entries are found from the pages that they lead to. */
function foundBy({ item, links }: AnyList): readonly (readonly string[])[] {
  return [
    ...(item === undefined ? [] : [item.key]),
    ...Object.values(links).map(({ columns }) => columns),
  ].filter((columns) => columns.length > 0);
}

/** A value of a column, for a table that holds none. */
export function likely({ type, values }: Column, now: Instant): unknown {
  if (type === "oneOf") return values[0];
  return { int: 1, bigint: 1n, bool: false, instant: now, text: "a", json: null }[type];
}
