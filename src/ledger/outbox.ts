import { randomUUID } from "node:crypto";
import { LAST_FROZEN } from "./changes.ts";
import { holdFast } from "./claim.ts";
import { takeCountTurns, takeTurns } from "./lease.ts";
import type { Frozen, FrozenCover, OutboxBatch } from "./ledger.ts";
import { setNote } from "./notes.ts";
import { asText, decodeItems, orUndefined } from "./rows.ts";
import { query, queryIn, replaceRows, type SqlRow, type Work } from "./sql.ts";

const BATCH = "id,seq,items,cover".split(",");
/** An id may have something before it, which says what the batch is. */
const UUID_CHARS = 36;
/** The note of the CDN that the tags are known for. */
const CDN = "cdn";

/** @see Ledger.serveBy */
export function* serveBy(cdn: string): Work<void> {
  const [row] = yield* query("SELECT value FROM nb_note WHERE name = ?", [CDN]);
  if ((orUndefined(row?.["value"], asText) ?? "") === cdn) return;
  yield* query("UPDATE nb_live SET tags = NULL WHERE tags IS NOT NULL");
  yield* query(`UPDATE nb_change SET old = X'', fresh = ${KNOWN}`);
  yield* query("UPDATE nb_leaving SET old = NULL");
  yield* query("DELETE FROM nb_tag");
  yield* setNote(CDN, cdn);
}

const KNOWN = "CASE WHEN fresh IS NULL THEN NULL ELSE X'' END";

/**
 * @see Ledger.freeze
 * Changes only leave by this, and new ones have higher numbers: as many as before are the same ones.
 */
export function* freeze({
  run,
  after = 0,
  last,
  changes,
  items: waited,
  madeAt,
  batches,
  report,
}: Frozen): Work<boolean> {
  yield* takeTurns();
  yield* takeCountTurns();
  yield* holdFast(run);
  const range = "seq > ? AND seq <= ?";
  const [row] = yield* query(`SELECT COUNT(*) AS changes FROM nb_change WHERE ${range}`, [
    after,
    last,
  ]);
  if (Number(row?.["changes"]) !== changes) return false;
  yield* query(`DELETE FROM nb_change WHERE ${range}`, [after, last]);
  yield* queryIn("DELETE FROM nb_waiting WHERE item IN (?)", waited);
  const [ids] = yield* query(
    `SELECT (SELECT MAX(id) FROM nb_cover) AS cover, (${LAST_FROZEN}) AS frozen,
      (SELECT MAX(seq) FROM nb_batch) AS batch`,
  );
  const cover = Number(ids?.["cover"] ?? 0) + 1;
  const until = Math.max(last, Number(ids?.["frozen"] ?? 0));
  const items = batches.reduce((sum, each) => sum + each.length, 0);
  yield* replaceRows(
    "nb_cover",
    ["id", "made_at", "until_seq", "items", "report"],
    [[cover, madeAt, until, items, report]],
  );
  const seq = Number(ids?.["batch"] ?? 0);
  const rows = batches.map((each, at) => {
    return [randomUUID(), seq + at + 1, JSON.stringify(each), cover];
  });
  yield* replaceRows("nb_batch", BATCH, rows);
  return true;
}

/** @see Ledger.hasOutbox */
export function* hasOutbox(): Work<boolean> {
  const [row] =
    yield* query(`SELECT EXISTS (SELECT 1 FROM nb_change) OR EXISTS (SELECT 1 FROM nb_waiting)
    OR EXISTS (SELECT 1 FROM nb_batch) OR EXISTS (SELECT 1 FROM nb_cover WHERE done_at IS NULL) AS held`);
  return Number(row?.["held"]) === 1;
}

/** @see Ledger.outbox */
export function* outbox(): Work<readonly OutboxBatch[]> {
  const rows = yield* query(
    "SELECT id, items, invalidation, cover, sent_at, refusal FROM nb_batch ORDER BY seq",
  );
  return rows.map((row) => ({
    id: asText(row["id"]),
    items: decodeItems(row["items"]),
    invalidation: orUndefined(row["invalidation"], asText),
    cover: orUndefined(row["cover"], Number),
    sentAt: orUndefined(row["sent_at"], Number),
    refusal: orUndefined(row["refusal"], asText),
  }));
}

/** @see Ledger.covers */
export function* covers(which: "open" | "all"): Work<readonly FrozenCover[]> {
  const where = which === "open" ? "WHERE done_at IS NULL" : "";
  const rows = yield* query(
    `SELECT id, made_at, items, report, done_at FROM nb_cover ${where} ORDER BY id DESC`,
  );
  return rows.map(decodeCover);
}

/** @see Ledger.sent */
export function* sent(batch: string, invalidation: string, at: number): Work<void> {
  const [row] = yield* query("SELECT items, sent_at FROM nb_batch WHERE id = ?", [batch]);
  if (row === undefined) return;
  const sentAt = orUndefined(row["sent_at"], Number);
  if (sentAt === undefined) yield* spend(decodeItems(row["items"]).length, at);
  yield* query("UPDATE nb_batch SET invalidation = ?, sent_at = ?, refusal = NULL WHERE id = ?", [
    invalidation,
    sentAt ?? at,
    batch,
  ]);
}

/** @see Ledger.refused */
export function* refused(batch: string, refusal: string): Work<void> {
  yield* query("UPDATE nb_batch SET refusal = ? WHERE id = ?", [refusal, batch]);
}

/** @see Ledger.renew */
export function* renew(batches: readonly string[]): Work<void> {
  for (const id of batches) {
    yield* query(
      "UPDATE nb_batch SET id = ?, refusal = NULL WHERE id = ? AND refusal IS NOT NULL",
      [id.slice(0, -UUID_CHARS) + randomUUID(), id],
    );
  }
}

/** @see Ledger.completed */
export function* completed(batch: string): Work<void> {
  yield* query("DELETE FROM nb_batch WHERE id = ?", [batch]);
}

/** @see Ledger.closed The newest stays: it knows the last number of a change. */
export function* closed(cover: number, at: number, keepFrom: number): Work<void> {
  yield* query("UPDATE nb_cover SET done_at = ? WHERE id = ?", [at, cover]);
  const [row] = yield* query("SELECT MAX(id) AS newest FROM nb_cover");
  yield* query("DELETE FROM nb_cover WHERE done_at < ? AND id < ?", [
    keepFrom,
    Number(row?.["newest"] ?? 0),
  ]);
}

/** @see Ledger.spentItems */
export function* spentItems(at: number): Work<number> {
  const rows = yield* queryIn("SELECT items FROM nb_spent WHERE month IN (?)", [monthOf(at)]);
  return Number(rows[0]?.["items"] ?? 0);
}

function* spend(items: number, at: number): Work<void> {
  yield* takeTurns();
  const before = yield* spentItems(at);
  yield* replaceRows("nb_spent", ["month", "items"], [[monthOf(at), before + items]]);
}

/** `2026-11`, in UTC. */
function monthOf(at: number): string {
  return new Date(at / 1000).toISOString().slice(0, 7);
}

function decodeCover(row: SqlRow): FrozenCover {
  return {
    id: Number(row["id"]),
    madeAt: Number(row["made_at"]),
    items: Number(row["items"]),
    report: asText(row["report"]),
    doneAt: orUndefined(row["done_at"], Number),
  };
}
