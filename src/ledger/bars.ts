import { PipelineError } from "../error.ts";
import { decodeKey, encodeKey, hexOf, isUnder, keyName, type PageId, pageName } from "../site.ts";
import { adoptedAt } from "./adopted.ts";
import type { Bar, BarState, KnownBar, Removed } from "./bar-port.ts";
import { formerOf } from "./former.ts";
import { lease, takeTurns } from "./lease.ts";
import type { Intent, Ledger } from "./ledger.ts";
import { ownersOf, pages, queryIds, queryLive } from "./live.ts";
import { NUMBER, nameOf } from "./names.ts";
import { asText, decodeId, decodeIntent, decodeItems, INTENT, objectAt } from "./rows.ts";
import {
  BY_INDEX,
  query,
  queryIn,
  replaceRows,
  type SqlRow,
  type SqlValue,
  type Work,
} from "./sql.ts";
import { forgetHashes } from "./standing.ts";
import { freezeUrgent } from "./urgent.ts";

const BAR = "kind,page_key,below,route,since_at,reason,state,erased,routes".split(",");
const STATES: readonly BarState[] = ["pending", "awaited", "removed", "lifted"];
const [PENDING, AWAITED, REMOVED, LIFTED] = [0, 1, 2, 3] as const;
/** Whether old versions go, too: no, not yet, they are gone. */
const [KEPT, ERASING, ERASED] = [0, 1, 2];
/** No key has this byte where another part may begin. */
const LAST = Buffer.of(0xff);

/** @see BarLedger.bar */
export function* bar(
  bars: readonly Bar[],
  { isAgain = false }: { readonly isAgain?: boolean } = {},
): Work<void> {
  yield* takeTurns();
  for (const each of bars) yield* barOne(each, isAgain);
}

/** @see BarLedger.bars */
export function* bars(): Work<readonly KnownBar[]> {
  return (yield* query(`SELECT ${BAR} FROM nb_bar ORDER BY kind, page_key`)).map(decodeBar);
}

/** @see BarLedger.barred */
export function* barred(ids: readonly PageId[]): Work<readonly (Bar | undefined)[]> {
  const all = yield* barsOver(ids);
  return ids.map((id) => all.find((each) => isUnder(id, each)));
}

/** @see BarLedger.removed */
export function* removed(
  { settled, unsettled }: Parameters<Ledger["removed"]>[0],
  size: number,
): Work<void> {
  yield* takeTurns();
  const news = [
    ...(yield* inStates(settled, ["pending", "awaited"])),
    ...(yield* inStates(unsettled, ["pending"])),
  ];
  // A confirm that came between has told their hashes again.
  for (const own of yield* knownBars([...settled, ...unsettled])) {
    yield* forgetObjects(own);
  }
  yield* setState(settled, REMOVED);
  yield* setState(unsettled, AWAITED);
  yield* freezeUrgent(
    news.flatMap(({ items }) => items),
    size,
  );
}

/** @see BarLedger.goneFrom */
export function* goneFrom(routes: readonly string[]): Work<readonly Placed[]> {
  const text = `SELECT ${nameOf("kind")} AS kind, page_key, route FROM nb_past
    WHERE route IN (?) ORDER BY until_id`;
  const rows = yield* queryIn(text, routes);
  const last = new Map(rows.map((row) => [asText(row["route"]), decodeId(row)]));
  return [...last].map(([route, id]) => ({ ...id, route }));
}

/** @see BarLedger.erased */
export function* erased(ids: readonly PageId[]): Work<void> {
  yield* queryIds("UPDATE nb_bar SET erased = ? WHERE erased = ? AND", ids, [ERASED, ERASING]);
}

/** @see BarLedger.lift */
export function* lift(ids: readonly PageId[]): Work<void> {
  yield* takeTurns();
  yield* queryIds("UPDATE nb_bar SET state = ? WHERE", ids, [LIFTED]);
}

/** @see BarLedger.dropLifted */
export function* dropLifted(ids: readonly PageId[]): Work<void> {
  yield* queryIds("DELETE FROM nb_bar WHERE state = ? AND", ids, [LIFTED]);
}

