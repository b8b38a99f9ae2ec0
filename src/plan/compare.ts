import type { KnownRow, SeenRow } from "../ledger/ledger.ts";
import { encodeKey, type Key } from "../site.ts";
import type { KeyRange } from "../source/source.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { knownRow, type RowState, rowState, type TableUse } from "./row-state.ts";

/** Rows that were compared at a time. */
export interface Compared {
  readonly rows: number;
  /** Key of the last one; undefined when no row comes after it. */
  readonly last: Key | undefined;
  /** A row among them that is no page is not as declared, and was told. */
  readonly hasFailed: boolean;
}

/**
 * Compares the rows of a range with what the ledger knows of them and keeps the differences with
 * the run. Both sides are walked in key order, at most `limit` at a time. Gives how many differ.
 */
export async function compareRows(
  use: TableUse,
  context: PlanContext,
  {
    range,
    limit,
    onBatch,
  }: {
    readonly range: KeyRange;
    readonly limit: number;
    readonly onBatch: (batch: Compared) => Promise<void> | void;
  },
): Promise<number> {
  const { ledger, run, now } = context;
  const known = new Cursor(context, use.table.name, range);
  let changed = 0;
  let { after } = range;
  for (;;) {
    const batch = await context.rows.scan(use.table, { ...range, see: use.see, after, limit });
    const seen: SeenRow[] = [];
    let hasFailed = false;
    for (const decoded of batch) {
      const state = rowState(use, decoded, now);
      const isPage = state !== undefined && use.hasPages;
      if (decoded.error && !isPage) {
        hasFailed = true;
        context.onFailure({ page: undefined, error: decoded.error });
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
    if (seen.length > 0) await ledger.see(run, seen);
    changed += seen.length;
    const last = batch.length < limit ? undefined : batch.at(-1)?.key;
    await onBatch({ rows: batch.length, last, hasFailed });
    if (last === undefined) break;
    after = last;
  }
  for (;;) {
    await known.fill();
    const gone = known.rest();
    if (gone.length === 0) return changed;
    await ledger.see(
      run,
      gone.map((row) => goneRow(use, row)),
    );
    changed += gone.length;
  }
}

/** What a run sees of a row that is known and not there any more. */
export function goneRow({ table }: TableUse, { key }: KnownRow): SeenRow {
  return { table: table.name, key, now: undefined };
}

/** True when a row is as it is known. */
export function isSame(a: KnownRow, b: RowState): boolean {
  return Buffer.compare(a.hash, b.hash) === 0 && a.dueAt === b.dueAt;
}

/** The rows of a range that the ledger knows, walked along a scan: an await for each would double its cost. */
class Cursor {
  readonly #context: PlanContext;
  readonly #table: string;
  readonly #end: Uint8Array | undefined;
  #after: Uint8Array | undefined;
  #rows: readonly KnownRow[] = [];
  #at = 0;
  #isDone = false;

  constructor(context: PlanContext, table: string, { after, upTo }: KeyRange) {
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
