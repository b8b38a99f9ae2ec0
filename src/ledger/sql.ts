/**
 * What goes in and comes out of a column. MySQL gives text as bytes: read it with `asText`. SQLite
 * gives whole numbers as `bigint`: read them with `Number`.
 */
export type SqlValue = string | number | bigint | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** One statement in the SQL that SQLite and MySQL share, with `?` for each value. */
export interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
  /** Keeps the rows read as they are until the transaction ends; SQLite writers are alone anyway. */
  readonly lock: "share" | "update" | undefined;
}

/**
 * A transaction as a generator: it yields statements and gets their rows. So the same code runs
 * in one go on SQLite (no other work of this process comes in between) and with awaits on MySQL.
 */
export type Work<T> = Generator<Statement, T, readonly SqlRow[]>;

/** A database that runs works; errors of the vendor come out as PipelineErrors. */
export interface SqlDatabase extends AsyncDisposable {
  /** Runs `work` on one consistent state. */
  read<T>(work: () => Work<T>): Promise<T>;

  /** Runs `work` wholly or not at all; from the start again when the database asks for that. */
  write<T>(work: () => Work<T>, options?: WriteOptions): Promise<T>;

  /** Runs `work`, which may create tables, while no other process runs one of these. */
  migrate<T>(work: () => Work<T>): Promise<T>;
}

/** What a work gives that asks for nothing, e.g. the pages of no ids: it needs no database at all. */
export function nothingOf<T>(work: () => Work<T>): { readonly value: T } | undefined {
  const first = work().next();
  return first.done ? { value: first.value } : undefined;
}

export interface WriteOptions {
  /** Survives a power cut once the promise is fulfilled; otherwise only a crash of the process. */
  readonly isDurable?: boolean;
  /** Much is deleted: its space is given back to the file system. */
  readonly isShrinking?: boolean;
}

/** Rows, ids or routes in one statement. */
const BATCH_ROWS = 500;
/** Conditions of several columns in one statement: SQLite plans each of them. */
const BATCH_KEYS = 50;
/** Bytes in one statement; hexadecimal doubles them, and MariaDB takes packets of 16 MB by default. */
const BATCH_BYTES = 2 ** 20;

/**
 * Stands after the name of a table that must be searched by its second index. Without statistics
 * SQLite takes any first column of a primary key for nearly unique, and reads a run's whole plan.
 */
export const BY_INDEX = "/* by index */";

/** Fills in {@link BY_INDEX}; `$1` is the table, whose index is `$1_index`. */
export function withIndex(text: string, hint: string): string {
  return text.replace(/(\w+) \/\* by index \*\//, hint);
}

/** Yields one statement and returns its rows. */
export function* query(
  text: string,
  values: readonly SqlValue[] = [],
  lock?: Statement["lock"],
): Work<readonly SqlRow[]> {
  return yield { text, values, lock };
}

/** Inserts rows, each instead of the one with its primary key; a later row wins over an earlier. */
export function* replaceRows(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): Work<void> {
  const row = `(${marks(columns.length)})`;
  for (const batch of batchesOf(rows)) {
    const tuples = new Array<string>(batch.length).fill(row).join(",");
    yield* query(`REPLACE INTO ${table} (${columns.join(",")}) VALUES ${tuples}`, batch.flat());
  }
}

/**
 * Adds to a column of the rows with these keys, each of them once. Unlike reading and writing it, this
 * lets nobody wait but those who add to the same rows, and only until the transaction ends.
 */
export function* addToRows(
  table: string,
  { key, column }: { readonly key: string; readonly column: string },
  rows: readonly (readonly [key: SqlValue, more: number])[],
): Work<void> {
  for (let start = 0; start < rows.length; start += BATCH_KEYS) {
    const batch = rows.slice(start, start + BATCH_KEYS);
    const cases = new Array<string>(batch.length).fill("WHEN ? THEN ?").join(" ");
    const text = `UPDATE ${table} SET ${column} = ${column} + CASE ${key} ${cases} ELSE 0 END
      WHERE ${key} IN (${marks(batch.length)})`;
    yield* query(text, [...batch.flat(), ...batch.map(([each]) => each)]);
  }
}

/** Deletes the rows with these primary keys. */
export function* deleteRows(
  table: string,
  key: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): Work<void> {
  // Both databases seek each of these; they do not understand each other's lists of tuples.
  const row = `(${key.map((column) => `${column} = ?`).join(" AND ")})`;
  for (let start = 0; start < rows.length; start += BATCH_KEYS) {
    const batch = rows.slice(start, start + BATCH_KEYS);
    const any = new Array<string>(batch.length).fill(row).join(" OR ");
    yield* query(`DELETE FROM ${table} WHERE ${any}`, batch.flat());
  }
}

/** Runs `text`, whose `IN (?)` takes a list, once per batch; returns all rows. */
export function* queryIn(
  text: string,
  list: readonly SqlValue[],
  before: readonly SqlValue[] = [],
): Work<readonly SqlRow[]> {
  const rows: SqlRow[] = [];
  for (let start = 0; start < list.length; start += BATCH_ROWS) {
    const batch = list.slice(start, start + BATCH_ROWS);
    const filled = text.replace("IN (?)", `IN (${marks(batch.length)})`);
    rows.push(...(yield* query(filled, [...before, ...batch])));
  }
  return rows;
}

function marks(count: number): string {
  return new Array<string>(count).fill("?").join(",");
}

function* batchesOf(rows: readonly (readonly SqlValue[])[]): Generator<(readonly SqlValue[])[]> {
  let batch: (readonly SqlValue[])[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    if (batch.length === BATCH_ROWS || (batch.length > 0 && bytes + size > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf(value: SqlValue): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : 8;
}
