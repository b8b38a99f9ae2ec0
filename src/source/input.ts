import type { AnyTable, Column, Json, Row } from "../site.ts";
import { Flaw } from "./flaw.ts";
import { parseIso } from "./instant.ts";
import { canonical } from "./json.ts";

/** The longest text, in UTF-8 bytes; MySQL's packets and LONGTEXT would allow more. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** A JSON object as it stands in an input file. */
export type Input = Readonly<Record<string, Json>>;

/** Reads one line's bytes; throws a {@link Flaw} when it is no JSON object. */
export type ParseInput = (bytes: Buffer) => Input;

/** Makes the parser for a table's lines. */
export function inputParser(table: AnyTable): ParseInput {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const bigints = Object.entries(table.columns).filter(([, { type }]) => type === "bigint");
  const names = new Set(bigints.map(([name]) => name));
  // As a number a 64-bit integer would lose digits, so its text is kept.
  const reviver = (name: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" && names.has(name) ? context?.source : value;
  return (bytes) => {
    let input: unknown;
    try {
      const text = utf8.decode(bytes);
      input = names.size === 0 ? JSON.parse(text) : JSON.parse(text, reviver);
    } catch {
      throw new Flaw("The line is not JSON in UTF-8.");
    }
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return input as Input;
    throw new Flaw("The line is not a JSON object.");
  };
}

/**
 * Takes a table's row out of an input object.
 * @throws Flaw naming every field that does not fit
 */
export function readInput(table: AnyTable, input: Input): Row {
  const flaws: string[] = [];
  const row: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(table.columns)) {
    try {
      row[name] = readField(fieldOf(input, name, column), column);
    } catch (flaw) {
      if (!(flaw instanceof Flaw)) throw flaw;
      flaws.push(`${name} ${flaw.message}`);
    }
  }
  if (flaws.length === 0) return row;
  throw new Flaw(`${flaws.join("; ")}.`);
}

/**
 * Reads one value of an input file as a decoded value of `column`.
 * @throws Flaw when it does not fit
 */
export function readField(value: Json, column: Column): unknown {
  if (value !== null) return READERS[column.type](value, column);
  if (column.isNullable) return null;
  throw new Flaw("is missing or null and is not declared nullable");
}

function fieldOf(input: Input, name: string, { fill }: Column): Json {
  const own = Object.hasOwn(input, name) ? input[name] : undefined;
  if (own !== undefined || fill === undefined) return own ?? null;
  const from = input[fill.firstOf] ?? [];
  if (!Array.isArray(from)) throw new Flaw(`is filled from ${fill.firstOf}, which is no array`);
  return (from[0] as Json | undefined) ?? null;
}

const READERS: Readonly<Record<Column["type"], (value: Json, column: Column) => unknown>> = {
  int(value) {
    if (Number.isSafeInteger(value)) return value;
    throw new Flaw("is not a whole number between ±2^53");
  },
  bigint(value) {
    const isWhole =
      typeof value === "string" ? /^-?\d{1,19}$/.test(value) : Number.isSafeInteger(value);
    const number = isWhole ? BigInt(value as string | number) : undefined;
    if (number !== undefined && BigInt.asIntN(64, number) === number) return number;
    throw new Flaw("is not a whole number of 64 bits");
  },
  bool(value) {
    if (value === true || value === 1) return true;
    if (value === false || value === 0) return false;
    throw new Flaw("is neither true nor false");
  },
  instant(value) {
    const instant = typeof value === "string" ? parseIso(value) : undefined;
    if (instant !== undefined) return instant;
    throw new Flaw(
      "is not a time such as 2026-08-15T12:15:58Z, or one that cannot be kept exactly",
    );
  },
  oneOf(value, { values }) {
    if (typeof value === "string" && values.includes(value)) return value;
    throw new Flaw(`is none of ${values.join(", ")}`);
  },
  json: (value) => canonical(value),
  text: readText,
};

function readText(value: Json, { max }: Column): string {
  if (typeof value !== "string") throw new Flaw("is not text");
  if (!value.isWellFormed()) throw new Flaw("holds half of a surrogate pair");
  // Databases count code points; there are at most as many as UTF-16 units.
  if (max !== undefined && value.length > max && [...value].length > max) {
    throw new Flaw(`is longer than ${max} characters`);
  }
  if (value.length > MAX_TEXT_BYTES / 3 && Buffer.byteLength(value) > MAX_TEXT_BYTES) {
    throw new Flaw("is longer than 16 MB");
  }
  return value;
}
