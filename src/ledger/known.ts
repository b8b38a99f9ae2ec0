import { hexOf, type PageId } from "../site.ts";
import { isLast } from "./lease.ts";
import type { KnownRow, Reader, RebuiltPages, RowMark, SeenRow } from "./ledger.ts";
import { beyond } from "./live.ts";
import { NUMBER, nameOf, numbersOf } from "./names.ts";
import { keepRanges, unsettleRanges } from "./ranges.ts";
import { asBytes, asText, decodeId, orUndefined, runOf } from "./rows.ts";
import {
  deleteRows,
  query,
  queryIn,
  replaceRows,
  type SqlRow,
  type SqlValue,
  type Work,
} from "./sql.ts";

const ROW = "row_key,hash,deps,due_at";
const SEEN = "run,tbl,row_key,hash,deps,due_at".split(",");
const READER = "read_key,kind,page_key".split(",");
const READERS = `SELECT ${nameOf("kind")} AS kind, page_key FROM nb_reader`;
const DUE = "due_at,tbl,row_key".split(",");

/** Of a run that looked at all, and at none that may change behind it. */
const NO_PAGES: RebuiltPages = { pages: [], isAll: true };

/** Rows that a run saw, handled at a time. */
const BATCH = 500;

/** @see Ledger.known */
export function* known(
  table: string,
  after: Uint8Array | undefined,
  limit: number,
): Work<readonly KnownRow[]> {
  const [is, key] = beyond(after);
  const rows = yield* query(
    `SELECT ${ROW} FROM nb_row WHERE tbl = ${NUMBER} AND row_key ${is} ? ORDER BY row_key LIMIT ?`,
    [table, key, limit],
  );
  return rows.map(decodeKnown);
}

/** @see Ledger.knownOf */
export function* knownOf(
  table: string,
  keys: readonly Uint8Array[],
): Work<readonly (KnownRow | undefined)[]> {
  const text = `SELECT ${ROW} FROM nb_row WHERE tbl = ${NUMBER} AND row_key IN (?)`;
  const rows = yield* queryIn(text, keys, [table]);
  const found = new Map(rows.map(decodeKnown).map((row) => [hexOf(row.key), row]));
  return keys.map((key) => found.get(hexOf(key)));
}

/** @see Ledger.dueRows */
export function* dueRows(
  now: number,
  after: RowMark | undefined,
  limit: number,
): Work<readonly RowMark[]> {
  const select = "SELECT due_at, tbl, row_key FROM nb_due WHERE due_at <= ?";
  const order = "ORDER BY due_at, tbl, row_key LIMIT ?";
  if (after === undefined)
    return (yield* query(`${select} ${order}`, [now, limit])).map(decodeMark);
  const { dueAt, table, key } = after;
  const beyondIt = "AND due_at >= ? AND (due_at > ? OR tbl > ? OR (tbl = ? AND row_key > ?))";
  const values = [now, dueAt, dueAt, table, table, key, limit];
  return (yield* query(`${select} ${beyondIt} ${order}`, values)).map(decodeMark);
}

/** @see Ledger.see */
export function* see(run: string, rows: readonly SeenRow[]): Work<void> {
  const id = runOf(run);
  // `keepSeen` needs them.
  yield* numbersOf(rows.map(({ table }) => table));
  yield* replaceRows(
    "nb_seen",
    SEEN,
    rows.map(({ table, key, now }) => [
      id,
      table,
      key,
      now?.hash ?? null,
      now?.deps ?? null,
      now?.dueAt ?? null,
    ]),
  );
}

/** @see Ledger.seen */
export function* seen(
  run: string,
  after: { readonly table: string; readonly key: Uint8Array } | undefined,
  limit: number,
): Work<readonly SeenRow[]> {
  const select = (where: string, values: readonly SqlValue[], atMost: number) =>
    query(
      `SELECT tbl,${ROW} FROM nb_seen WHERE run = ? AND ${where} ORDER BY tbl, row_key LIMIT ?`,
      [runOf(run), ...values, atMost],
    );
  const rows: SqlRow[] = [];
  if (after !== undefined) {
    rows.push(...(yield* select("tbl = ? AND row_key > ?", [after.table, after.key], limit)));
  }
  if (rows.length < limit) {
    rows.push(...(yield* select("tbl > ?", [after?.table ?? ""], limit - rows.length)));
  }
  return rows.map(decodeSeen);
}

/** @see Ledger.seenOf */
export function* seenOf(
  run: string,
  table: string,
  keys: readonly Uint8Array[],
): Work<readonly (SeenRow | undefined)[]> {
  const text = `SELECT tbl,${ROW} FROM nb_seen WHERE run = ? AND tbl = ? AND row_key IN (?)`;
  const rows = yield* queryIn(text, keys, [runOf(run), table]);
  const found = new Map(rows.map(decodeSeen).map((row) => [hexOf(row.key), row]));
  return keys.map((key) => found.get(hexOf(key)));
}

/**
 * Makes what a run saw what is known; part of `finish`. Rows are sought one by one: one statement
 * for all would visit every known row.
 */