/** @see BarLedger.isClaimed */
export function* isClaimed(nowMs: number): Work<boolean> {
  const { holder, expiresMs } = yield* lease();
  return holder !== undefined && expiresMs > nowMs;
}

/**
 * Refuses puts of pages that are taken down, and puts where an object is still to be removed: it
 * would be removed instead. Part of `intend`, which holds the lease's row by then, so that a bar comes
 * wholly before or after it.
 */
export function* refuseBarred(intents: readonly Intent[]): Work<void> {
  const over = yield* barsOver(intents);
  const page = intents.find((each) => over.some((own) => isUnder(each, own)));
  if (page !== undefined) throw refused(page, "It is taken down.");
  const rows = yield* query(`SELECT ${BAR} FROM nb_bar WHERE state = ?`, [PENDING]);
  const routes = new Set(rows.map(decodeBar).flatMap((each) => each.routes));
  const late = routes.size === 0 ? undefined : intents.find(({ route }) => routes.has(route));
  if (late !== undefined) throw refused(late, "A page that was there is being taken down.");
}

function* barOne(own: Bar, isAgain: boolean): Work<void> {
  const [known] = yield* knownBars([own]);
  const old = known?.state === "lifted" ? undefined : known;
  const live = yield* liveUnder(own);
  const intents = yield* intentsUnder(own);
  const isErased = own.isErased || old?.isErased === true;
  const former = yield* formerRoutes([own, ...live]);
  const places = [own, ...live, ...intents, ...(isErased ? former : yield* leaving(former))];
  const adopted = yield* adoptedAt([objectAt(own.route)]);
  const state = stateOf(old, live.length + intents.length + adopted.length > 0, isAgain);
  // Of an imported bar, whose page is not there, nothing has to be erased.
  const isNews = old !== undefined && isErased && !old.isErased;
  const isErasing = isErased && (state === "pending" || isNews || old?.isErasing === true);
  yield* forgetObjects({ ...own, isErased });
  yield* forgetFailing([own, ...live]);
  yield* replaceRows("nb_bar", BAR, [
    encodeBar({
      ...own,
      route: live[0]?.route ?? own.route,
      since: old?.since ?? own.since,
      reason: own.reason === "" ? (old?.reason ?? "") : own.reason,
      isErased,
      state,
      routes: [...new Set([...(old?.routes ?? []), ...places.map(({ route }) => route)])],
      isErasing,
    }),
  ]);
}

function stateOf(old: KnownBar | undefined, isThere: boolean, isAgain: boolean): BarState {
  if (isAgain || old?.state === "pending") return "pending";
  return old?.state ?? (isThere ? "pending" : "removed");
}

function* forgetFailing(pages: readonly PageId[]): Work<void> {
  yield* queryIds("DELETE FROM nb_failed WHERE", pages);
  yield* queryIds("DELETE FROM nb_since WHERE", pages);
}

function* knownBars(ids: readonly PageId[]): Work<readonly KnownBar[]> {
  return (yield* queryIds(`SELECT ${BAR} FROM nb_bar WHERE`, ids)).map(decodeBar);
}

/** Those of these whose bars are in one of these states. */
function* inStates(
  pages: readonly Removed[],
  states: readonly BarState[],
): Work<readonly Removed[]> {
  const bars = (yield* knownBars(pages)).filter(({ state }) => states.includes(state));
  const names = new Set(bars.map(pageName));
  return pages.filter((page) => names.has(pageName(page)));
}

/** The bars, not lifted, that any of these pages may be under. */
function* barsOver(ids: readonly PageId[]): Work<readonly KnownBar[]> {
  if (ids.length === 0) return [];
  const below = yield* query(`SELECT ${BAR} FROM nb_bar WHERE below = 1 AND state <> ?`, [LIFTED]);
  const own = yield* queryIds(`SELECT ${BAR} FROM nb_bar WHERE state <> ? AND`, ids, [LIFTED]);
  return [...below, ...own].map(decodeBar);
}

/** A place of a page, live or to be. */
type Placed = PageId & { readonly route: string };

