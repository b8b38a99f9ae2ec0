import { randomInt } from "node:crypto";
import { note, setNote } from "./notes.ts";
import { asBytes, asText } from "./rows.ts";
import {
  BY_INDEX,
  deleteRows,
  query,
  queryIn,
  replaceRows,
  type SqlRow,
  type Work,
} from "./sql.ts";
import type { Lane, Told, ToldRow } from "./told-port.ts";

const KEY = "lane,tbl,row_key".split(",");
const TOLD = [...KEY, "until_key", "committed_at", "generation"];
/** In the order in which they stand in the ledger. */
const LANES: readonly Lane[] = ["urgent", "bulk", "compare"];
/** The ledger's note of how far the feed has told. */
const POSITION = "told_up_to";
/** Stands for no key: none is empty. */
const NONE = new Uint8Array(0);
/** Generations are drawn: two processes need no common counter. */
const GENERATIONS = 2 ** 48 - 1;

/** @see ToldLedger.tell */
export function* tell(told: readonly Told[], position: string): Work<void> {
  yield* keep(told);
  yield* setNote(POSITION, position);
}

/** @see ToldLedger.toldUpTo */
export function* toldUpTo(): Work<string | undefined> {
  return yield* note(POSITION);
}

/** @see ToldLedger.told */
export function* told(limit: number, lane?: Lane): Work<readonly ToldRow[]> {
  const lanes = lane === undefined ? LANES : [lane];
  const found: ToldRow[] = [];
  for (const each of lanes) {
    const text = `SELECT ${TOLD} FROM nb_heard ${BY_INDEX} WHERE lane = ?
      ORDER BY committed_at, tbl, row_key LIMIT ?`;
    const rows = yield* query(text, [LANES.indexOf(each), limit - found.length]);
    found.push(...rows.map(decodeTold));
    if (found.length === limit) break;
  }
  return found;
}

/** @see ToldLedger.areTold */
export function* areTold(table: string, keys: readonly Uint8Array[]): Work<readonly boolean[]> {
  const spans = yield* query(`SELECT ${TOLD} FROM nb_heard WHERE lane = ? AND tbl = ?`, [
    LANES.indexOf("compare"),
    table,
  ]);
  const named = new Set<string>();
  for (const lane of ["urgent", "bulk"] as const) {
    const text = "SELECT row_key FROM nb_heard WHERE lane = ? AND tbl = ? AND row_key IN (?)";
    const rows = yield* queryIn(text, keys, [LANES.indexOf(lane), table]);
    for (const row of rows) named.add(hex(asBytes(row["row_key"])));
  }
  const compared = spans.map(decodeTold);
  return keys.map((key) => named.has(hex(key)) || compared.some((span) => holds(span, key)));
}

/** @see ToldLedger.heed */
export function* heed(rows: readonly ToldRow[], instead: readonly Told[] = []): Work<void> {
  const values = rows.map(({ table, lane, key = NONE, generation }) => {
    return [LANES.indexOf(lane), table, key, generation];
  });
  yield* deleteRows("nb_heard", [...KEY, "generation"], values);
  yield* keep(instead);
}

/** @see ToldLedger.forgetTold */
export function* forgetTold(): Work<void> {
  yield* query("DELETE FROM nb_note WHERE name = ?", [POSITION]);
}

function* keep(told: readonly Told[]): Work<void> {
  const generation = randomInt(GENERATIONS);
  const values: (string | number | Uint8Array)[][] = [];
  for (const each of told) {
    const { table, lane, key = NONE, committedAt } = each;
    const upTo = lane === "compare" ? yield* farthest(each) : undefined;
    values.push([LANES.indexOf(lane), table, key, upTo ?? NONE, committedAt, generation]);
  }
  yield* replaceRows("nb_heard", TOLD, values);
}

/** Keys to compare that begin where others do: the end of both. */
function* farthest({ table, key = NONE, upTo }: Told): Work<Uint8Array | undefined> {
  const text = `SELECT ${TOLD} FROM nb_heard WHERE lane = ? AND tbl = ? AND row_key = ?`;
  const rows = yield* query(text, [LANES.indexOf("compare"), table, key], "update");
  const ends = [upTo, ...rows.map(decodeTold).map((span) => span.upTo)];
  if (ends.includes(undefined)) return undefined;
  return ends.reduce((a, b) => (Buffer.compare(a ?? NONE, b ?? NONE) < 0 ? b : a));
}

function holds({ key: after, upTo }: Told, key: Uint8Array): boolean {
  const isAfter = after === undefined || Buffer.compare(key, after) > 0;
  return isAfter && (upTo === undefined || Buffer.compare(key, upTo) <= 0);
}

function decodeTold(row: SqlRow): ToldRow {
  return {
    table: asText(row["tbl"]),
    lane: LANES[Number(row["lane"])] ?? "urgent",
    key: orNone(asBytes(row["row_key"])),
    upTo: orNone(asBytes(row["until_key"])),
    committedAt: Number(row["committed_at"]),
    generation: Number(row["generation"]),
  };
}

function orNone(key: Uint8Array): Uint8Array | undefined {
  return key.length === 0 ? undefined : key;
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}
