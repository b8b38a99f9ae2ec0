import type { AnyTable, Column, Json, ListingFill, Row } from "../site.ts";
import { declaration } from "./decode.ts";
import { Flaw } from "./flaw.ts";
import { inputParser, readField, readInput } from "./input.ts";
import { scanAll } from "./merge.ts";
import { lines } from "./ndjson.ts";
import type { Rows } from "./source.ts";
import type { Stage } from "./stage.ts";

/** Rows between two calls of `onRows`. */
const PROGRESS_ROWS = 500;

interface Staging {
  readonly table: AnyTable;
  readonly stage: Stage;
  readonly onRows: (rows: number) => void;
}

/** Stages the rows of a file and gives their number; bad lines become problems of the stage. */
export async function stageFile(
  staging: Staging & { readonly dir: string; readonly file: string },
): Promise<number> {
  const { table, stage, onRows, dir, file } = staging;
  const parse = inputParser(table);
  let rows = 0;
  for await (const { number, bytes } of lines(dir, file)) {
    const place = `${file}:${number}`;
    noting(stage, place, () => insert(staging, place, readInput(table, parse(bytes))));
    rows += 1;
    if (rows % PROGRESS_ROWS === 0) onRows(rows);
  }
  return rows;
}

/**
 * Stages a listing table's rows, made of those of its table, and gives their number. An array that
 * does not fit becomes a problem of the stage.
 */
export async function stageFill(
  staging: Staging & { readonly fill: ListingFill; readonly from: Rows },
): Promise<number> {
  const { table, fill, from, stage, onRows } = staging;
  let rows = 0;
  for await (const { key, row, error } of scanAll(fill.of, from)) {
    if (row === undefined) throw error;
    const place = `${fill.of.name}/${key.join(",")}.${fill.each}`;
    noting(stage, place, () => {
      for (const each of filledRows(table, fill, row)) {
        insert(staging, place, each);
        rows += 1;
        if (rows % PROGRESS_ROWS === 0) onRows(rows);
      }
    });
  }
  return rows;
}

/** One row for each distinct element. */
function filledRows(table: AnyTable, fill: ListingFill, row: Row): readonly Row[] {
  const elements = row[fill.each] ?? [];
  if (!Array.isArray(elements)) throw new Flaw(`${fill.each} is not an array.`);
  const column = declaration(table, fill.as);
  const copied = Object.entries(fill.copy).map(([name, from]) => [name, row[from]] as const);
  const distinct = new Set(elements.map((each: Json) => readElement(each, column)));
  return [...distinct].map((each) => Object.fromEntries([...copied, [fill.as, each]]));
}

function readElement(element: Json, column: Column): unknown {
  try {
    return readField(element, column);
  } catch (flaw) {
    throw flaw instanceof Flaw ? new Flaw(`An element ${flaw.message}.`) : flaw;
  }
}

function insert({ table, stage }: Staging, place: string, row: Row): void {
  if (stage.insert(table, row)) return;
  const key = table.key.map((name) => String(row[name])).join(",");
  stage.report({ place, message: `The key ${key} occurs twice in ${table.name}.` });
}

function noting(stage: Stage, place: string, work: () => void): void {
  try {
    work();
  } catch (flaw) {
    if (!(flaw instanceof Flaw)) throw flaw;
    stage.report({ place, message: flaw.message });
  }
}
