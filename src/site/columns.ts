/** Microseconds since 1970-01-01T00:00:00Z, a safe integer until the year 2255. */
export type Instant = number;

/** Anything JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** How a column is stored and compared; equal in every database and in JavaScript. */
export type ColumnType = "int" | "bigint" | "text" | "bool" | "instant" | "json" | "oneOf";

/** One declared column whose decoded values have type `T`. Build with {@link int}, {@link text} … */
export interface Column<T = unknown> {
  readonly type: ColumnType;
  readonly isNullable: boolean;
  /** `oneOf` only: the values allowed. */
  readonly values: readonly string[];
  /** `text` only: longest value in characters; undefined means up to 16 MB and no index. */
  readonly max: number | undefined;
  /** What `load` puts here when the input file has no such field. */
  readonly fill: ColumnFill | undefined;
  /** Never set: carries `T`. */
  readonly as?: T;
  /** The same column, also holding NULL (read as `null`). */
  nullable(): Column<T | null>;
  /** The same column, filled by `load` from another field of the input. */
  from(fill: ColumnFill): Column<T>;
}

/** A value `load` derives: the first element of a JSON array field, NULL when there is none. */
export interface ColumnFill {
  readonly firstOf: string;
}

/** Fills a column with the first element of the JSON array in another field. */
export function firstOf(field: string): ColumnFill {
  return { firstOf: field };
}

/** Whole numbers that JavaScript represents exactly (±2^53); others are bad rows. */
export function int(): Column<number> {
  return column({ type: "int" });
}

/** 64-bit whole numbers, as `bigint`. */
export function bigint(): Column<bigint> {
  return column({ type: "bigint" });
}

/**
 * Text, compared by its UTF-8 bytes without padding: case, accents, trailing spaces and
 * normal forms all count. `max` (characters) makes it indexable; keys and list columns need it.
 */
export function text(options: { readonly max?: number } = {}): Column<string> {
  return column({ type: "text", max: options.max });
}

/** True or false, stored as 1 or 0. */
export function bool(): Column<boolean> {
  return column({ type: "bool" });
}

/** A moment, in microseconds UTC. */
export function instant(): Column<Instant> {
  return column({ type: "instant" });
}

/** A JSON value; two spellings of one value are equal. */
export function json<T extends Json = Json>(): Column<T> {
  return column({ type: "json" });
}

/** One of a few fixed words. */
export function oneOf<const V extends string>(...values: readonly V[]): Column<V> {
  return column({ type: "oneOf", values });
}

function column<T>(parts: {
  readonly type: ColumnType;
  readonly values?: readonly string[];
  readonly max?: number | undefined;
  readonly isNullable?: boolean;
  readonly fill?: ColumnFill | undefined;
}): Column<T> {
  const { type, values = [], max, isNullable = false, fill } = parts;
  return {
    type,
    values,
    max,
    isNullable,
    fill,
    nullable: () => column<T | null>({ ...parts, isNullable: true }),
    from: (source) => column<T>({ ...parts, fill: source }),
  };
}
