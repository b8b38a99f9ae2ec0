import { routeOfKey } from "../site.ts";
import { addChanges } from "./changes.ts";
import { holdFast } from "./claim.ts";
import type { Retired } from "./ledger.ts";
import { liveAt } from "./live.ts";
import { UNKNOWN } from "./packed-tags.ts";
import {
  asBytes,
  asText,
  decodeRetired,
  encodeRetired,
  objectAt,
  orUndefined,
  RETIRED,
} from "./rows.ts";
import { query, queryIn, replaceRows, type Work } from "./sql.ts";
import { copyOf, type Standing, standingAt } from "./standing.ts";

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
export function* dateRetired(run: string, completedAt: number, copiesUntil: number): Work<void> {
  yield* holdFast(run);
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

/** @see Ledger.retiredAmong */
export function* retiredAmong(objects: readonly string[]): Work<ReadonlyMap<string, Retired>> {
  const rows = yield* queryIn(`SELECT ${RETIRED} FROM nb_leaving WHERE object IN (?)`, objects);
  return new Map(rows.map(decodeRetired).map(named));
}

/**
 * @see Ledger.forget
 * @see Ledger.unretire
 */
export function* forget(run: string, objects: readonly string[]): Work<void> {
  yield* holdFast(run);
  yield* takeOff(objects);
}

/**
 * Takes objects off the list, because they are gone or a page has them again. The CDN is told in
 * both cases: it may still hold what the object was before.
 */
export function* takeOff(objects: readonly string[]): Work<void> {
  const text = "SELECT object, items, old FROM nb_leaving WHERE object IN (?)";
  const rows = yield* queryIn(text, objects);
  if (rows.length === 0) return;
  yield* queryIn("DELETE FROM nb_leaving WHERE object IN (?)", objects);
  const cached = rows.filter((row) => decodeRetired(row).isCached);
  const owners = yield* standingAt(cached.map((row) => routeOfKey(asText(row["object"]))));
  const changes = cached.map((row) => {
    const route = routeOfKey(asText(row["object"]));
    const now = owners.get(route);
    const old = orUndefined(row["old"], asBytes) ?? UNKNOWN;
    return { route, old, fresh: now === undefined ? null : copyOf(now) };
  });
  yield* addChanges(changes);
}

/**
 * Lets objects wait to be deleted. One that a live page has is left out, so that it is never deleted
 * under that page; one that waits already stays until both may go.
 */
export function* addRetired(
  added: readonly Retired[],
  { before, livesOn }: { readonly before: readonly Standing[]; readonly livesOn: boolean },
): Work<void> {
  const owners = yield* liveAt(added.map(({ object }) => routeOfKey(object)));
  const free = added.filter(({ object }) => !owners.has(routeOfKey(object)));
  const objects = free.map(({ object }) => object);
  const held = yield* retiredAmong(objects);
  const waiting = new Map(held);
  for (const each of free) waiting.set(each.object, later(waiting.get(each.object), each));
  const left = Map.groupBy(before, ({ route }) => objectAt(route));
  // Of one that waited already there are copies of both.
  for (const object of held.keys()) left.delete(object);
  const rows = [...waiting.values()].map((each) => {
    return [...encodeRetired(each), copyOf(left.get(each.object) ?? [], livesOn)];
  });
  yield* replaceRows("nb_leaving", [...RETIRED, "old"], rows);
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
