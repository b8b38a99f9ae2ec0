import { randomInt } from "node:crypto";
import { note, setNote } from "./notes.ts";
import { asBytes, asText } from "./rows.ts";
import { deleteRows, query, replaceRows, type SqlRow, type Work } from "./sql.ts";
import type { ToldLedger, ToldRow } from "./told-port.ts";

const KEY = "tbl,row_key".split(",");
const TOLD = [...KEY, "generation"];
/** The ledger's note of how far the feed has told. */
const POSITION = "told_up_to";
/** Stands for every row of a table: no row's key is empty. */
const WHOLE = new Uint8Array(0);
/** Generations are drawn: two processes need no common counter. */
const GENERATIONS = 2 ** 48 - 1;

/** @see ToldLedger.tell */
export function* tell(rows: Parameters<ToldLedger["tell"]>[0], position: string): Work<void> {
  const generation = randomInt(GENERATIONS);
  const values = rows.map(({ table, key = WHOLE }) => [table, key, generation]);
  yield* replaceRows("nb_told", TOLD, values);
  yield* setNote(POSITION, position);
}

/** @see ToldLedger.toldUpTo */
export function* toldUpTo(): Work<string | undefined> {
  return yield* note(POSITION);
}

/** @see ToldLedger.told */
export function* told(limit: number): Work<readonly ToldRow[]> {
  const text = `SELECT ${TOLD} FROM nb_told ORDER BY ${KEY} LIMIT ?`;
  return (yield* query(text, [limit])).map(decodeTold);
}

/** @see ToldLedger.heed */
export function* heed(rows: readonly ToldRow[]): Work<void> {
  const values = rows.map(({ table, key = WHOLE, generation }) => [table, key, generation]);
  yield* deleteRows("nb_told", TOLD, values);
}

/** @see ToldLedger.forgetTold */
export function* forgetTold(): Work<void> {
  yield* query("DELETE FROM nb_note WHERE name = ?", [POSITION]);
}

function decodeTold(row: SqlRow): ToldRow {
  const key = asBytes(row["row_key"]);
  return {
    table: asText(row["tbl"]),
    key: key.length === 0 ? undefined : key,
    generation: Number(row["generation"]),
  };
}
