import type { KnownRow } from "../ledger/ledger.ts";
import {
  type AnyTable,
  decodeKey,
  digestOf,
  encodeKey,
  entryColumns,
  type KeyPart,
  type Kind,
  listsOf,
  packValues,
  type Row,
  readsOf,
  redirectKind,
  type Site,
  unpackValues,
  visibleColumns,
} from "../site.ts";
import type { Decoded } from "../source/source.ts";
import { rowKindColumns } from "./row-pages.ts";

/** What the ledger keeps of a table's rows. */
export interface TableUse {
  readonly table: AnyTable;
  /** Columns that pages read; no other changes anything. */
  readonly see: readonly string[];
  /** Columns that say which lists a row is in and who may see it, without those of its key. */
  readonly deps: readonly string[];
  /** Columns with moments at which the clock changes who may see a row. */
  readonly moments: readonly string[];
  /** Some kind has a page for each row, so a bad row is that page's failure. */
  readonly hasPages: boolean;
}

const HASH_BYTES = 8;

/** How the site's kinds and lists use each table. */
export function tableUses({ kinds }: Site, tables: readonly AnyTable[]): readonly TableUse[] {
  return tables.map((table) => {
    const lists = listsOf(kinds).filter((list) => list.table === table);
    const own = kinds.filter((kind) => kind.is === "row").filter((kind) => kind.table === table);
    const visibles = [...lists, ...own].map(({ visible }) => visible);
    const places = lists.flatMap(({ by, order }) => (by === undefined ? order : [by, ...order]));
    const deps = [...places, ...visibles.flatMap(visibleColumns)];
    const shown = lists.flatMap(entryColumns);
    const see = [...deps, ...shown, ...own.flatMap(rowKindColumns), ...joined(kinds, table)];
    return {
      table,
      see: unique(see),
      deps: unique(deps).filter((column) => !table.key.includes(column)),
      moments: unique(visibles.flatMap(({ from, until }) => [from, until].flatMap((c) => c ?? []))),
      hasPages: own.length > 0 || redirectKind(kinds)?.list?.table === table,
    };
  });
}

/** A row as a scan compares it: a {@link KnownRow} without what it costs more to make. */
export type RowState = Omit<KnownRow, "deps">;

/** A row as the ledger knows it, or will. A bad row has a state too: that it is bad, and why. */
export function rowState(use: TableUse, decoded: Decoded, now: number): RowState | undefined {
  if (decoded.key === undefined) return undefined;
  const key = encodeKey(decoded.key);
  const row = decoded.row ?? decoded.rest;
  const seen = [decoded.error?.message, ...use.see.map((column) => row[column])];
  const hash = digestOf(seen).subarray(0, HASH_BYTES);
  return { key, hash, dueAt: dueAt(use, row, now) };
}

/** What the ledger will know of a row in this state. */
export function knownRow(use: TableUse, decoded: Decoded, state: RowState): KnownRow {
  const row = decoded.row ?? decoded.rest;
  const values = use.deps.map((column) => packed(use, column, row[column]));
  return { ...state, deps: packValues(values) };
}

/** The key and dependency columns of a row as the ledger knows it. */
export function knownImage({ table, deps }: TableUse, known: KnownRow): Row {
  const values = unpackValues(known.deps);
  const key = decodeKey(known.key);
  return {
    ...Object.fromEntries(table.key.map((column, at) => [column, typed(table, column, key[at])])),
    ...Object.fromEntries(deps.map((column, at) => [column, unpacked(table, column, values[at])])),
  };
}

/** When the clock next changes who may see the row; undefined when it never will. */
export function dueAt({ moments }: TableUse, row: Row, now: number): number | undefined {
  let next: number | undefined;
  for (const column of moments) {
    const at = row[column];
    if (typeof at === "number" && at > now && (next === undefined || at < next)) next = at;
  }
  return next;
}

function joined(kinds: readonly Kind[], table: AnyTable): readonly string[] {
  const reads = kinds.flatMap(readsOf);
  return reads.flatMap((read) => (read.read === "one" && read.table === table ? read.see : []));
}

function packed({ table }: TableUse, column: string, value: unknown): KeyPart | null {
  const declared = table.columns[column];
  if (value === null || value === undefined) return null;
  if (declared?.type === "oneOf") return declared.values.indexOf(String(value));
  return typeof value === "boolean" ? Number(value) : (value as KeyPart);
}

function unpacked(table: AnyTable, column: string, value: KeyPart | null | undefined): unknown {
  const declared = table.columns[column];
  if (value === null || value === undefined) return null;
  if (declared?.type === "oneOf") return declared.values[Number(value)];
  return declared?.type === "bool" ? value === 1 : typed(table, column, value);
}

/** An encoding does not say whether a whole number was a `bigint`; instants beyond 2^53 are none. */
function typed(table: AnyTable, column: string, value: KeyPart | undefined): unknown {
  if (table.columns[column]?.type === "bigint" && value !== undefined) return BigInt(value);
  return typeof value === "bigint" ? Number(value) : value;
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
