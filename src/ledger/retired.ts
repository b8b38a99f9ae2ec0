import { routeOfKey } from "../site.ts";
import type { Retired } from "./ledger.ts";
import { liveAt } from "./live.ts";
import { addItems } from "./outbox.ts";
import { decodeItems, decodeRetired, encodeRetired, RETIRED } from "./rows.ts";
import { query, queryIn, replaceRows, type Work } from "./sql.ts";

/** @see Ledger.due */
export function* due(
  now: number,
  after: string | undefined,
  limit: number,
): Work<readonly Retired[]> {
  const rows = yield* query(
    `SELECT ${RETIRED} FROM nb_leaving WHERE object > ? AND due_at <= ? ORDER BY object LIMIT ?`,
    [after ?? "", now, limit],
  );
  return rows.map(decodeRetired);
}

/** @see Ledger.dateRetired */
export function* dateRetired(completedAt: number, copiesUntil: number): Work<void> {
  // What stays for no time goes whatever the clock says, which may have been set back.
  yield* query(
    `UPDATE nb_leaving SET due_at = CASE WHEN stays > 0 AND stays + ? > ? THEN stays + ? ELSE ? END
      WHERE due_at IS NULL`,
    [completedAt, copiesUntil, completedAt, copiesUntil],
  );
}

/** @see Ledger.retired */
export function* retired(limit: number): Work<readonly Retired[]> {
  const rows = yield* query(
    `SELECT ${RETIRED} FROM nb_leaving ORDER BY COALESCE(due_at, 0), object LIMIT ?`,
    [limit],
  );
  return rows.map(decodeRetired);
}

/** @see Ledger.countRetired */
export function* countRetired(): Work<number> {
  const [row] = yield* query("SELECT COUNT(*) AS objects FROM nb_leaving");
  return Number(row?.["objects"]);
}

/** @see Ledger.isLeaving */
export function* isLeaving(now: number): Work<boolean> {
  const text = "SELECT object FROM nb_leaving WHERE due_at IS NULL OR due_at <= ? LIMIT 1";
  return (yield* query(text, [now])).length > 0;
}

/** @see Ledger.isRetired */
export function* isRetired(object: string): Work<boolean> {
  return (yield* query("SELECT object FROM nb_leaving WHERE object = ?", [object])).length > 0;
}

/** @see Ledger.retiredAmong */
export function* retiredAmong(objects: readonly string[]): Work<ReadonlyMap<string, Retired>> {
  const rows = yield* queryIn(`SELECT ${RETIRED} FROM nb_leaving WHERE object IN (?)`, objects);
  return new Map(rows.map(decodeRetired).map(named));
}

/** @see Ledger.forget */
export function* forget(objects: readonly string[], items: readonly string[]): Work<void> {
  yield* queryIn("DELETE FROM nb_leaving WHERE object IN (?)", objects);
  yield* addItems(items);
}

/**
 * @see Ledger.unretire
 * Their items go to the outbox after all: a cache may still hold what the object was before.
 */
export function* unretire(objects: readonly string[]): Work<void> {
  const rows = yield* queryIn("SELECT items FROM nb_leaving WHERE object IN (?)", objects);
  if (rows.length === 0) return;
  yield* forget(
    objects,
    rows.flatMap(({ items }) => decodeItems(items)),
  );
}

/**
 * Lets objects wait to be deleted. One that a live page has is left out, so that it is never deleted
 * under that page; one that waits already stays until both may go.
 */
export function* addRetired(added: readonly Retired[]): Work<void> {
  const owners = yield* liveAt(added.map(({ object }) => routeOfKey(object)));
  const free = added.filter(({ object }) => !owners.has(routeOfKey(object)));
  const objects = free.map(({ object }) => object);
  const waiting = new Map(yield* retiredAmong(objects));
  for (const each of free) waiting.set(each.object, later(waiting.get(each.object), each));
  const rows = [...waiting.values()].map(encodeRetired);
  yield* replaceRows("nb_leaving", RETIRED, rows);
}

function named(each: Retired): readonly [string, Retired] {
  return [each.object, each];
}

/** What the object is, is the last word; when it goes, the later moment. */
function later(before: Retired | undefined, now: Retired): Retired {
  if (before === undefined) return now;
  if (before.dueAt !== undefined && now.dueAt !== undefined) {
    return { ...now, dueAt: Math.max(before.dueAt, now.dueAt) };
  }
  return { ...now, dueAt: undefined, stays: Math.max(staysUndated(before), staysUndated(now)) };
}

function staysUndated({ dueAt, stays = 0 }: Retired): number {
  return dueAt === undefined ? stays : 0;
}
