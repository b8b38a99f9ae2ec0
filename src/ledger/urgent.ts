import { randomUUID } from "node:crypto";
import type { OutboxBatch } from "./ledger.ts";
import { outbox } from "./outbox.ts";
import { query, replaceRows, type Work } from "./sql.ts";

/** Begins the ids of batches that wait for nothing else in the outbox. */
const URGENT = "urgent-";

/** @see BarLedger.urgent */
export function* urgent(): Work<readonly OutboxBatch[]> {
  return (yield* outbox()).filter(({ id }) => id.startsWith(URGENT));
}

/** Puts items into the outbox as batches of their own. */
export function* freezeUrgent(items: readonly string[], size: number): Work<void> {
  const [last] = yield* query("SELECT MAX(seq) AS seq FROM nb_batch");
  const sorted = [...new Set(items)].sort();
  const rows: [string, number, string][] = [];
  for (let at = 0; at < sorted.length; at += size) {
    const held = JSON.stringify(sorted.slice(at, at + size));
    rows.push([`${URGENT}${randomUUID()}`, Number(last?.["seq"] ?? 0) + rows.length + 1, held]);
  }
  yield* replaceRows("nb_batch", ["id", "seq", "items"], rows);
}
