import { digest } from "../site.ts";
import { holdFast } from "./claim.ts";
import type { Adopted, Ledger, Retired } from "./ledger.ts";
import { setNotes } from "./notes.ts";
import { addRetired } from "./retired.ts";
import { asBytes, asText, objectAt, orUndefined } from "./rows.ts";
import { query, queryIn, replaceRows, type SqlRow, type Work } from "./sql.ts";

const ADOPTED = "object,hash,etag".split(",");

/** @see Ledger.beginAdoption */
export function* beginAdoption({
  items,
  notes,
}: Parameters<Ledger["beginAdoption"]>[0]): Work<void> {
  yield* disownAll();
  const rows = items.map((item) => [digest(item), item]);
  yield* replaceRows("nb_waiting", ["hash", "item"], rows);
  yield* setNotes(notes);
}

/** @see Ledger.adopt */
export function* adopt(objects: readonly Adopted[]): Work<void> {
  const rows = objects.map(({ object, hash = null, etag = null }) => [object, hash, etag]);
  yield* replaceRows("nb_adopted", ADOPTED, rows);
}

/** @see Ledger.adopted */
export function* adopted(after: string | undefined, limit: number): Work<readonly Adopted[]> {
  const rows = yield* query(
    `SELECT ${ADOPTED} FROM nb_adopted WHERE object > ? ORDER BY object LIMIT ?`,
    [after ?? "", limit],
  );
  return rows.map(decodeAdopted);
}

/** @see Ledger.adoptedAt */
export function* adoptedAt(objects: readonly string[]): Work<readonly Adopted[]> {
  const rows = yield* queryIn(`SELECT ${ADOPTED} FROM nb_adopted WHERE object IN (?)`, objects);
  return rows.map(decodeAdopted);
}

/** @see Ledger.disownAll */
export function* disownAll(): Work<void> {
  yield* query("DELETE FROM nb_adopted");
}

/** @see Ledger.retireAdopted */
export function* retireAdopted(run: string, objects: readonly Retired[]): Work<void> {
  yield* holdFast(run);
  yield* addRetired(objects, { before: [], livesOn: false });
  yield* disown(objects.map(({ object }) => object));
}

/** What is at these routes is a page's from now on, or is about to be something else. */
export function* disownAt(routes: readonly string[]): Work<void> {
  yield* disown(routes.map(objectAt));
}

function* disown(objects: readonly string[]): Work<void> {
  yield* queryIn("DELETE FROM nb_adopted WHERE object IN (?)", objects);
}

function decodeAdopted(row: SqlRow): Adopted {
  return {
    object: asText(row["object"]),
    hash: orUndefined(row["hash"], asBytes),
    etag: orUndefined(row["etag"], asText),
  };
}
