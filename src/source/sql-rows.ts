import { PipelineError } from "../error.ts";
import { type AnyList, type AnyTable, entryColumns, type Instant, type Key } from "../site.ts";
import type { Raw } from "./decode.ts";
import { declaration, decodeValue, rowDecoder } from "./decode.ts";
import type { Dialect, Statement } from "./dialect.ts";
import { Flaw } from "./flaw.ts";
import type { Decoded, Place, Rows, RowsQuery } from "./source.ts";
import {
  anyStatement,
  countStatement,
  type Moment,
  placeColumns,
  placesByStatement,
  placesStatement,
  rowsStatement,
  scanStatement,
  windowStatement,
} from "./sql.ts";

/** Keys of one statement. More cost more each (measured with mysql2). */
const KEYS_PER_STATEMENT = 500;
/** Rows without a usable key that are skipped over at once; beyond, the table is not as declared. */
const MAX_BAD_KEYS = 5000;

/** One snapshot of a database that runs statements. */
export interface Snapshot {
  readonly dialect: Dialect;
  /** Rows of values in the order of `select`. */
  all(statement: Statement): Promise<readonly (readonly Raw[])[]>;
  /** Several statements with the same columns, in as few round trips as can be. */
  many(statements: readonly Statement[]): Promise<readonly (readonly (readonly Raw[])[])[]>;
  close(): Promise<void>;
}

/** Implements the reading port over one snapshot; closes it when disposed. */
export function sqlRows(snapshot: Snapshot, now: Instant): Rows {
  const { dialect } = snapshot;
  const moment = { dialect, now };
  return {
    isEmpty: async (table) => (await snapshot.all(anyStatement(moment, table))).length === 0,
    async scan(table, { see, limit, ...query }) {
      const decoder = rowDecoder(table, see, dialect);
      return widened(table, limit, async (wide) => {
        const raw = await snapshot.all(
          scanStatement(moment, table, decoder.columns, { ...query, limit: wide }),
        );
        const rows = raw.map((each) => decoder.decode(each));
        // A caller goes on after the last key, so there must be one.
        return { rows, isDone: raw.length < wide || rows.at(-1)?.key !== undefined };
      });
    },
    rows: (table, query) => rowsByKey(snapshot, moment, table, query),
    places: (list, after, limit) =>
      widened(list.table, limit, async (wide) => {
        const raw = await snapshot.all(placesStatement(moment, list, after, wide));
        const places = raw.flatMap((each) => decodePlace(list, dialect, each) ?? []);
        const isDone = raw.length < wide || places.length >= limit;
        return { rows: places.slice(0, limit), isDone };
      }),
    async placesIn(list, windows) {
      const columns = placeColumns(list);
      const built = windows.map((each) => windowStatement(moment, list, columns, each));
      const raw = await snapshot.many(built);
      return raw.map((rows) => rows.flatMap((each) => decodePlace(list, dialect, each) ?? []));
    },
    async placesBy(list, columns, tuples) {
      const places: Place[] = [];
      for (let start = 0; start < tuples.length; start += KEYS_PER_STATEMENT) {
        const some = tuples.slice(start, start + KEYS_PER_STATEMENT);
        const raw = await snapshot.all(placesByStatement(moment, list, columns, some));
        places.push(...raw.flatMap((each) => decodePlace(list, dialect, each) ?? []));
      }
      return places;
    },
    async counts(list, parts) {
      const built = parts.map((part) => countStatement(moment, list, part));
      return (await snapshot.many(built)).map(([row]) => Number(row?.[0]));
    },
    async windows(list, windows) {
      const decoder = rowDecoder(list.table, entryColumns(list), dialect);
      const built = windows.map((each) => windowStatement(moment, list, decoder.columns, each));
      const raw = await snapshot.many(built);
      return raw.map((rows) => rows.map((each) => decoder.decode(each)));
    },
    [Symbol.asyncDispose]: () => snapshot.close(),
  };
}

async function rowsByKey(
  snapshot: Snapshot,
  moment: Moment,
  table: AnyTable,
  { see, keys, ...query }: RowsQuery,
): Promise<readonly (Decoded | undefined)[]> {
  const decoder = rowDecoder(table, see, snapshot.dialect);
  const found = new Map<string, Decoded>();
  for (let start = 0; start < keys.length; start += KEYS_PER_STATEMENT) {
    const some = keys.slice(start, start + KEYS_PER_STATEMENT);
    for (const raw of await snapshot.all(
      rowsStatement(moment, table, decoder.columns, { ...query, keys: some }),
    )) {
      const decoded = decoder.decode(raw);
      if (decoded.key !== undefined) found.set(identity(decoded.key), decoded);
    }
  }
  return keys.map((key) => found.get(identity(key)));
}

/** Equal for equal keys of one table, whether whole numbers are `number` or `bigint`. */
function identity(key: Key): string {
  return key.length === 1 ? String(key[0]) : JSON.stringify(key.map(String));
}

/** Undefined for an entry whose place is not as declared: the scan of its table reports the row. */
function decodePlace(list: AnyList, dialect: Dialect, raw: readonly Raw[]): Place | undefined {
  try {
    const values = placeColumns(list).map((name, at) =>
      decodeValue(raw[at] ?? null, declaration(list.table, name), dialect),
    );
    return list.by === undefined
      ? { part: null, order: values }
      : { part: values[0], order: values.slice(1) };
  } catch (flaw) {
    if (flaw instanceof Flaw) return undefined;
    throw flaw;
  }
}

/** Reads a batch again, twice as long, until rows that cannot be continued after do not end it. */
async function widened<T>(
  table: AnyTable,
  limit: number,
  read: (limit: number) => Promise<{ readonly rows: readonly T[]; readonly isDone: boolean }>,
): Promise<readonly T[]> {
  for (let wide = limit; wide <= limit + 2 * MAX_BAD_KEYS; wide *= 2) {
    const { rows, isDone } = await read(wide);
    if (isDone) return rows;
  }
  const message = `Table ${table.name} holds thousands of rows in a row whose key or order columns are not as declared.`;
  throw new PipelineError("source_rejected", message, {
    hint: "Correct the declared types of its key and order columns.",
    at: { table: table.name },
  });
}
