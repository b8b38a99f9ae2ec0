import { type PageId, pageName } from "../site.ts";
import { lastRelease } from "./claim.ts";
import type { Ledger, Past } from "./ledger.ts";
import { beyond, queryLive } from "./live.ts";
import { NUMBER, nameOf } from "./names.ts";
import { note, setNote } from "./notes.ts";
import { asBytes, asText, decodeId, decodeIntent, orUndefined, unpackPut } from "./rows.ts";
import {
  BY_INDEX,
  deleteRows,
  query,
  replaceRows,
  type SqlRow,
  type SqlValue,
  type Work,
} from "./sql.ts";

/** What a page was, without its trace: of no use once it is replaced. */
const WAS = "page_key,route,start,hash,etag,bytes,lastmod,release_id".split(",");
const PAST = ["until_id", "kind", ...WAS, "reason"];
const SELECT_PAST = `SELECT until_id, ${nameOf("kind")} AS kind, ${WAS}, reason FROM nb_past`;
/** The ledger's note of the first release whose pages can be told. */
const SINCE = "kept_since";
/** A page that is about to be replaced or deleted, and why. */
export type Doomed = PageId & { readonly reason?: string };

/** Said where a put was cut off, or the page gave its route to another. */
const UNFINISHED = "unfinished";

/**
 * Keeps what these pages are before the next release changes them; part of whatever does. Of each
 * page the first word on it stays: a run that was cut off and the next one make one release. What a
 * release has made itself was not there before it.
 */
export function* remember(pages: readonly Doomed[]): Work<void> {
  if (pages.length === 0) return;
  const until = (yield* lastRelease()) + 1;
  const live = `SELECT ${nameOf("kind")} AS kind, kind AS number, ${WAS} FROM nb_live WHERE release_id < ? AND`;
  const rows = yield* queryLive(live, pages, [until]);
  if (rows.length === 0) return;
  const text = `SELECT ${nameOf("kind")} AS kind, page_key FROM nb_past WHERE until_id = ? AND`;
  const known = new Set((yield* queryLive(text, pages, [until])).map(nameIn));
  const reasons = new Map(pages.map((page) => [pageName(page), page.reason]));
  const fresh = rows.filter((row) => !known.has(nameIn(row)));
  const values = fresh.map((row) => {
    const was = WAS.map((column) => row[column] ?? null);
    return [until, row["number"] ?? null, ...was, reasons.get(nameIn(row)) ?? UNFINISHED];
  });
  yield* replaceRows("nb_past", PAST, values);
}

function nameIn(row: SqlRow): string {
  return pageName(decodeId(row));
}

/** @see Ledger.changedKinds One seek for each name. */
export function* changedKinds(): Work<readonly string[]> {
  const has = (table: string) => `EXISTS (SELECT 1 FROM ${table} WHERE kind = nb_name.id)`;
  const rows = yield* query(
    `SELECT name FROM nb_name WHERE ${has("nb_live")} OR ${has(`nb_past ${BY_INDEX}`)} ORDER BY name`,
  );
  return rows.map(({ name }) => asText(name));
}

/** @see Ledger.changedSince Each side is limited by itself, so that neither is read to its end. */
export function* changedSince(
  release: number,
  { kind, after, limit }: Parameters<Ledger["changedSince"]>[1],
): Work<readonly PageId[]> {
  const [is, key] = beyond(after);
  const of = (columns: string, table: string, when: string) =>
    `SELECT * FROM (SELECT ${columns} FROM ${table}
      WHERE kind = ${NUMBER} AND page_key ${is} ? AND ${when} > ? ORDER BY page_key LIMIT ?) AS ${when}`;
  const past = of("DISTINCT page_key", `nb_past ${BY_INDEX}`, "until_id");
  const values = [kind, key, release, limit];
  const rows = yield* query(
    `${past} UNION ${of("page_key", "nb_live", "release_id")} ORDER BY page_key LIMIT ?`,
    [...values, ...values, limit],
  );
  return rows.map((row) => ({ kind, key: asBytes(row["page_key"]) }));
}

/** @see Ledger.pastsOf */
export function* pastsOf(ids: readonly PageId[], release: number): Work<readonly Past[]> {
  const rows = yield* queryLive(`${SELECT_PAST} ${BY_INDEX} WHERE until_id > ? AND`, ids, [
    release,
  ]);
  return rows.map(decodePast).sort((a, b) => a.until - b.until);
}

/** @see Ledger.lastBefore */
export function* lastBefore(moment: number, upTo: number): Work<number | undefined> {
  const text = "SELECT MAX(id) AS last FROM nb_release WHERE id <= ? AND started_at < ?";
  const [row] = yield* query(text, [upTo, moment]);
  return orUndefined(row?.["last"] ?? null, Number);
}

/** @see Ledger.sweepPast */
export function* sweepPast(release: number, limit: number): Work<readonly Past[]> {
  const since = Number((yield* note(SINCE)) ?? 1);
  if (since < release) yield* setNote(SINCE, String(release));
  const rows = yield* query(
    // By the kind's number, as it is kept: `kind` alone is its name here.
    `SELECT kind AS number, ${SELECT_PAST.slice("SELECT ".length)} WHERE until_id <= ?
      ORDER BY until_id, number, page_key LIMIT ?`,
    [release, limit],
  );
  const keys = rows.map((row) => [row["until_id"], row["number"], row["page_key"]] as SqlValue[]);
  yield* deleteRows("nb_past", ["until_id", "kind", "page_key"], keys);
  // The last one swept says when the pages of the first one kept were made.
  if (rows.length < limit) yield* query("DELETE FROM nb_release WHERE id < ?", [release]);
  return rows.map(decodePast);
}

function decodePast(row: SqlRow): Past {
  const { etag } = unpackPut(row["etag"]);
  return {
    ...decodeIntent(row),
    until: Number(row["until_id"]),
    release: Number(row["release_id"]),
    hash: orUndefined(row["hash"], asBytes),
    etag,
    bytes: Number(row["bytes"]),
    lastmod: orUndefined(row["lastmod"], Number),
    reason: asText(row["reason"]),
  };
}
