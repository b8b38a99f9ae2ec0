import type { KnownRow, SeenRow } from "../ledger/ledger.ts";
import { decodeKey, encodeKey, type Key, keyName } from "../site.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { knownRow, type RowState, rowState, type TableUse } from "./row-state.ts";

/**
 * Compares every row of a table with what the ledger knows of it and keeps the differences with
 * the run. Both sides are walked in key order. Gives how many differ.
 */
export async function scanTable(
  use: TableUse,
  context: PlanContext,
  onProgress: (rows: number) => void,
): Promise<number> {
  const { ledger, run, now } = context;
  const known = new Cursor(context, use.table.name);
  let changed = 0;
  let after: Key | undefined;
  for (;;) {
    const batch = await context.rows.scan(use.table, { see: use.see, after, limit: BATCH });
    const seen: SeenRow[] = [];
    for (const decoded of batch) {
      const state = rowState(use, decoded, now);
      const isPage = state !== undefined && use.hasPages;
      if (decoded.error && !isPage) context.onFailure({ page: undefined, error: decoded.error });
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
    onProgress(batch.length);
    const last = batch.at(-1)?.key;
    if (batch.length < BATCH || last === undefined) break;
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

/** Looks these rows up and keeps those that differ from what the ledger knows, as a scan would. */
export async function lookUp(
  use: TableUse,
  keys: readonly Key[],
  context: PlanContext,
): Promise<number> {
  const { ledger, run, now, rows } = context;
  const distinct = [...new Map(keys.map((key) => [keyName(key), key])).values()];
  const bytes = distinct.map(encodeKey);
  const [decoded, known] = await Promise.all([
    rows.rows(use.table, { see: use.see, keys: distinct }),
    ledger.knownOf(use.table.name, bytes),
  ]);
  const seen = bytes.flatMap((key, at): SeenRow[] => {
    const row = decoded[at];
    const state = row === undefined ? undefined : rowState(use, row, now);
    const old = known[at];
    if (state === undefined) return old === undefined ? [] : [goneRow(use, old)];
    if (old !== undefined && isSame(old, state)) return [];
    return [{ table: use.table.name, key, now: row && knownRow(use, row, state) }];
  });
  if (seen.length > 0) await ledger.see(run, seen);
  return seen.length;
}

/** Keeps the rows that the clock has changed since the last release; gives how many. */
export async function seeDue(uses: readonly TableUse[], context: PlanContext): Promise<number> {
  const { ledger, now } = context;
  const byName = new Map(uses.map((use) => [use.table.name, use]));
  let after: Parameters<typeof ledger.dueRows>[1];
  let count = 0;
  for (;;) {
    const due = await ledger.dueRows(now, after, BATCH);
    for (const [table, marks] of Map.groupBy(due, (mark) => mark.table)) {
      const use = byName.get(table);
      if (use === undefined) continue;
      // They may have changed, too: what the clock did to them would be lost behind that.
      const keys = marks.map(({ key }) => decodeKey(key));
      count += await lookUp(use, keys, context);
    }
    if (due.length < BATCH) return count;
    after = due.at(-1);
  }
}

/** The rows of a table that the ledger knows, walked along a scan: an await for each would double its cost. */
class Cursor {
  readonly #context: PlanContext;
  readonly #table: string;
  #rows: readonly KnownRow[] = [];
  #at = 0;
  #isDone = false;

  constructor(context: PlanContext, table: string) {
    this.#context = context;
    this.#table = table;
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

  /** Reads on once all rows are taken. */
  async fill(): Promise<void> {
    if (this.#at < this.#rows.length || this.#isDone) return;
    const last = this.#rows.at(-1)?.key;
    this.#rows = await this.#context.ledger.known(this.#table, last, BATCH);
    this.#at = 0;
    this.#isDone = this.#rows.length < BATCH;
  }
}

function goneRow({ table }: TableUse, { key }: KnownRow): SeenRow {
  return { table: table.name, key, now: undefined };
}

function isSame(a: KnownRow, b: RowState): boolean {
  return Buffer.compare(a.hash, b.hash) === 0 && a.dueAt === b.dueAt;
}
