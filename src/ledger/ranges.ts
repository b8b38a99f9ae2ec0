import { isLast } from "./lease.ts";
import { beyond } from "./live.ts";
import { NUMBER, numbersOf } from "./names.ts";
import type { KnownRange, SeenRanges } from "./range-port.ts";
import { asBytes, asText, runOf } from "./rows.ts";
import { query, queryIn, replaceRows, type Work } from "./sql.ts";

const CUT = "run,tbl,row_key,checksum".split(",");
/** Of a range of which nobody knows it. */
const UNKNOWN = new Uint8Array(0);

/** @see Ledger.ranges */
export function* ranges(
  table: string,
  after: Uint8Array | undefined,
  limit: number,
): Work<readonly KnownRange[]> {
  const [is, key] = beyond(after);
  const rows = yield* query(
    `SELECT row_key, checksum FROM nb_range WHERE tbl = ${NUMBER} AND row_key ${is} ? ORDER BY row_key LIMIT ?`,
    [table, key, limit],
  );
  return rows.map((row) => {
    const checksum = asBytes(row["checksum"]);
    const start = asBytes(row["row_key"]);
    return { start, checksum: checksum.length === 0 ? undefined : checksum };
  });
}

/** @see Ledger.seeRanges */
export function* seeRanges(run: string, { table, ranges, gone }: SeenRanges): Work<void> {
  const id = runOf(run);
  // `keepRanges` needs it.
  yield* numbersOf([table]);
  yield* replaceRows("nb_cut", CUT, [
    ...gone.map((start) => [id, table, start, null]),
    ...ranges.map(({ start, checksum = UNKNOWN }) => [id, table, start, checksum]),
  ]);
}

/** @see Ledger.settleRanges */
export function* settleRanges(run: string, release: number): Work<void> {
  if (yield* isLast(release)) yield* keepRanges(run);
}

/** Makes the ranges that a run found those that are known; part of `finish`. */
export function* keepRanges(run: string): Work<void> {
  const id = runOf(run);
  const gone = yield* query(
    "SELECT tbl, row_key FROM nb_cut WHERE run = ? AND checksum IS NULL ORDER BY tbl, row_key",
    [id],
  );
  for (const [table, own] of Map.groupBy(gone, ({ tbl }) => asText(tbl))) {
    const starts = own.map((row) => asBytes(row["row_key"]));
    yield* queryIn(`DELETE FROM nb_range WHERE tbl = ${NUMBER} AND row_key IN (?)`, starts, [
      table,
    ]);
  }
  yield* query(
    `REPLACE INTO nb_range (tbl,row_key,checksum)
      SELECT (SELECT id FROM nb_name WHERE name = tbl),row_key,checksum FROM nb_cut
      WHERE run = ? AND checksum IS NOT NULL`,
    [id],
  );
}

/**
 * Rows with these keys (in their order) become known otherwise, so nothing is known any more of the
 * ranges that they are in; part of `finish`, before `keepRanges`. One seek for each of those.
 */
export function* unsettleRanges(table: string, keys: readonly Uint8Array[]): Work<void> {
  const starts: Uint8Array[] = [];
  let end: Uint8Array | undefined;
  for (const key of keys) {
    if (end !== undefined && Buffer.compare(key, end) <= 0) continue;
    const [range] = yield* query(
      `SELECT row_key FROM nb_range WHERE tbl = ${NUMBER} AND row_key < ? ORDER BY row_key DESC LIMIT 1`,
      [table, key],
    );
    if (range === undefined) break;
    starts.push(asBytes(range["row_key"]));
    const [next] = yield* query(
      `SELECT row_key FROM nb_range WHERE tbl = ${NUMBER} AND row_key >= ? ORDER BY row_key LIMIT 1`,
      [table, key],
    );
    if (next === undefined) break;
    end = asBytes(next["row_key"]);
  }
  yield* queryIn(
    `UPDATE nb_range SET checksum = X'' WHERE tbl = ${NUMBER} AND row_key IN (?)`,
    starts,
    [table],
  );
}
