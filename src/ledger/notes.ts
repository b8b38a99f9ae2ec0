import { type PageId, pageName } from "../site.ts";
import type { Quarantined } from "./ledger.ts";
import { queryIds } from "./live.ts";
import { asText, decodeFailed, encodeFailed, FAILED, orUndefined } from "./rows.ts";
import { query, replaceRows, type Work } from "./sql.ts";

/** @see Ledger.note */
export function* note(name: string): Work<string | undefined> {
  const [row] = yield* query("SELECT value FROM nb_note WHERE name = ?", [name]);
  return orUndefined(row?.["value"], asText);
}

/** @see Ledger.setNote Writes nothing when the value is the same. */
export function* setNote(name: string, value: string): Work<void> {
  if ((yield* note(name)) === value) return;
  yield* replaceRows("nb_note", ["name", "value"], [[name, value]]);
}

/** @see Ledger.quarantine Writes only what differs. */
export function* quarantine(failed: readonly Quarantined[], healed: readonly PageId[]): Work<void> {
  yield* queryIds("DELETE FROM nb_failed WHERE", healed);
  const rows = yield* queryIds(`SELECT ${FAILED} FROM nb_failed WHERE`, failed);
  const known = new Map(rows.map(decodeFailed).map((each) => [pageName(each), each]));
  const changed = failed.filter((each) => !isSame(each, known.get(pageName(each))));
  yield* replaceRows("nb_failed", FAILED, changed.map(encodeFailed));
}

/** @see Ledger.quarantined In page order. */
export function* quarantined(): Work<readonly Quarantined[]> {
  const rows = yield* query(`SELECT ${FAILED} FROM nb_failed ORDER BY kind, page_key`);
  return rows.map(decodeFailed);
}

function isSame(a: Quarantined, b: Quarantined | undefined): boolean {
  return a.code === b?.code && a.message === b.message && a.at === b.at;
}
