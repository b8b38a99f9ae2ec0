import type { PageId } from "../site.ts";
import type { Former, Ledger, Turnover } from "./ledger.ts";
import { type Owner, ownersOf, queryIds } from "./live.ts";
import { setNote } from "./notes.ts";
import { asText, decodeId } from "./rows.ts";
import { BY_INDEX, query, queryIn, replaceRows, type SqlRow, type Work } from "./sql.ts";

const FORMER = "route,kind,page_key".split(",");

/** @see Ledger.former */
export function* former(after: string | undefined, limit: number): Work<readonly Former[]> {
  const rows = yield* query(
    `SELECT ${FORMER} FROM nb_route WHERE route > ? ORDER BY route LIMIT ?`,
    [after ?? "", limit],
  );
  return rows.map(decodeFormer);
}

/** @see Ledger.formerAt */
export function* formerAt(routes: readonly string[]): Work<readonly Former[]> {
  const rows = yield* queryIn(`SELECT ${FORMER} FROM nb_route WHERE route IN (?)`, routes);
  return rows.map(decodeFormer);
}

/** @see Ledger.formerOf */
export function* formerOf(ids: readonly PageId[]): Work<readonly Former[]> {
  const rows = yield* queryIds(`SELECT ${FORMER} FROM nb_route ${BY_INDEX} WHERE`, ids);
  return rows.map(decodeFormer);
}

/** @see Ledger.importFormer */
export function* importFormer(
  imported: readonly Former[],
  { redirects, notes }: Parameters<Ledger["importFormer"]>[1],
): Work<void> {
  yield* remember(imported, yield* pagesAt(imported, redirects));
  for (const [name, value] of Object.entries(notes)) yield* setNote(name, value);
}

/**
 * Pages left some routes and took others; part of `confirm`, after they are live. A page that one of
 * them replaced before a run was cut off may still stand at a route that was left, and is not there.
 */
export function* turnOver({ left, taken, redirects }: Turnover): Work<void> {
  yield* remember(
    left,
    (yield* pagesAt(left, redirects)).filter(({ isKnown }) => isKnown),
  );
  yield* queryIn("DELETE FROM nb_route WHERE route IN (?)", taken);
}

/** The pages at these routes that are no redirects. */
function* pagesAt(former: readonly Former[], redirects: string): Work<readonly Owner[]> {
  const owners = yield* ownersOf(former.map(({ route }) => route));
  return owners.filter(({ id }) => id.kind !== redirects);
}

/** A route that another page has by now is not remembered: it leads to that one. */
function* remember(left: readonly Former[], owners: readonly Owner[]): Work<void> {
  const taken = new Set(owners.map(({ route }) => route));
  const free = left.filter(({ route }) => !taken.has(route));
  yield* replaceRows(
    "nb_route",
    FORMER,
    free.map(({ route, kind, key }) => [route, kind, key]),
  );
}

function decodeFormer(row: SqlRow): Former {
  return { ...decodeId(row), route: asText(row["route"]) };
}
