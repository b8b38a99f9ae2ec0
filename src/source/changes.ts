import { basename, dirname } from "node:path";
import { PipelineError, type Problem } from "../error.ts";
import { didYouMean } from "../nearest.ts";
import type { AnyTable, Key, KeyPart } from "../site.ts";
import { type Line, lines } from "./ndjson.ts";
import type { Position } from "./position.ts";

interface NamedRow {
  readonly table: AnyTable;
  readonly key: Key;
}

/** Rows handed on at a time. */
const BATCH = 500;
/** Bad lines told at most; the first ones say what is wrong with a file. */
const MAX_PROBLEMS = 20;
/** Cheaper than reading all of a record, and a text inside one has its quotes escaped. */
const POSITION = /"position"\s*:\s*"((?:mariadb|mysql):[^"\\]*)"/;
const MEMBERS = ["table", "key", "before", "after", "position"];

/**
 * Reads change records, one JSON object a line: `{"table":"articles","key":42}`, perhaps with
 * `before`, `after` and `position`. A key is a value, a list of values or an object by column. What
 * the records say of the rows' columns is not relied on: the source is asked. `file` may end in `.gz`.
 * @throws PipelineError `input_invalid` after the last line, with the first bad lines
 */
export async function* readChanges(
  file: string,
  tables: readonly AnyTable[],
): AsyncGenerator<readonly NamedRow[]> {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const problems: Problem[] = [];
  let rows: NamedRow[] = [];
  for await (const line of lines(dirname(file), basename(file))) {
    const row = parse(line, byName);
    if (typeof row !== "string") rows.push(row);
    else if (problems.length < MAX_PROBLEMS)
      problems.push({ place: `${file}:${line.number}`, message: row });
    if (rows.length === BATCH) {
      yield rows;
      rows = [];
    }
  }
  if (problems.length > 0) throw refused(problems);
  yield rows;
}

/**
 * The last `position` that the records of a file give with its flavour, e.g. `mariadb:0-1-8`: they
 * are in the order of their commits. Undefined when none does; bad lines are `readChanges`'s to tell.
 * @throws PipelineError `input_invalid` when the file cannot be read
 */
export async function lastPosition(file: string): Promise<Position | undefined> {
  let last: Position | undefined;
  for await (const { bytes } of lines(dirname(file), basename(file))) {
    const [, position] = POSITION.exec(bytes.toString("utf8")) ?? [];
    last = position ?? last;
  }
  return last;
}

/** The row, or what is wrong with the line. */
function parse({ bytes }: Line, tables: ReadonlyMap<string, AnyTable>): NamedRow | string {
  let record: unknown;
  try {
    record = JSON.parse(bytes.toString("utf8"));
  } catch {
    return "It is not JSON.";
  }
  if (!isObject(record)) return "It is no object.";
  const other = Object.keys(record).find((name) => !MEMBERS.includes(name));
  if (other !== undefined) return `It has no member ${other}.${didYouMean(other, MEMBERS)}`;
  const { table: name, key } = record;
  const table = typeof name === "string" ? tables.get(name) : undefined;
  if (table === undefined)
    return `There is no table ${JSON.stringify(name)}.${didYouMean(String(name), tables.keys())}`;
  const values = isObject(key) ? table.key.map((column) => key[column]) : [key].flat();
  if (values.length !== table.key.length) return `The key is (${table.key.join(", ")}).`;
  const parts = values.map((value, at) => keyPart(table, table.key[at] ?? "", value));
  if (parts.includes(undefined)) return `${JSON.stringify(key)} is no key of ${table.name}.`;
  return { table, key: parts as Key };
}

function keyPart({ columns }: AnyTable, column: string, value: unknown): KeyPart | undefined {
  const isNumber = ["int", "bigint", "instant"].includes(columns[column]?.type ?? "");
  if (!isNumber) return typeof value === "string" ? value : undefined;
  // JSON's numbers are exact up to 2^53; a larger key comes as text.
  const text = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== "string" || !/^-?\d{1,19}$/.test(text)) return undefined;
  return columns[column]?.type === "bigint" ? BigInt(text) : Number(text);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refused(problems: readonly Problem[]): PipelineError {
  return new PipelineError("input_invalid", "Some change records cannot be read.", {
    hint: 'Write one object a line: {"table":"articles","key":42}.',
    problems,
  });
}
