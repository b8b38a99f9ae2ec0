import { randomUUID } from "node:crypto";
import { type PageId, pageName } from "../site.ts";
import type { Quarantined } from "./ledger.ts";
import { queryIds } from "./live.ts";
import { asText, decodeFailed, decodeId, encodeFailed, FAILED, orUndefined } from "./rows.ts";
import { query, queryIn, replaceRows, type Work } from "./sql.ts";

/** @see Ledger.note */
export function* note(name: string): Work<string | undefined> {
  const [row] = yield* query("SELECT value FROM nb_note WHERE name = ?", [name]);
  return orUndefined(row?.["value"], asText);
}

/** @see Ledger.notes */
export function* notes(): Work<ReadonlyMap<string, string>> {
  const rows = yield* query("SELECT name, value FROM nb_note");
  return new Map(rows.map(({ name, value }) => [asText(name), asText(value)]));
}

/** @see Ledger.setNote */
export function* setNote(name: string, value: string): Work<void> {
  yield* setNotes({ [name]: value });
}

/** Others each time that the journal writes: what was planned at these may be wrong at the next. */
const WRITES = Array.from("0123456789abcdef", (digit) => `writes-${digit}`);

/**
 * The journal writes, unless it is about nothing. One of several notes says so, since those of a run who
 * write at the same time wait for each other at the same one.
 */
export function* noteWrite(about?: readonly unknown[]): Work<void> {
  if (about?.length === 0) return;
  const write = randomUUID();
  yield* replaceRows("nb_note", ["name", "value"], [[`writes-${write[0]}`, write]]);
}

/** True when the journal has written nothing since these notes were read. */
export function* isUnwritten(since: ReadonlyMap<string, string>): Work<boolean> {
  const text = "SELECT name, value FROM nb_note WHERE name IN (?)";
  const rows = yield* queryIn(text, WRITES);
  return rows.every(({ name, value }) => since.get(asText(name)) === asText(value));
}

/** @see Ledger.setNoteIfUnwritten */
export function* setNoteIfUnwritten(
  name: string,
  value: string,
  since: ReadonlyMap<string, string>,
): Work<void> {
  if (yield* isUnwritten(since)) yield* setNote(name, value);
}

/** Writes nothing where the value is the same. */
export function* setNotes(values: Readonly<Record<string, string>>): Work<void> {
  const names = Object.keys(values);
  const rows = yield* queryIn("SELECT name, value FROM nb_note WHERE name IN (?)", names);
  const known = new Map(rows.map(({ name, value }) => [asText(name), asText(value)]));
  const changed = Object.entries(values).filter(([name, value]) => known.get(name) !== value);
  yield* replaceRows("nb_note", ["name", "value"], changed);
}

/** @see Ledger.quarantine Writes only what differs. */
export function* quarantine(
  failed: readonly Quarantined[],
  healed: readonly PageId[],
  now?: number,
): Work<void> {
  yield* queryIds("DELETE FROM nb_failed WHERE", healed);
  yield* queryIds("DELETE FROM nb_since WHERE", healed);
  const rows = yield* queryIds(`SELECT ${FAILED} FROM nb_failed WHERE`, failed);
  const known = new Map(rows.map(decodeFailed).map((each) => [pageName(each), each]));
  const changed = failed.filter((each) => !isSame(each, known.get(pageName(each))));
  yield* replaceRows("nb_failed", FAILED, changed.map(encodeFailed));
  const fresh = failed.filter((each) => !known.has(pageName(each)));
  const marks = now === undefined ? [] : fresh.map(({ kind, key }) => [kind, key, now]);
  yield* replaceRows("nb_since", ["kind", "page_key", "since_at"], marks);
}

/** @see Ledger.quarantined */
export function* quarantined(
  limit: number = Number.MAX_SAFE_INTEGER,
): Work<readonly Quarantined[]> {
  const since = `(SELECT since_at FROM nb_since
    WHERE nb_since.kind = nb_failed.kind AND nb_since.page_key = nb_failed.page_key) AS since_at`;
  const text = `SELECT ${FAILED}, ${since} FROM nb_failed ORDER BY kind, page_key LIMIT ?`;
  const rows = yield* query(text, [limit]);
  return rows.map((row) => ({
    ...decodeFailed(row),
    since: orUndefined(row["since_at"], Number),
  }));
}

/** @see Ledger.areQuarantined */
export function* areQuarantined(ids: readonly PageId[]): Work<readonly boolean[]> {
  const rows = yield* queryIds("SELECT kind, page_key FROM nb_failed WHERE", ids);
  const names = new Set(rows.map(decodeId).map(pageName));
  return ids.map((id) => names.has(pageName(id)));
}

function isSame(a: Quarantined, b: Quarantined | undefined): boolean {
  return a.code === b?.code && a.message === b.message && a.at === b.at;
}
