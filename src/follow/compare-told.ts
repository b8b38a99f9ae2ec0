import type { Told, ToldRow } from "../ledger/ledger.ts";
import type { Wired } from "../pipeline.ts";
import { lookThrough } from "../plan/look-through.ts";
import { type TableUse, tableUses } from "../plan/row-state.ts";
import { tablesOf } from "../site.ts";

/** Rows that are kept at a time, and how long one turn lasts: an editor's change may have come. */
const [MAX_ROWS, TURN_MS] = [2_000, 200];

export interface CompareOptions {
  /** Rows that are told at once, about. */
  readonly maxRows?: number;
  /**
   * Looks at pages that rebuilds have looked at, before keys are done with: one of those may have been made of a row
   * that was another for a moment, and is again as the ledger knows it.
   */
  readonly lookAgain?: () => Promise<void>;
}

/**
 * Looks through some of the keys that were told to be compared. The rows that differ from what the
 * ledger knows are told as a mass update, and what is left of the keys as keys to compare: at each
 * moment the ledger has one of them.
 * @throws PipelineError as reads of the source and the ledger do
 */
export async function compareTold(
  wired: Wired,
  span: ToldRow,
  { maxRows = MAX_ROWS, lookAgain }: CompareOptions = {},
): Promise<void> {
  const { ledger, site } = wired;
  const table = tablesOf(site.kinds).find(({ name }) => name === span.table);
  const [use] = table === undefined ? [] : tableUses(site, [table]);
  if (use === undefined) return await ledger.heed([span]);
  const told = await differing(wired, { use, span, maxRows });
  // Not while the rows are held: who wants to change the table waits for that, and the look for him.
  if (told.every(({ lane }) => lane !== "compare")) await lookAgain?.();
  await ledger.heed([span], told);
}

/** The rows of some of the keys that differ, and what is left of the keys. */
async function differing(
  wired: Wired,
  {
    use,
    span,
    maxRows,
  }: { readonly use: TableUse; readonly span: ToldRow; readonly maxRows: number },
): Promise<readonly Told[]> {
  const { ledger, source } = wired;
  const { table, key: after, upTo, committedAt } = span;
  // Read after the span: what told of it is at or before it.
  const at = await ledger.toldUpTo();
  const now = Date.now() * 1000;
  await using rows = await source.read(now, { at: at === undefined ? [] : [at] });
  // Who reads them for a page tells what is wrong with them.
  const context = { ...wired, now, rows, onFailure: () => {} };
  const found: Told[] = [];
  const ends = performance.now() + TURN_MS;
  for await (const { keys, rest } of lookThrough(use, context, { after, upTo })) {
    for (const key of keys) found.push({ table, lane: "bulk", key, committedAt });
    if (rest === undefined) break;
    const isOver = found.length >= maxRows || performance.now() > ends;
    if (rest.after === after || !isOver) continue;
    return [...found, { table, lane: "compare", key: rest.after, upTo, committedAt }];
  }
  return found;
}
