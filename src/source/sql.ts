import type { AnyList, AnyTable, Instant, Key, Visible } from "../site.ts";
import type { Comparison, Dialect, Fragment, Param, Statement } from "./dialect.ts";
import { quote } from "./dialect.ts";
import type { Bound, KeyRange, Place, RowsQuery, ScanQuery, Window } from "./source.ts";

/** Builds a moment's reading statements. Pure: no JOIN, no OFFSET, no value in the text. */
export interface Moment {
  readonly dialect: Dialect;
  /** When visibility is judged. */
  readonly now: Instant;
}

/** Partition column, if any, and order columns: where an entry stands. */
export function placeColumns(list: AnyList): readonly string[] {
  return list.by === undefined ? list.order : [list.by, ...list.order];
}

/** One row when the table holds any. */
export function anyStatement({ dialect }: Moment, table: AnyTable): Statement {
  return { select: ["1"], sql: `FROM ${quote(dialect, table.name)} LIMIT 1`, params: [] };
}

/** The next rows in key order. */
export function scanStatement(
  moment: Moment,
  table: AnyTable,
  columns: readonly string[],
  { visible, limit, ...range }: Omit<ScanQuery, "see">,
): Statement {
  const { dialect } = moment;
  const key = quoteAll(dialect, table.key);
  const where = [
    ...visibility(moment, table, visible, dialect.passive),
    ...within(dialect, table, range),
  ];
  const from = `FROM ${quote(dialect, table.name)}${dialect.byKey}`;
  const tail = `ORDER BY ${key.join(", ")} ${dialect.limit}`;
  return select(quoteAll(dialect, columns), from, where, { tail, limit });
}

/** What is `computed` of all rows of a range. */
export function rangeStatement(
  dialect: Dialect,
  table: AnyTable,
  computed: readonly string[],
  range: KeyRange,
): Statement {
  const from = `FROM ${quote(dialect, table.name)}${dialect.byKey}`;
  return select(computed, from, within(dialect, table, range));
}

/** Rows by key, in no particular order. */
export function rowsStatement(
  moment: Moment,
  table: AnyTable,
  columns: readonly string[],
  { visible, keys }: Omit<RowsQuery, "see">,
): Statement {
  const { dialect } = moment;
  const tuples = keys.map((key) => encodeAll(dialect, table, table.key, key));
  const among = dialect.among(quoteAll(dialect, table.key), tuples);
  const where = [among, ...visibility(moment, table, visible, dialect.passive)];
  const from = `FROM ${quote(dialect, table.name)}${dialect.byKey}`;
  return select(quoteAll(dialect, columns), from, where);
}

/** The next places in (partition, order) order; selects {@link placeColumns}. */
export function placesStatement(
  moment: Moment,
  list: AnyList,
  after: Place | undefined,
  limit: number,
): Statement {
  const { dialect } = moment;
  const { table } = list;
  const columns = quoteAll(dialect, placeColumns(list));
  const where = [...visibility(moment, table, list.visible), ...columns.map(isPresent)];
  if (after !== undefined) {
    const values = list.by === undefined ? after.order : [after.part, ...after.order];
    const encoded = encodeAll(dialect, table, placeColumns(list), values);
    where.push(dialect.compare(columns, ">", encoded));
  }
  const tail = `ORDER BY ${columns.join(", ")} ${dialect.limit}`;
  const from = `FROM ${quote(dialect, table.name)}${dialect.byList(list)}`;
  return select(columns, from, where, { tail, limit });
}

/** The places of entries that have one of these values; selects {@link placeColumns}. */
export function placesByStatement(
  moment: Moment,
  list: AnyList,
  by: readonly string[],
  tuples: readonly (readonly unknown[])[],
): Statement {
  const { dialect } = moment;
  const { table } = list;
  const columns = quoteAll(dialect, placeColumns(list));
  const encoded = tuples.map((tuple) => encodeAll(dialect, table, by, tuple));
  const among = dialect.among(quoteAll(dialect, by), encoded);
  const where = [
    among,
    ...visibility(moment, table, list.visible, dialect.passive),
    ...columns.map(isPresent),
  ];
  const from = `FROM ${quote(dialect, table.name)}${dialect.byColumns(table, by)}`;
  return select(columns, from, where);
}

/** One window's entries, in its direction. */
export function windowStatement(
  moment: Moment,
  list: AnyList,
  columns: readonly string[],
  { part, from, to, first, limit }: Window,
): Statement {
  const { dialect } = moment;
  const order = quoteAll(dialect, list.order);
  const upper = upperBound(list, to, moment.now);
  const where = [
    ...partition(dialect, list, part),
    ...visibility(moment, list.table, upper.visible),
    ...order.map(isPresent),
    ...bound(dialect, list, ">", from),
    ...bound(dialect, list, "<", upper.to),
  ];
  const directed = order.map((name) => (first === "newest" ? `${name} DESC` : name));
  const tail = `ORDER BY ${directed.join(", ")} ${dialect.limit}`;
  const table = `FROM ${quote(dialect, list.table.name)}${dialect.byList(list)}`;
  return select(quoteAll(dialect, columns), table, where, { tail, limit });
}

