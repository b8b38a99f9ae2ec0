import { comparePages, foldRoute, type PageId, pageName } from "../site.ts";
import type { LivePage } from "./ledger.ts";
import { NUMBER, nameOf } from "./names.ts";
import { asText, decodeId, decodePage, foldOf, PAGE_READ } from "./rows.ts";
import { BY_INDEX, query, queryIn, type SqlRow, type SqlValue, type Work } from "./sql.ts";

/** What {@link decodePage} reads; of a table of live pages, whose kinds are numbers. */
const SELECT_PAGE = `${nameOf("kind")} AS kind, ${PAGE_READ}`;

/** @see Ledger.live */
export function* live(
  kind: string,
  after: Uint8Array | undefined,
  limit: number,
): Work<readonly LivePage[]> {
  const [is, key] = beyond(after);
  const rows = yield* query(
    `SELECT ${SELECT_PAGE} FROM nb_live WHERE kind = ${NUMBER} AND page_key ${is} ? ORDER BY page_key LIMIT ?`,
    [kind, key, limit],
  );
  return rows.map(decodePage);
}

/** @see Ledger.liveKinds One seek for each name: DISTINCT would visit every page. */
export function* liveKinds(): Work<readonly string[]> {
  const rows = yield* query(
    "SELECT name FROM nb_name WHERE EXISTS (SELECT 1 FROM nb_live WHERE kind = nb_name.id) ORDER BY name",
  );
  return rows.map(({ name }) => asText(name));
}

/** @see Ledger.countLive */
export function* countLive(): Work<number> {
  const [row] = yield* query("SELECT COUNT(*) AS pages FROM nb_live");
  return Number(row?.["pages"]);
}

/** @see Ledger.countLiveByKind */
export function* countLiveByKind(): Work<ReadonlyMap<string, number>> {
  const rows = yield* query(
    `SELECT ${nameOf("kind")} AS name, COUNT(*) AS pages FROM nb_live GROUP BY kind ORDER BY name`,
  );
  return new Map(rows.map(({ name, pages }) => [asText(name), Number(pages)]));
}

/** @see Ledger.pages */
export function* pages(ids: readonly PageId[]): Work<readonly (LivePage | undefined)[]> {
  const rows = yield* queryLive(`SELECT ${SELECT_PAGE} FROM nb_live WHERE`, ids);
  const found = new Map(rows.map(decodePage).map((page) => [pageName(page), page]));
  return ids.map((id) => found.get(pageName(id)));
}

/** @see Ledger.liveAt */
export function* liveAt(routes: readonly string[]): Work<ReadonlyMap<string, PageId>> {
  const owners = yield* ownersOf(routes);
  return new Map(owners.toReversed().map(({ route, id }) => [route, id]));
}

/** A live page, and where. */
export interface Owner {
  readonly route: string;
  readonly id: PageId;
  /** False when nobody knows what is at its route: perhaps another page's object. */
  readonly isKnown: boolean;
}

/**
 * All live pages at these routes, in page order. While pages exchange their routes, two may be at
 * one for a moment.
 */
export function* ownersOf(routes: readonly string[]): Work<readonly Owner[]> {
  const rows = yield* atFolds(
    `SELECT ${nameOf("kind")} AS kind, page_key, route, hash IS NOT NULL AS is_known FROM nb_live ${BY_INDEX} WHERE`,
    routes,
  );
  const wanted = new Set(routes);
  return rows
    .map((row) => ({
      route: asText(row["route"]),
      id: decodeId(row),
      isKnown: Number(row["is_known"]) === 1,
    }))
    .filter(({ route }) => wanted.has(route))
    .sort((a, b) => comparePages(a.id, b.id));
}

/** @see Ledger.liveFolded */
export function* liveFolded(routes: readonly string[]): Work<readonly LivePage[]> {
  const rows = yield* atFolds(`SELECT ${SELECT_PAGE} FROM nb_live ${BY_INDEX} WHERE`, routes);
  const folds = new Set(routes.map(foldRoute));
  const found = rows.map(decodePage).filter(({ route }) => folds.has(foldRoute(route)));
  return found.sort(comparePages);
}

/** The comparison for keys after this one, or for all keys: the key of a lone page is empty. */
export function beyond(after: Uint8Array | undefined): readonly [is: string, key: Uint8Array] {
  return after === undefined ? [">=", new Uint8Array(0)] : [">", after];
}

/** Completes a statement with the condition that a row is of one of these pages. */
export function* queryIds(
  text: string,
  ids: readonly PageId[],
  before: readonly SqlValue[] = [],
): Work<readonly SqlRow[]> {
  return yield* byKind(`${text} kind = ? AND`, ids, before);
}

/** The same for live pages, whose kinds are numbers. */
export function* queryLive(
  text: string,
  ids: readonly PageId[],
  before: readonly SqlValue[] = [],
): Work<readonly SqlRow[]> {
  return yield* byKind(`${text} kind = ${NUMBER} AND`, ids, before);
}

function* byKind(
  text: string,
  ids: readonly PageId[],
  before: readonly SqlValue[],
): Work<readonly SqlRow[]> {
  const rows: SqlRow[] = [];
  for (const [kind, group] of Map.groupBy(ids, (id) => id.kind)) {
    const keys = group.map(({ key }) => key);
    rows.push(...(yield* queryIn(`${text} page_key IN (?)`, keys, [...before, kind])));
  }
  return rows;
}

/** Completes a statement with the condition that a row's fold is of one of these routes. */
export function* atFolds(
  text: string,
  routes: readonly string[],
  before: readonly SqlValue[] = [],
): Work<readonly SqlRow[]> {
  const folds = new Map(routes.map((route) => [foldRoute(route), foldOf(route)]));
  return yield* queryIn(`${text} fold IN (?)`, [...folds.values()], before);
}
