import { randomUUID } from "node:crypto";
import { digest } from "../site.ts";
import { takeTurns } from "./lease.ts";
import type { OutboxBatch } from "./ledger.ts";
import { asBytes, asText, decodeItems, orUndefined } from "./rows.ts";
import { query, queryIn, replaceRows, type Work } from "./sql.ts";

/** Puts items among those that wait for a batch; one that waits already is not put twice. */
export function* addItems(items: readonly string[]): Work<void> {
  const rows = [...new Set(items)].map((item) => [digest(item), item]);
  yield* replaceRows("nb_waiting", ["hash", "item"], rows);
}

/**
 * @see Ledger.freeze
 * Exactly the items read are taken off the waiting ones: more may come while this runs.
 */
export function* freeze(size: number): Work<readonly OutboxBatch[]> {
  yield* takeTurns();
  const rows = yield* query("SELECT hash, item FROM nb_waiting");
  if (rows.length === 0) return [];
  const items = rows.map(({ item }) => asText(item)).sort();
  const [last] = yield* query("SELECT MAX(seq) AS seq FROM nb_batch");
  let seq = Number(last?.["seq"] ?? 0);
  const batches: OutboxBatch[] = [];
  for (let start = 0; start < items.length; start += size) {
    const batch = items.slice(start, start + size);
    batches.push({ id: randomUUID(), items: batch, invalidation: undefined });
  }
  const batchRows = batches.map(({ id, items: held }) => {
    seq += 1;
    return [id, seq, JSON.stringify(held)];
  });
  yield* replaceRows("nb_batch", ["id", "seq", "items"], batchRows);
  const hashes = rows.map(({ hash }) => asBytes(hash));
  yield* queryIn("DELETE FROM nb_waiting WHERE hash IN (?)", hashes);
  return batches;
}

/** @see Ledger.hasOutbox */
export function* hasOutbox(): Work<boolean> {
  const waiting = yield* query("SELECT hash FROM nb_waiting LIMIT 1");
  if (waiting.length > 0) return true;
  return (yield* query("SELECT id FROM nb_batch LIMIT 1")).length > 0;
}

/** @see Ledger.outbox */
export function* outbox(): Work<readonly OutboxBatch[]> {
  const rows = yield* query("SELECT id, items, invalidation FROM nb_batch ORDER BY seq");
  return rows.map((row) => ({
    id: asText(row["id"]),
    items: decodeItems(row["items"]),
    invalidation: orUndefined(row["invalidation"], asText),
  }));
}

/** @see Ledger.sent */
export function* sent(batch: string, invalidation: string): Work<void> {
  yield* query("UPDATE nb_batch SET invalidation = ? WHERE id = ?", [invalidation, batch]);
}

/** @see Ledger.completed */
export function* completed(batch: string): Work<void> {
  yield* query("DELETE FROM nb_batch WHERE id = ?", [batch]);
}