/** The number of a partition's entries. */
export function countStatement(moment: Moment, list: AnyList, part: unknown): Statement {
  const { dialect } = moment;
  const where = [
    ...partition(dialect, list, part),
    ...visibility(moment, list.table, list.visible),
    ...quoteAll(dialect, list.order).map(isPresent),
  ];
  return select(
    ["COUNT(*)"],
    `FROM ${quote(dialect, list.table.name)}${dialect.byList(list)}`,
    where,
  );
}

function select(
  columns: readonly string[],
  from: string,
  where: readonly Fragment[],
  end?: { readonly tail: string; readonly limit: number },
): Statement {
  const params = where.flatMap((each) => each.params);
  const condition =
    where.length === 0 ? "" : ` WHERE ${where.map((each) => each.sql).join(" AND ")}`;
  if (end === undefined) return { select: columns, sql: from + condition, params };
  return {
    select: columns,
    sql: `${from}${condition} ${end.tail}`,
    params: [...params, end.limit],
  };
}

/** `form` is what a column becomes in a condition; by default it may choose the index. */
function visibility(
  { dialect, now }: Moment,
  table: AnyTable,
  { show = {}, from, until }: Visible = {},
  form: (column: string) => string = (column) => column,
): readonly Fragment[] {
  const name = (column: string) => form(quote(dialect, column));
  const terms = Object.entries(show).map(([column, value]) =>
    equals(name(column), dialect.encode(table, column, value)),
  );
  if (from !== undefined) {
    terms.push({ sql: `${name(from)} <= ?`, params: [dialect.encode(table, from, now)] });
  }
  if (until !== undefined) {
    const sql = `(${name(until)} IS NULL OR ${name(until)} > ?)`;
    terms.push({ sql, params: [dialect.encode(table, until, now)] });
  }
  return terms;
}

function within(dialect: Dialect, table: AnyTable, range: KeyRange): readonly Fragment[] {
  const key = quoteAll(dialect, table.key);
  const bound = (side: Comparison, values: Key | undefined) =>
    values === undefined
      ? []
      : [dialect.compare(key, side, encodeAll(dialect, table, table.key, values))];
  return [...bound(">", range.after), ...bound("<=", range.upTo)];
}

/** Rows without a partition are in none: nothing equals NULL. */
function partition(dialect: Dialect, list: AnyList, part: unknown): readonly Fragment[] {
  if (list.by === undefined) return [];
  const value = dialect.encode(list.table, list.by, part);
  return [{ sql: `${quote(dialect, list.by)} = ?`, params: [value] }];
}

/**
 * Leaves one of two upper bounds, the window's and `now` as of the list's visibility: of two SQLite
 * takes the looser for its range, and reads from there.
 */
function upperBound(
  { visible, order }: AnyList,
  to: Bound | undefined,
  now: Instant,
): { readonly visible: Visible; readonly to: Bound | undefined } {
  const last = to?.order[0];
  if (typeof last !== "number" || visible.from !== order[0]) return { visible, to };
  if (last > now) return { visible, to: undefined };
  const { from: _, ...rest } = visible;
  return { visible: rest, to };
}

/** A bound may give the first order columns only: all entries that share them are on its side. */
function bound(
  dialect: Dialect,
  list: AnyList,
  side: ">" | "<",
  at: Bound | undefined,
): readonly Fragment[] {
  if (at === undefined || at.order.length === 0) return [];
  const columns = list.order.slice(0, at.order.length);
  const values = encodeAll(dialect, list.table, columns, at.order);
  const quoted = columns.map((name) => quote(dialect, name));
  return [dialect.compare(quoted, at.isInclusive ? `${side}=` : side, values)];
}

/** A row without a partition or an order value has no place in a list. */
function isPresent(column: string): Fragment {
  return { sql: `${column} IS NOT NULL`, params: [] };
}

function equals(column: string, value: Param): Fragment {
  if (value === null) return { sql: `${column} IS NULL`, params: [] };
  return { sql: `${column} = ?`, params: [value] };
}

function quoteAll(dialect: Dialect, names: readonly string[]): readonly string[] {
  return names.map((name) => quote(dialect, name));
}

function encodeAll(
  dialect: Dialect,
  table: AnyTable,
  columns: readonly string[],
  values: readonly unknown[],
): readonly Param[] {
  return columns.map((column, at) => dialect.encode(table, column, values[at]));
}
