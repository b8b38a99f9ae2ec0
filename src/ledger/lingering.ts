import type { Lingering } from "./ledger.ts";
import { asText } from "./rows.ts";
import { query, queryIn, replaceRows, type Work } from "./sql.ts";

/** Objects at which what a process asked for may take place until `until` (µs), however late. */
export function* linger(objects: readonly string[], until: number): Work<void> {
  const rows = objects.map((object) => [object, until]);
  yield* replaceRows("nb_lingering", ["object", "until_at"], rows);
}

/** The same of those among these objects that may be under deletion: they have their date. */
export function* lingerLeaving(objects: readonly string[], until: number): Work<void> {
  const text = "SELECT object FROM nb_leaving WHERE due_at IS NOT NULL AND object IN (?)";
  const rows = yield* queryIn(text, objects);
  const leaving = rows.map(({ object }) => asText(object));
  yield* linger(leaving, until);
}

/** @see Ledger.lingering */
export function* lingering(
  now: number,
  after: string | undefined,
  limit: number,
): Work<readonly Lingering[]> {
  const rows = yield* query(
    "SELECT object, until_at FROM nb_lingering WHERE object > ? AND until_at <= ? ORDER BY object LIMIT ?",
    [after ?? "", now, limit],
  );
  return rows.map((row) => ({
    object: asText(row["object"]),
    until: Number(row["until_at"]),
  }));
}

/** @see Ledger.lingeringAmong */
export function* lingeringAmong(objects: readonly string[]): Work<ReadonlySet<string>> {
  const rows = yield* queryIn("SELECT object FROM nb_lingering WHERE object IN (?)", objects);
  return new Set(rows.map(({ object }) => asText(object)));
}

/** @see Ledger.forgetLingering */
export function* forgetLingering(
  objects: readonly string[],
  now: number = Number.MAX_SAFE_INTEGER,
): Work<void> {
  yield* queryIn("DELETE FROM nb_lingering WHERE until_at <= ? AND object IN (?)", objects, [now]);
}
