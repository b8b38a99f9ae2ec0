import { type AnyRead, digestOf, type Key, keyName, type RecordedRead, type Row } from "../site.ts";
import type { Window } from "../source/source.ts";
import type { PlanContext } from "./context.ts";
import { loadEntries } from "./entries.ts";
import { countName, newestName, partName, placeName, readName } from "./read-names.ts";

/** What one declared read gave one page, and its record. */
export interface LoadedRead {
  readonly value: unknown;
  readonly read: RecordedRead;
  /** See `readName`; a page in no partition, or that joins NULL, shares nothing. */
  readonly uses: readonly Uint8Array[];
}

/** Loads one declared read for a batch of pages at once; result n belongs to own row n. */
export async function loadRead(
  context: PlanContext,
  read: AnyRead,
  own: readonly Row[],
): Promise<readonly LoadedRead[]> {
  switch (read.read) {
    case "one":
      return await loadOne(context, read, own);
    case "around":
      return await loadAround(context, read, own);
    case "newest":
      return await loadNewest(context, read, own);
    case "count":
      return await loadCount(context, read, own);
  }
}

/** The columns of the own row that a read needs. */
export function ownColumns(read: AnyRead): readonly string[] {
  if (read.read === "one") return read.key;
  const part = read.part === undefined ? [] : [read.part];
  return read.read === "around" ? [...part, ...read.at] : part;
}

/** Loads rows by key once each; a bad row counts as absent here and is reported. */
async function loadOne(
  context: PlanContext,
  read: AnyRead & { read: "one" },
  own: readonly Row[],
): Promise<readonly LoadedRead[]> {
  const keys = own.map((row) => keyOf(row, read.key));
  const distinct = new Map(keys.flatMap((key) => (key ? [[keyName(key), key] as const] : [])));
  const found = await context.rows.rows(read.table, {
    see: read.see,
    keys: [...distinct.values()],
  });
  const byName = new Map([...distinct.keys()].map((name, at) => [name, found[at]]));
  for (const each of found) {
    if (each?.error !== undefined) context.onFailure({ page: undefined, error: each.error });
  }
  return keys.map((key) => {
    const name = key === undefined ? "" : keyName(key);
    // A key may be the empty text, whose name is that of none.
    const row = key && byName.get(name)?.row;
    const value = row === undefined ? undefined : pick(row, read.see);
    const is = value === undefined ? "absent" : "row";
    const uses = key === undefined ? [] : [readName(`row:${read.table.name}/${name}`)];
    return { value, read: record(`${is}:${read.table.name}/${name}`, value), uses };
  });
}

/** A page in no partition (NULL) has no neighbours. */
async function loadAround(
  context: PlanContext,
  read: AnyRead & { read: "around" },
  own: readonly Row[],
): Promise<readonly LoadedRead[]> {
  const places = own.map((row) => ({
    part: partOf(row, read.part),
    order: read.at.map((c) => row[c]),
  }));
  const inList = places.filter(({ part }) => part !== null);
  const windows = inList.flatMap(({ part, order }): Window[] => [
    { part, to: { order, isInclusive: false }, first: "newest", limit: read.before },
    { part, from: { order, isInclusive: false }, first: "oldest", limit: read.after },
  ]);
  const entries = await loadEntries(context, read.list, windows);
  let at = 0;
  return places.map(({ part, order }) => {
    const [before = [], after = []] = part === null ? [] : [entries[at++], entries[at++]];
    const name = `${partName(part)}@${keyName(order as Key)}-${read.before}+${read.after}`;
    const value = { before, after };
    const uses = part === null ? [] : [placeName(read.list.name, part, order)];
    return { value, read: record(`list:${read.list.name}/${name}`, value), uses };
  });
}

/** Loads each partition's newest entries once, however many pages want them. */
async function loadNewest(
  context: PlanContext,
  read: AnyRead & { read: "newest" },
  own: readonly Row[],
): Promise<readonly LoadedRead[]> {
  const parts = own.map((row) => partOf(row, read.part));
  const distinct = distinctParts(parts);
  const windows = [...distinct.values()].map(
    (part): Window => ({ part, first: "newest", limit: read.count }),
  );
  const entries = await loadEntries(context, read.list, windows);
  const byName = new Map([...distinct.keys()].map((name, at) => [name, entries[at]]));
  return parts.map((part) => {
    const value = part === null ? [] : (byName.get(partName(part)) ?? []);
    const uses = part === null ? [] : [newestName(read.list.name, part)];
    const name = `list:${read.list.name}/${partName(part)}#newest${read.count}`;
    return { value, read: record(name, value), uses };
  });
}

/** Counts each partition once, however many pages want it. */
async function loadCount(
  context: PlanContext,
  { list, part: column }: AnyRead & { read: "count" },
  own: readonly Row[],
): Promise<readonly LoadedRead[]> {
  const parts = own.map((row) => partOf(row, column));
  const distinct = distinctParts(parts);
  const counts = await context.rows.counts(list, [...distinct.values()]);
  const byName = new Map([...distinct.keys()].map((name, at) => [name, counts[at]]));
  return parts.map((part) => {
    const value = part === null ? 0 : (byName.get(partName(part)) ?? 0);
    const uses = part === null ? [] : [countName(list.name, part)];
    return { value, read: record(`count:${list.name}/${partName(part)}`, value), uses };
  });
}

/** The partitions that pages are in, each once, by name. The empty text is one, and no page is in NULL. */
function distinctParts(parts: readonly unknown[]): ReadonlyMap<string, unknown> {
  return new Map(parts.filter((part) => part !== null).map((part) => [partName(part), part]));
}

/** A read's record: the digest covers exactly what the template gets. */
export function record(key: string, value: unknown): RecordedRead {
  return { key, digest: digestOf(value) };
}

/** Exactly these columns, in this order. */
export function pick(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}

/** Undefined for a list without partitions; null when the row is in none. */
function partOf(row: Row, column: string | undefined): unknown {
  return column && row[column];
}

function keyOf(row: Row, columns: readonly string[]): Key | undefined {
  const values = columns.map((column) => row[column]);
  return values.some((value) => value === null || value === undefined)
    ? undefined
    : (values as Key);
}
