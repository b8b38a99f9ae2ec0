import type { Told, ToldRow } from "../ledger/ledger.ts";
import type { Wired } from "../pipeline.ts";
import { lookThrough } from "../plan/look-through.ts";
import { tableUses } from "../plan/row-state.ts";
import { tablesOf } from "../site.ts";

/** Rows that are kept at a time, and how long one turn lasts: an editor's change may have come. */
const [MAX_ROWS, TURN_MS] = [2_000, 200];

/**
 * Looks through some of the keys that were told to be compared. The rows that differ from what the
 * ledger knows are told as a mass update, and what is left of the keys as keys to compare: at each
 * moment the ledger has one of them.
 * @throws PipelineError as reads of the source and the ledger do
 */
export async function compareTold(wired: Wired, span: ToldRow, maxRows = MAX_ROWS): Promise<void> {
  const { ledger, site, source } = wired;
  const { table, key: after, upTo, committedAt } = span;
  const [use] = tableUses(
    site,
    tablesOf(site.kinds).filter(({ name }) => name === table),
  );
  if (use === undefined) return await ledger.heed([span]);
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
    const isBefore = rest !== undefined && rest.after === after;
    const isOver = found.length >= maxRows || performance.now() > ends;
    if (isBefore || (rest !== undefined && !isOver)) continue;
    const left = rest && { table, lane: "compare" as const, key: rest.after, upTo, committedAt };
    return await ledger.heed([span], left === undefined ? found : [...found, left]);
  }
}
