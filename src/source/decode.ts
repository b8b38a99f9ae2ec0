import type { Problem } from "../error.ts";
import { PipelineError } from "../error.ts";
import type { AnyTable, Column, Key, KeyPart, Row } from "../site.ts";
import { Flaw } from "./flaw.ts";
import { parseDateTime } from "./instant.ts";
import { parseJson } from "./json.ts";
import type { Decoded } from "./source.ts";

/** What a driver hands out. Bytes stand for anything that is not a number or well-formed text. */
export type Raw = string | number | bigint | null | Uint8Array;

/** How a driver hands values out. */
export interface RawForm {
  /** 64-bit integers and date-times may come as text (MySQL's protocol). */
  readonly hasTextualNumbers: boolean;
}

/** Turns rows of a driver into rows of the declaration. */
export interface RowDecoder {
  /** What to select, in this order: the key columns, then the other ones asked for. */
  readonly columns: readonly string[];
  /** Never throws: a row that does not fit is a value, too. `start` is the first value's index. */
  decode(raw: readonly Raw[], start?: number): Decoded;
}

type Decode = (raw: Exclude<Raw, null>, column: Column, form: RawForm) => unknown;

const DECODERS: Readonly<Record<Column["type"], Decode>> = {
  int: decodeInt,
  bigint: decodeBigint,
  bool: decodeBool,
  instant: decodeInstant,
  text: decodeText,
  oneOf: decodeOneOf,
  json: (raw, column, form) => parseJson(decodeText(raw, column, form)),
};

/** Decodes rows of `table` that hold the key and the columns `see`, for one driver. */
export function rowDecoder(table: AnyTable, see: readonly string[], form: RawForm): RowDecoder {
  const columns = [...table.key, ...see.filter((name) => !table.key.includes(name))];
  const declared = columns.map((name) => declaration(table, name));
  return {
    columns,
    decode(raw, start = 0) {
      const row: Record<string, unknown> = {};
      let problems: Problem[] | undefined;
      for (let at = 0; at < columns.length; at += 1) {
        const name = columns[at] as string;
        try {
          row[name] = decodeValue(raw[start + at] ?? null, declared[at] as Column, form);
        } catch (flaw) {
          if (!(flaw instanceof Flaw)) throw flaw;
          problems ??= [];
          problems.push({ place: name, message: flaw.message });
        }
      }
      const key = keyOf(table, row);
      if (problems !== undefined) {
        return { key, error: rowInvalid(table, key, problems), rest: row };
      }
      return { key: key ?? [], row };
    },
  };
}

/**
 * Decodes one value.
 * @throws Flaw when it does not fit
 */
export function decodeValue(raw: Raw, column: Column, form: RawForm): unknown {
  if (raw !== null) return DECODERS[column.type](raw, column, form);
  if (column.isNullable) return null;
  throw new Flaw("holds NULL and is not declared nullable");
}

/** The declared column, which must exist: `defineSite` has checked the names. */
export function declaration(table: AnyTable, name: string): Column {
  const column = table.columns[name];
  if (column !== undefined) return column;
  const message = `Table ${table.name} has no declared column "${name}".`;
  throw new PipelineError("config_invalid", message, { at: { table: table.name, column: name } });
}

function keyOf(table: AnyTable, row: Row): Key | undefined {
  const key = table.key.map((name) => row[name]);
  return key.includes(undefined) ? undefined : (key as KeyPart[]);
}

function rowInvalid(table: AnyTable, key: Key | undefined, problems: Problem[]): PipelineError {
  const [first] = problems;
  const column = first?.place ?? "";
  const type = table.columns[column]?.type ?? "";
  const which = key === undefined ? "A row" : `Row ${key.join(", ")}`;
  const message = `${which} of table ${table.name} is not as declared: column ${column} (${type}) ${first?.message}.`;
  return new PipelineError("row_invalid", message, {
    hint: "Correct the row, or the column's declaration; the page's last good version stays live until then.",
    at: { table: table.name, ...(key && { key: key.join(",") }), column },
    problems,
  });
}

function decodeInt(raw: Raw, _: Column, form: RawForm): number {
  const value = integer(raw, form);
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new Flaw("holds a number beyond ±2^53; declare it bigint");
}

function decodeBigint(raw: Raw, _: Column, form: RawForm): bigint {
  const value = BigInt(integer(raw, form));
  if (BigInt.asIntN(64, value) === value) return value;
  throw new Flaw("holds a number of more than 64 bits");
}

function decodeBool(raw: Raw): boolean {
  if (raw === 1 || raw === 1n) return true;
  if (raw === 0 || raw === 0n) return false;
  throw new Flaw("holds neither 0 nor 1");
}

function decodeInstant(raw: Raw, _: Column, form: RawForm): number {
  if (typeof raw === "string" && form.hasTextualNumbers && raw.includes("-", 1)) {
    const instant = parseDateTime(raw);
    if (instant !== undefined) return instant;
    throw new Flaw(
      "holds a date that does not exist, or a fraction of a second outside the years 1685-2254",
    );
  }
  const value = integer(raw, form);
  const number = Number(value);
  // A double holds whole seconds exactly up to the year 9999, and microseconds until 2255.
  if (Number.isSafeInteger(number) || BigInt(number) === BigInt(value)) return number;
  throw new Flaw("holds microseconds beyond ±2^53 that a number cannot represent");
}

function decodeText(raw: Raw, _: Column, _form: RawForm): string {
  if (typeof raw !== "string") throw new Flaw(`holds ${kindOf(raw)}`);
  if (!raw.isWellFormed()) throw new Flaw("holds half of a surrogate pair");
  return raw;
}

function decodeOneOf(raw: Raw, column: Column): string {
  if (typeof raw === "string" && column.values.includes(raw)) return raw;
  throw new Flaw(`holds none of ${column.values.join(", ")}`);
}

function integer(raw: Raw, form: RawForm): number | bigint {
  if (typeof raw === "bigint") return raw;
  if (typeof raw === "number" && Number.isInteger(raw)) return raw;
  if (typeof raw === "string" && form.hasTextualNumbers && /^-?\d{1,20}$/.test(raw)) {
    return BigInt(raw);
  }
  throw new Flaw(`holds ${kindOf(raw)}`);
}

function kindOf(raw: Raw): string {
  if (raw instanceof Uint8Array) return "bytes that are not UTF-8 text";
  if (typeof raw === "string") return "text";
  return Number.isInteger(raw) || typeof raw === "bigint" ? "a whole number" : "a fraction";
}
