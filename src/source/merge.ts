import { type AnyTable, canonicalJson, type Key, type KeyPart, type Row } from "../site.ts";
import type { Changes, LoadTransaction } from "./load-target.ts";
import type { Decoded, Rows } from "./source.ts";

/** Rows read and written at once, from each side. */
const BATCH = 500;

/** What a load did to one table. */
export interface LoadCounts {
  readonly table: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
}

/**
 * Makes a table of the target equal to the staged one: walks both in key order and writes what
 * differs. `onRows` hears after each batch how many staged rows are done.
 */
export async function mergeTable(
  table: AnyTable,
  staged: Rows,
  target: LoadTransaction,
  onRows: (rows: number) => void,
): Promise<LoadCounts> {
  const counts = { table: table.name, inserted: 0, updated: 0, deleted: 0, unchanged: 0 };
  const changes = { inserts: [] as Row[], updates: [] as Row[], deletes: [] as Key[] };
  const flush = async () => {
    const batch: Changes = { ...changes };
    Object.assign(changes, { inserts: [], updates: [], deletes: [] });
    counts.inserted += batch.inserts.length;
    counts.updated += batch.updates.length;
    counts.deleted += batch.deletes.length;
    await target.write(table, batch);
  };
  let seen = 0;
  for await (const { want, have } of pairs(scanAll(table, staged), scanAll(table, target.rows))) {
    if (want === undefined) changes.deletes.push(keyOf(have));
    else if (have === undefined) changes.inserts.push(rowOf(want));
    else if (isEqual(table, want, have)) counts.unchanged += 1;
    else changes.updates.push(rowOf(want));
    seen += want === undefined ? 0 : 1;
    if (sizeOf(changes) < BATCH && seen % BATCH !== 0) continue;
    await flush();
    onRows(seen);
  }
  await flush();
  onRows(seen);
  return counts;
}

interface Pair {
  readonly want?: Decoded;
  readonly have?: Decoded;
}

/** Joins two streams in key order. */
async function* pairs(
  wants: AsyncGenerator<Decoded>,
  haves: AsyncGenerator<Decoded>,
): AsyncGenerator<Pair> {
  let [want, have] = [await nextOf(wants), await nextOf(haves)];
  while (want !== undefined || have !== undefined) {
    const order = compare(want, have);
    yield { ...(want && order <= 0 && { want }), ...(have && order >= 0 && { have }) };
    if (order <= 0) want = await nextOf(wants);
    if (order >= 0) have = await nextOf(haves);
  }
}

/** Every row of a table in key order, whatever readers may see. */
export async function* scanAll(table: AnyTable, rows: Rows): AsyncGenerator<Decoded> {
  const see = Object.keys(table.columns);
  let after: Key | undefined;
  for (;;) {
    const batch = await rows.scan(table, { see, after, limit: BATCH });
    yield* batch;
    if (batch.length < BATCH) return;
    after = keyOf(batch.at(-1));
  }
}

async function nextOf(stream: AsyncGenerator<Decoded>): Promise<Decoded | undefined> {
  const { value, done } = await stream.next();
  return done === true ? undefined : value;
}

/** The end of a stream comes after every key. */
function compare(a: Decoded | undefined, b: Decoded | undefined): number {
  if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
  const [left, right] = [keyOf(a), keyOf(b)];
  for (const [at, part] of left.entries()) {
    const other = right[at] as KeyPart;
    if (part === other) continue;
    if (typeof part === "string") {
      return Buffer.compare(Buffer.from(part), Buffer.from(String(other)));
    }
    return part < BigInt(other) ? -1 : 1;
  }
  return 0;
}

/** @throws PipelineError `row_invalid`, the row's own, when a row cannot even be named */
function keyOf(decoded: Decoded | undefined): Key {
  if (decoded?.key !== undefined) return decoded.key;
  throw decoded?.error ?? new Error("A row without a key has an error.");
}

function rowOf({ row, error }: Decoded): Row {
  if (row !== undefined) return row;
  throw error;
}

function isEqual(table: AnyTable, want: Decoded, have: Decoded): boolean {
  if (want.row === undefined || have.row === undefined) return false;
  for (const [name, { type }] of Object.entries(table.columns)) {
    const [a, b] = [want.row[name], have.row[name]];
    if (a !== b && (type !== "json" || canonicalJson(a) !== canonicalJson(b))) return false;
  }
  return true;
}

function sizeOf({ inserts, updates, deletes }: Changes): number {
  return inserts.length + updates.length + deletes.length;
}