export function* keepSeen(run: string): Work<void> {
  const any = ["nb_row", "nb_range"].map((table) => `EXISTS (SELECT 1 FROM ${table})`);
  const [known] = yield* query(`SELECT ${any.join(" OR ")} AS known`);
  if (Number(known?.["known"]) !== 0) yield* forgetSeen(run);
  const id = runOf(run);
  yield* query(
    `REPLACE INTO nb_row (tbl,${ROW}) SELECT (SELECT id FROM nb_name WHERE name = tbl),${ROW} FROM nb_seen
      WHERE run = ? AND hash IS NOT NULL`,
    [id],
  );
  yield* query(
    `REPLACE INTO nb_due (due_at,tbl,row_key) SELECT due_at,tbl,row_key FROM nb_seen
      WHERE run = ? AND hash IS NOT NULL AND due_at IS NOT NULL`,
    [id],
  );
  yield* keepRanges(run);
}

/** Adds pages to those that were rebuilt, or to none; part of `finish`. */
export function* keepRebuilt({ pages, isAll }: RebuiltPages = NO_PAGES): Work<void> {
  if (isAll) yield* query("DELETE FROM nb_rebuilt");
  const rows = pages.map(({ kind, key }) => [kind, key]);
  yield* replaceRows("nb_rebuilt", ["kind", "page_key"], rows);
}

/** @see Ledger.rebuilt The rest of the last page's kind, then the kinds after it. */
export function* rebuilt(after: PageId | undefined, limit: number): Work<readonly PageId[]> {
  const select = (where: string, values: readonly SqlValue[], atMost: number) =>
    query(`SELECT kind, page_key FROM nb_rebuilt WHERE ${where} ORDER BY kind, page_key LIMIT ?`, [
      ...values,
      atMost,
    ]);
  if (after === undefined) return (yield* select("kind >= ?", [""], limit)).map(decodeId);
  const rest = yield* select("kind = ? AND page_key > ?", [after.kind, after.key], limit);
  const left = limit - rest.length;
  const next = left === 0 ? [] : yield* select("kind > ?", [after.kind], left);
  return [...rest, ...next].map(decodeId);
}

/** @see Ledger.forgetRebuilt Only with a release, which comes one at a time, others are added. */
export function* forgetRebuilt(release: number): Work<void> {
  if (yield* isLast(release)) yield* query("DELETE FROM nb_rebuilt");
}

function* forgetSeen(run: string): Work<void> {
  let after: SeenRow | undefined;
  do {
    const rows: readonly SeenRow[] = yield* seen(run, after, BATCH);
    for (const [table, own] of Map.groupBy(rows, (row) => row.table)) yield* forget(table, own);
    after = rows.length < BATCH ? undefined : rows.at(-1);
  } while (after !== undefined);
}

/** Drops the marks of rows that were seen, those of the rows that are gone, and checksums with them. */
function* forget(table: string, rows: readonly SeenRow[]): Work<void> {
  const known = yield* knownOf(
    table,
    rows.map(({ key }) => key),
  );
  const marks = known.flatMap((row) =>
    row?.dueAt === undefined ? [] : [[row.dueAt, table, row.key]],
  );
  yield* deleteRows("nb_due", DUE, marks);
  // The clock alone changes nothing of what the database holds.
  const other = rows.filter(({ now }, at) => !hasHash(known[at], now));
  yield* unsettleRanges(
    table,
    other.map(({ key }) => key),
  );
  const gone = rows.filter(({ now }) => now === undefined).map(({ key }) => key);
  yield* queryIn(`DELETE FROM nb_row WHERE tbl = ${NUMBER} AND row_key IN (?)`, gone, [table]);
}

/** @see Ledger.readers */
export function* readers(reads: readonly Uint8Array[]): Work<readonly PageId[]> {
  const rows = yield* queryIn(`${READERS} WHERE read_key IN (?)`, reads);
  return rows.map(decodeId);
}

/** @see Ledger.readersBetween */
export function* readersBetween(from: Uint8Array, to: Uint8Array): Work<readonly PageId[]> {
  const rows = yield* query(`${READERS} WHERE read_key >= ? AND read_key <= ?`, [from, to]);
  return rows.map(decodeId);
}

/** Pages read other things than before; part of `confirm` and `retire`. */
export function* changeReaders(added: readonly Reader[], dropped: readonly Reader[]): Work<void> {
  if (added.length + dropped.length === 0) return;
  const numbers = yield* numbersOf([...added, ...dropped].map(({ kind }) => kind));
  const rowOf = ({ read, kind, key }: Reader) => [read, numbers.get(kind) ?? 0, key];
  yield* deleteRows("nb_reader", READER, dropped.map(rowOf));
  yield* replaceRows("nb_reader", READER, added.map(rowOf));
}

/** @see Ledger.lastBefore */
export function* lastUpTo(kind: string, key: Uint8Array): Work<Uint8Array | undefined> {
  const [row] = yield* query(
    `SELECT page_key FROM nb_live WHERE kind = ${NUMBER} AND page_key <= ? ORDER BY page_key DESC LIMIT 1`,
    [kind, key],
  );
  return row === undefined ? undefined : asBytes(row["page_key"]);
}

function hasHash(a: KnownRow | undefined, b: KnownRow | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a.hash, b.hash) === 0;
}

function decodeKnown(row: SqlRow): KnownRow {
  return {
    key: asBytes(row["row_key"]),
    hash: asBytes(row["hash"]),
    deps: asBytes(row["deps"]),
    dueAt: orUndefined(row["due_at"], Number),
  };
}

function decodeSeen(row: SqlRow): SeenRow {
  const now = row["hash"] === null ? undefined : decodeKnown(row);
  return { table: asText(row["tbl"]), key: asBytes(row["row_key"]), now };
}

function decodeMark(row: SqlRow): RowMark {
  return {
    table: asText(row["tbl"]),
    key: asBytes(row["row_key"]),
    dueAt: Number(row["due_at"]),
  };
}
