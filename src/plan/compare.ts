import type { KnownRow, SeenRow } from "../ledger/ledger.ts";
import { encodeKey, type Key } from "../site.ts";
import type { Decoded, KeyRange } from "../source/source.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { knownRow, type RowState, rowState, type TableUse } from "./row-state.ts";

/** Rows that were compared at a time. */
export interface Compared {
  readonly rows: number;
  /** Those that differ from what is known, up to `last`; also rows that are gone. */
  readonly seen: readonly SeenRow[];
  /** Key of the last one; undefined when no row comes after it. */
  readonly last: Key | undefined;
  /** A row among them that is no page is not as declared, and was told. */
  readonly hasFailed: boolean;
  /** There are no more rows; these are gone. */
  readonly isTail: boolean;
}

/** What comparing takes: nothing is written. */
export type CompareContext = Pick<PlanContext, "ledger" | "now" | "rows" | "onFailure">;

/**
 * Compares the rows of a range with what the ledger knows of them. Both sides are walked in key order,
 * at most `limit` at a time; whoever stops after a batch has seen all up to its last row.
 */
export async function* compareRows(
  use: TableUse,
  context: CompareContext,
  { range, limit }: { readonly range: KeyRange; readonly limit: number },
): AsyncGenerator<Compared> {
  const known = new Cursor(context, use.table.name, range);
  let { after } = range;
  for (;;) {
    const batch = await context.rows.scan(use.table, { ...range, see: use.see, after, limit });
    const compared = await compareBatch(use, context, batch, known);
    after = batch.length < limit ? undefined : batch.at(-1)?.key;
    yield { ...compared, rows: batch.length, last: after, isTail: false };
    if (after === undefined) break;
  }
  for (;;) {
    await known.fill();
    const gone = known.rest();
    if (gone.length === 0) return;
    const seen = gone.map((row) => goneRow(use, row));
    yield { rows: 0, seen, last: undefined, hasFailed: false, isTail: true };
  }
}

async function compareBatch(
  use: TableUse,
  { now, onFailure }: CompareContext,
  batch: readonly Decoded[],
  known: Cursor,
): Promise<Pick<Compared, "seen" | "hasFailed">> {
  const seen: SeenRow[] = [];
  let hasFailed = false;
  for (const decoded of batch) {
    const state = rowState(use, decoded, now);
    const isPage = state !== undefined && use.hasPages;
    if (decoded.error && !isPage) {
      hasFailed = true;
      onFailure({ page: undefined, error: decoded.error });
    }
    if (state === undefined) continue;
    while (known.isDueBefore(state.key)) {
      if (known.next === undefined) await known.fill();
      else seen.push(goneRow(use, known.take(known.next)));
    }
    const { next } = known;
    const isKnown = next !== undefined && Buffer.compare(next.key, state.key) === 0;
    const old = isKnown ? known.take(next) : undefined;
    if (old === undefined || !isSame(old, state)) {
      const row = knownRow(use, decoded, state);
      seen.push({ table: use.table.name, key: state.key, now: row });
    }
  }
  return { seen, hasFailed };
}

/** What a run sees of a row that is known and not there any more. */
export function goneRow({ table }: TableUse, { key }: Pick<KnownRow, "key">): SeenRow {
  return { table: table.name, key, now: undefined };
}

/** True when a row is as it is known. */
export function isSame(a: KnownRow, b: RowState): boolean {
  return Buffer.compare(a.hash, b.hash) === 0 && a.dueAt === b.dueAt;
}

/** The rows of a range that the ledger knows, walked along a scan: an await for each would double its cost. */
class Cursor {
  readonly #context: CompareContext;
  readonly #table: string;
  readonly #end: Uint8Array | undefined;
  #after: Uint8Array | undefined;
  #rows: readonly KnownRow[] = [];
  #at = 0;
  #isDone = false;

  constructor(context: CompareContext, table: string, { after, upTo }: KeyRange) {
    this.#context = context;
    this.#table = table;
    this.#after = after && encodeKey(after);
    this.#end = upTo && encodeKey(upTo);
  }

  /** The next row, unless `fill` has to read on first. */
  get next(): KnownRow | undefined {
    return this.#rows[this.#at];
  }

  /** True while there may be rows before `key`. */
  isDueBefore(key: Uint8Array): boolean {
    const { next } = this;
    return next === undefined ? !this.#isDone : Buffer.compare(next.key, key) < 0;
  }

  /** Goes on after the next row, which is given back. */
  take(next: KnownRow): KnownRow {
    this.#at += 1;
    return next;
  }

  /** Takes all rows that have been read. */
  rest(): readonly KnownRow[] {
    const rest = this.#rows.slice(this.#at);
    this.#at = this.#rows.length;
    return rest;
  }

  #isBeyond(key: Uint8Array): boolean {
    return this.#end !== undefined && Buffer.compare(key, this.#end) > 0;
  }

  /** Reads on once all rows are taken. */
  async fill(): Promise<void> {
    if (this.#at < this.#rows.length || this.#isDone) return;
    const rows = await this.#context.ledger.known(this.#table, this.#after, BATCH);
    const own = rows.filter(({ key }) => !this.#isBeyond(key));
    this.#isDone = own.length < BATCH;
    this.#rows = own;
    this.#after = own.at(-1)?.key;
    this.#at = 0;
  }
}