/** The head comes before its archive. */
function* liveUnder(own: Bar): Work<readonly Placed[]> {
  const text = `SELECT page_key, route FROM nb_live WHERE kind = ${NUMBER}`;
  const rows = yield* query(`${text} ${rangeOf(own)} ORDER BY page_key`, [
    own.kind,
    ...endsOf(own),
  ]);
  return rows.map((row) => ({
    ...decodeId(row),
    kind: own.kind,
    route: asText(row["route"]),
  }));
}

function* intentsUnder(own: Bar): Work<readonly Placed[]> {
  const text = `SELECT ${INTENT} FROM nb_intent WHERE kind = ? ${rangeOf(own)}`;
  return (yield* query(text, [own.kind, ...endsOf(own)])).map(decodeIntent);
}

function rangeOf({ isBelow }: Pick<Bar, "isBelow">): string {
  return isBelow ? "AND page_key >= ? AND page_key < ?" : "AND page_key = ?";
}

function endsOf({ isBelow, key }: Pick<Bar, "isBelow" | "key">): readonly SqlValue[] {
  return isBelow ? [key, Buffer.concat([key, LAST])] : [key];
}

/** Where pages were before, as far as the route history and kept releases tell. */
function* formerRoutes(pages: readonly PageId[]): Work<readonly Pick<Placed, "route">[]> {
  const distinct = [...new Map(pages.map((page) => [pageName(page), page])).values()];
  const former = yield* formerOf(distinct);
  const past = yield* queryLive(`SELECT route FROM nb_past ${BY_INDEX} WHERE`, distinct);
  return [...former, ...past.map(({ route }) => ({ route: asText(route) }))];
}

/** Those of these routes whose objects wait to be deleted. */
function* leaving(
  places: readonly Pick<Placed, "route">[],
): Work<readonly Pick<Placed, "route">[]> {
  const objects = places.map(({ route }) => objectAt(route));
  const rows = yield* queryIn("SELECT object FROM nb_leaving WHERE object IN (?)", objects);
  const found = new Set(rows.map(({ object }) => asText(object)));
  return places.filter(({ route }) => found.has(objectAt(route)));
}

/** The objects of pages, and of the redirects from where erased ones were, are not what they were. */
function* forgetObjects(own: Bar): Work<void> {
  const live = yield* liveUnder(own);
  const former = own.isErased ? yield* formerOf([own, ...live]) : [];
  const owners = yield* pages(
    (yield* ownersOf(former.map(({ route }) => route))).map(({ id }) => id),
  );
  const targets = new Set([own, ...live].map(({ route }) => hexOf(encodeKey([route]))));
  const redirects = owners
    .filter((page) => page !== undefined)
    .filter(({ start }) => start !== undefined && targets.has(hexOf(start)));
  yield* forgetHashes([...live, ...redirects]);
}

/** A bar that was lifted meanwhile stays so. */
function* setState(ids: readonly PageId[], state: SqlValue): Work<void> {
  yield* queryIds("UPDATE nb_bar SET state = ? WHERE state < ? AND", ids, [state, REMOVED]);
}

function encodeBar(own: KnownBar): readonly SqlValue[] {
  const erased = !own.isErased ? KEPT : own.isErasing ? ERASING : ERASED;
  return [
    own.kind,
    own.key,
    Number(own.isBelow),
    own.route,
    own.since,
    own.reason,
    STATES.indexOf(own.state),
    erased,
    JSON.stringify(own.routes),
  ];
}

function decodeBar(row: SqlRow): KnownBar {
  const is = Number(row["erased"]);
  return {
    ...decodeId(row),
    isBelow: Number(row["below"]) === 1,
    route: asText(row["route"]),
    since: Number(row["since_at"]),
    reason: asText(row["reason"]),
    isErased: is !== KEPT,
    state: STATES[Number(row["state"])] ?? "pending",
    routes: decodeItems(row["routes"]),
    isErasing: is === ERASING,
  };
}

function refused({ kind, key, route }: Intent, message: string): PipelineError {
  const at = { kind, key: keyName(decodeKey(key)), route };
  return new PipelineError("page_barred", `${route} cannot be put. ${message}`, {
    hint: "`nightbake takedown list` shows what is taken down; `nightbake takedown lift` ends it.",
    at,
  });
}
