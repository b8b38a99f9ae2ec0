import type { KnownRow, SeenRow } from "../ledger/ledger.ts";
import { encodeKey, type Key, keyName } from "../site.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { dueAt, knownImage, rowState, type TableUse } from "./row-state.ts";

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
      for (const gone of await known.before(state.key)) seen.push(goneRow(use, gone));
      const old = await known.at(state.key);
      if (old === undefined || !isSame(old, state)) {
        seen.push({ table: use.table.name, key: state.key, now: state });
      }
    }
    if (seen.length > 0) await ledger.see(run, seen);
    changed += seen.length;
    onProgress(batch.length);
    const last = batch.findLast(({ key }) => key !== undefined)?.key;
    if (batch.length < BATCH || last === undefined) break;
    after = last;
  }
  for (;;) {
    const gone = await known.rest();
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
    return [{ table: use.table.name, key, now: state }];
  });
  if (seen.length > 0) await ledger.see(run, seen);
  return seen.length;
}

/** Keeps the rows that the clock has changed since the last release; gives how many. */
export async function seeDue(uses: readonly TableUse[], context: PlanContext): Promise<number> {
  const { ledger, run, now } = context;
  const byName = new Map(uses.map((use) => [use.table.name, use]));
  let after: Parameters<typeof ledger.dueRows>[1];
  let count = 0;
  for (;;) {
    const due = await ledger.dueRows(now, after, BATCH);
    for (const [table, marks] of Map.groupBy(due, (mark) => mark.table)) {
      const use = byName.get(table);
      if (use === undefined) continue;
      const known = await ledger.knownOf(
        table,
        marks.map(({ key }) => key),
      );
      const seen = known.flatMap((row): SeenRow[] => {
        if (row === undefined) return [];
        const next = dueAt(use, knownImage(use, row), now);
        return [{ table, key: row.key, now: { ...row, dueAt: next } }];
      });
      await ledger.see(run, seen);
      count += seen.length;
    }
    if (due.length < BATCH) return count;
    after = due.at(-1);
  }
}

/** The rows of a table that the ledger knows, walked along a scan. */
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

  /** Takes the rows before `key`. */
  async before(key: Uint8Array): Promise<readonly KnownRow[]> {
    const taken: KnownRow[] = [];
    for (let row = await this.#peek(); row !== undefined; row = await this.#peek()) {
      if (Buffer.compare(row.key, key) >= 0) break;
      taken.push(row);
      this.#at += 1;
    }
    return taken;
  }

  /** Takes the row at `key`, if the next one is. */
  async at(key: Uint8Array): Promise<KnownRow | undefined> {
    const row = await this.#peek();
    if (row === undefined || Buffer.compare(row.key, key) !== 0) return undefined;
    this.#at += 1;
    return row;
  }

  /** Takes the next rows; empty at the end. */
  async rest(): Promise<readonly KnownRow[]> {
    await this.#peek();
    const rest = this.#rows.slice(this.#at);
    this.#at = this.#rows.length;
    return rest;
  }

  async #peek(): Promise<KnownRow | undefined> {
    if (this.#at === this.#rows.length && !this.#isDone) {
      const last = this.#rows.at(-1)?.key;
      this.#rows = await this.#context.ledger.known(this.#table, last, BATCH);
      this.#at = 0;
      this.#isDone = this.#rows.length < BATCH;
    }
    return this.#rows[this.#at];
  }
}

function goneRow({ table }: TableUse, { key }: KnownRow): SeenRow {
  return { table: table.name, key, now: undefined };
}

function isSame(a: KnownRow, b: KnownRow): boolean {
  return Buffer.compare(a.hash, b.hash) === 0 && a.dueAt === b.dueAt;
}
