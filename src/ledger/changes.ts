import { pageName } from "../site.ts";
import { takeCountTurns } from "./lease.ts";
import type { Change, Ledger, Waiting } from "./ledger.ts";
import { numbersOf } from "./names.ts";
import { packCopy, tagsOf, UNKNOWN, unpackCopy, unpackNumbers } from "./packed-tags.ts";
import { asBytes, asText, objectAt, orUndefined } from "./rows.ts";
import { query, queryIn, replaceRows, type SqlRow, type Work } from "./sql.ts";
import { copyOf, packTagged, standingAt } from "./standing.ts";
import { tagNames } from "./tags.ts";

const CHANGE = "seq,route,old,fresh".split(",");

/** The last number of a change that was frozen: no cover ends before an earlier one. Covers of a month are kept, so it is sought. */
export const LAST_FROZEN = "SELECT until_seq FROM nb_cover ORDER BY id DESC LIMIT 1";

/** A change before it has its number; `old` and `fresh` are copies as `packCopy` gives them. */
export interface NewChange {
  readonly route: string;
  readonly old: Uint8Array;
  /** Null when what was there is gone. */
  readonly fresh: Uint8Array | null;
}

/** Lets changes wait to be covered, each with a number beyond all there ever were. */
export function* addChanges(changes: readonly NewChange[]): Work<void> {
  if (changes.length === 0) return;
  yield* takeCountTurns();
  const last = yield* lastChange();
  const rows = changes.map(({ route, old, fresh }, at) => [last + at + 1, route, old, fresh]);
  yield* replaceRows("nb_change", CHANGE, rows);
}

/** What is to be put replaces what is live there; part of `intend`. */
export function* addReplaced(cached: Parameters<Ledger["intend"]>[2]): Work<void> {
  const routes = cached.map(({ route }) => route);
  const owners = yield* standingAt(routes);
  const text = "SELECT object FROM nb_adopted WHERE object IN (?)";
  const rows = yield* queryIn(text, routes.map(objectAt));
  const adopted = new Set(rows.map(({ object }) => asText(object)));
  const isThere = (route: string) => owners.has(route) || adopted.has(objectAt(route));
  const replacing = cached.filter(({ route }) => isThere(route));
  if (replacing.length === 0) return;
  const numbers = yield* numbersOf(replacing.map(({ kind }) => kind));
  const packed = yield* packTagged(replacing);
  const changes = replacing.map((page) => {
    const [kind, tags] = [numbers.get(page.kind) ?? 0, packed.get(pageName(page)) ?? null];
    return {
      route: page.route,
      old: copyOf(owners.get(page.route) ?? []),
      fresh: packCopy(page, { kind, tags, livesOn: false }),
    };
  });
  yield* addChanges(changes);
}

/** @see Ledger.recall */
export function* recall(routes: readonly string[]): Work<void> {
  const owners = yield* standingAt(routes);
  yield* addChanges(
    routes.map((route) => ({
      route,
      old: UNKNOWN,
      fresh: owners.has(route) ? copyOf(owners.get(route) ?? []) : null,
    })),
  );
}

/** @see Ledger.waiting */
export function* waiting(): Work<Waiting> {
  const [row] = yield* query("SELECT COUNT(*) AS changes, MAX(seq) AS last FROM nb_change");
  const items = (yield* query("SELECT item FROM nb_waiting")).map(({ item }) => asText(item));
  return {
    changes: Number(row?.["changes"]),
    last: Number(row?.["last"] ?? 0),
    items: items.sort(),
  };
}

/** @see Ledger.changes */
export function* changes(after: number, limit: number): Work<readonly Change[]> {
  const rows = yield* query(`SELECT ${CHANGE} FROM nb_change WHERE seq > ? ORDER BY seq LIMIT ?`, [
    after,
    limit,
  ]);
  const names = yield* namesIn(rows.flatMap(({ old, fresh }) => [old, fresh]));
  const tags = (value: SqlRow[string] | undefined) => {
    const copy = unpackCopy(asBytes(value));
    return copy === undefined ? [] : tagsOf(copy, names);
  };
  return rows.map((row) => ({
    seq: Number(row["seq"]),
    route: asText(row["route"]),
    before: tags(row["old"]),
    after: orUndefined(row["fresh"], tags),
    livesOn: unpackCopy(asBytes(row["old"]))?.livesOn ?? false,
  }));
}

/** @see Ledger.changedAt */
export function* changedAt(routes: readonly string[]): Work<ReadonlySet<string>> {
  const rows = yield* queryIn("SELECT DISTINCT route FROM nb_change WHERE route IN (?)", routes);
  return new Set(rows.map(({ route }) => asText(route)));
}

/** @see Ledger.tagsAt */
export function* tagsAt(routes: readonly string[]): Work<ReadonlyMap<string, readonly string[]>> {
  const owners = yield* standingAt(routes);
  const copies = [...owners].map(([route, each]) => [route, copyOf(each)] as const);
  const names = yield* namesIn(copies.map(([, copy]) => copy));
  return new Map(
    copies.map(([route, packed]) => {
      const copy = unpackCopy(packed);
      return [route, copy === undefined ? [] : tagsOf(copy, names)];
    }),
  );
}

/** Names of the kinds and tags in these copies. */
function* namesIn(copies: readonly (SqlRow[string] | undefined)[]) {
  const numbers = new Set<number>();
  for (const each of copies) {
    const copy = each === null ? undefined : unpackCopy(asBytes(each));
    for (const number of copy === undefined ? [] : unpackNumbers(copy.tags)) numbers.add(number);
  }
  const tags = yield* tagNames(numbers);
  const kinds = new Map(
    (yield* query("SELECT id, name FROM nb_name")).map(({ id, name }) => [
      Number(id),
      asText(name),
    ]),
  );
  return {
    kind: (number: number) => kinds.get(number) ?? "",
    tag: (number: number) => tags.get(number),
  };
}

/** @see Ledger.lastChange */
export function* lastChange(): Work<number> {
  const [row] = yield* query(
    `SELECT (SELECT MAX(seq) FROM nb_change) AS waiting, (${LAST_FROZEN}) AS frozen`,
  );
  return Math.max(Number(row?.["waiting"] ?? 0), Number(row?.["frozen"] ?? 0));
}
