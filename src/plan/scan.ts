import type { SeenRow } from "../ledger/ledger.ts";
import { decodeKey, encodeKey, type Key, keyName } from "../site.ts";
import { compareRows, goneRow, isSame } from "./compare.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { type ScanOptions, scanRanges } from "./ranges.ts";
import { knownRow, rowState, type TableUse } from "./row-state.ts";

/**
 * Compares every row of a table with what the ledger knows of it and keeps the differences with
 * the run. Gives how many differ.
 */
export async function scanTable(
  use: TableUse,
  context: PlanContext,
  options: ScanOptions,
): Promise<number> {
  const { ranges } = context.rows;
  if (ranges !== undefined) return await scanRanges(use, { ...context, ranges }, options);
  const { ledger, run } = context;
  let changed = 0;
  const all = { range: { after: undefined }, limit: BATCH };
  for await (const { rows, seen, isTail } of compareRows(use, context, all)) {
    if (seen.length > 0) await ledger.see(run, seen);
    changed += seen.length;
    if (!isTail) await options.onRows(rows);
  }
  return changed;
}

/** Looks these rows up and keeps those that differ from what the ledger knows, as a scan would. */
export async function lookUp(
  use: TableUse,
  keys: readonly Key[],
  context: PlanContext,
): Promise<number> {
  const { ledger, run, now, rows } = context;
  const distinct = [...new Map(keys.map((key) => [keyName(key), key])).values()];
  const bytes = distinct.map(encodeKey);
  const [decoded, known, beside = []] = await Promise.all([
    rows.rows(use.table, { see: use.see, keys: distinct }),
    ledger.knownOf(use.table.name, bytes),
    context.foundBeside?.(use.table.name, bytes),
  ]);
  const seen = bytes.flatMap((key, at): SeenRow[] => {
    const row = decoded[at];
    const state = row === undefined ? undefined : rowState(use, row, now);
    const olds = [known[at], ...(beside[at] ?? []).map((other) => other.now)];
    if (state === undefined)
      return olds.every((old) => old === undefined) ? [] : [goneRow(use, { key })];
    if (olds.every((old) => old !== undefined && isSame(old, state))) return [];
    return [{ table: use.table.name, key, now: row && knownRow(use, row, state) }];
  });
  if (seen.length > 0) await ledger.see(run, seen);
  return seen.length;
}

/** Keeps the rows that the clock has changed since the last release; gives how many. */
export async function seeDue(uses: readonly TableUse[], context: PlanContext): Promise<number> {
  const { ledger, now } = context;
  const byName = new Map(uses.map((use) => [use.table.name, use]));
  let after: Parameters<typeof ledger.dueRows>[1];
  let count = 0;
  for (;;) {
    const due = await ledger.dueRows(now, after, BATCH);
    for (const [table, marks] of Map.groupBy(due, (mark) => mark.table)) {
      const use = byName.get(table);
      if (use === undefined) continue;
      // They may have changed, too: what the clock did to them would be lost behind that.
      const keys = marks.map(({ key }) => decodeKey(key));
      count += await lookUp(use, keys, context);
    }
    if (due.length < BATCH) return count;
    after = due.at(-1);
  }
}
