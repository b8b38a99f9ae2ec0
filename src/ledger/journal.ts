import { pageName } from "../site.ts";
import { disownAt } from "./adopted.ts";
import { refuseBarred } from "./bars.ts";
import { addReplaced } from "./changes.ts";
import { holdFast } from "./claim.ts";
import { refuseOutdated } from "./codes.ts";
import { turnOver } from "./former.ts";
import { changeReaders } from "./known.ts";
import type { Beside, Doubted, Intent, Ledger, LivePage } from "./ledger.ts";
import { forgetLingering, linger, lingerLeaving } from "./lingering.ts";
import { liveAt, ownersOf, pages, queryIds, queryLive } from "./live.ts";
import { noteWrite } from "./notes.ts";
import { type Doomed, remember } from "./past.ts";
import { addRetired, takeOff } from "./retired.ts";
import { decodeIntent, encodeIntent, INTENT, objectAt } from "./rows.ts";
import { query, replaceRows, type Work } from "./sql.ts";
import { forgetHashes, putLive, recount, standing } from "./standing.ts";
import { unstage } from "./steps.ts";

/** @see Ledger.intend An earlier intent of the page for another route is not lost: its object is suspected. */
export function* intend(
  run: string,
  intents: readonly Intent[],
  cached: Parameters<Ledger["intend"]>[2],
): Work<void> {
  yield* holdFast(run);
  yield* refuseOutdated();
  yield* refuseBarred(intents);
  const known = yield* queryIds(`SELECT ${INTENT} FROM nb_intent WHERE`, intents);
  const routes = new Map(intents.map((intent) => [pageName(intent), intent.route]));
  const moved = known.map(decodeIntent).filter((each) => each.route !== routes.get(pageName(each)));
  yield* suspect(moved);
  yield* remember(intents);
  yield* replaceRows("nb_intent", INTENT, intents.map(encodeIntent));
  yield* addReplaced(cached);
  yield* disownAt(intents.map(({ route }) => route));
  yield* noteWrite(intents);
}

/** @see Ledger.confirm */
export function* confirm(
  run: string,
  confirmed: readonly LivePage[],
  { tagged = [], retired = [], added = [], dropped = [], turnover, lateUntil }: Beside = {},
): Work<void> {
  yield* holdFast(run);
  const { before, recount: count } = yield* putLive(confirmed, tagged);
  yield* queryIds("DELETE FROM nb_intent WHERE", confirmed);
  yield* unstage(run, confirmed);
  const routes = confirmed.map(({ route }) => route);
  yield* disownAt(routes);
  const objects = routes.map(objectAt);
  if (lateUntil !== undefined) yield* lingerLeaving(objects, lateUntil);
  yield* takeOff(objects);
  yield* addRetired(retired, { before, livesOn: true });
  yield* changeReaders(added, dropped);
  if (turnover !== undefined) yield* turnOver(turnover);
  yield* noteWrite([...confirmed, ...retired]);
  // Last: all pages of a folder are counted in one row, at which others wait until this is over.
  yield* count();
}

/** @see Ledger.intents */
export function* intents(): Work<readonly Intent[]> {
  const rows = yield* query(`SELECT ${INTENT} FROM nb_intent ORDER BY kind, page_key`);
  return rows.map(decodeIntent);
}

/**
 * @see Ledger.doubt
 * The object at an intent's route may or may not have been written. If a page is live there (this
 * one or another that it was about to replace), that page's hash becomes unknown. If none is, a
 * page that is not live yet becomes live there; of one that is live elsewhere, the object retires.
 */
export function* doubt(
  run: string,
  doubted: readonly Doubted[],
  release: number,
  lateUntil?: number,
): Work<void> {
  yield* holdFast(run);
  const known = yield* pages(doubted);
  const owners = yield* liveAt(doubted.map(({ route }) => route));
  const isNew = (each: Intent, at: number) => known[at] === undefined && !owners.has(each.route);
  const created = new Map(
    doubted
      .filter(isNew)
      .toReversed()
      .map((each) => [each.route, each]),
  );
  const unknown = { hash: undefined, etag: undefined, bytes: 0, lastmod: undefined, release };
  const suspects = [...created.values()].map(({ kind, key, route, start }) => ({
    ...{ kind, key, route, start },
    ...unknown,
    trace: new Uint8Array(0),
  }));
  yield* unsettle(doubted.filter((_, at) => known[at] !== undefined));
  const suspected = yield* putLive(suspects);
  yield* suspected.recount();
  yield* takeOff([...created.keys()].map(objectAt));
  yield* suspect(doubted);
  const objects = doubted.map(({ route }) => objectAt(route));
  if (lateUntil !== undefined) yield* linger(objects, lateUntil);
  yield* queryIds("DELETE FROM nb_intent WHERE", doubted);
  yield* noteWrite(doubted);
}

/** @see Ledger.cameLate */
export function* cameLate(
  run: string,
  { objects, altered, retired }: Parameters<Ledger["cameLate"]>[1],
): Work<void> {
  yield* holdFast(run);
  yield* unsettle(altered);
  yield* addRetired(retired, { before: [], livesOn: false });
  yield* forgetLingering(objects);
  yield* noteWrite([...objects, ...altered, ...retired]);
}

/** @see Ledger.doubtAll */
export function* doubtAll(run: string): Work<void> {
  yield* holdFast(run);
  yield* query(
    "UPDATE nb_live SET hash = NULL, etag = NULL, tags = NULL WHERE hash IS NOT NULL OR tags IS NOT NULL",
  );
  yield* query("UPDATE nb_tag SET live = 0");
  yield* noteWrite();
}

/** @see Ledger.retire */
export function* retire(
  run: string,
  ids: readonly Doomed[],
  { retired = [], added = [], dropped = [] }: Beside,
): Work<void> {
  yield* holdFast(run);
  yield* remember(ids);
  const before = yield* standing(ids);
  yield* queryLive("DELETE FROM nb_live WHERE", ids);
  yield* unstage(run, ids);
  yield* addRetired(retired, { before, livesOn: false });
  yield* changeReaders(added, dropped);
  yield* recount(before, []);
  yield* noteWrite([...ids, ...retired]);
}

/** Nobody knows what the objects at these routes are: their pages are made again, or they go. */
function* suspect(suspects: readonly Pick<Doubted, "route" | "isCached">[]): Work<void> {
  const owners = yield* ownersOf(suspects.map(({ route }) => route));
  yield* unsettle(owners.map(({ id }) => id));
  const retired = suspects.map(({ route, isCached = true }) => {
    return { object: objectAt(route), dueAt: 0, isCached };
  });
  yield* addRetired(retired, { before: [], livesOn: false });
}

/** Nobody knows what is stored of these pages; what they were is remembered. */
function* unsettle(ids: readonly Doomed[]): Work<void> {
  yield* remember(ids);
  yield* forgetHashes(ids);
}
