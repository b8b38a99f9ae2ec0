import { PipelineError } from "../error.ts";
import type { AnyList, AnyTable } from "../site.ts";
import type { LoadTarget } from "./load-target.ts";
import { type LoadCounts, mergeTable } from "./merge.ts";
import { inputFile } from "./ndjson.ts";
import { openStage } from "./stage.ts";
import { stageFile, stageFill } from "./staging.ts";

export type { LoadTarget } from "./load-target.ts";
export type { LoadCounts } from "./merge.ts";

/** What to load, and where. */
export interface LoadOptions {
  /** Folder of `TABLE.ndjson` or `TABLE.ndjson.gz`, one JSON object a line. */
  readonly dir: string;
  readonly tables: readonly AnyTable[];
  /** Each gets the index that its windows need. */
  readonly lists: readonly AnyList[];
  readonly target: LoadTarget;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far a load is in one table; `total` is known once its file is read and writing begins. */
export interface LoadProgress {
  readonly table: string;
  readonly rows: number;
  readonly total?: number;
}

/**
 * Makes the target's tables equal to the files of `dir`, in one transaction. A table with neither
 * file nor `fill` is created if missing and left alone; a `fill` comes after the table it is of.
 * Safe to run again: it then changes nothing. Memory does not grow with the files. Counts come in
 * the order of `tables`.
 * @throws PipelineError `input_invalid` with the first bad lines and their number, or `interrupted`
 *   when `signal` aborts, or `source_unavailable` or `source_rejected`; no row is written then
 */
export async function load(options: LoadOptions): Promise<readonly LoadCounts[]> {
  const { dir, tables, lists, target } = options;
  const files = inputFiles(dir, tables);
  await using stage = await openStage(tables);
  const totals = new Map<AnyTable, number>();
  for (const [table, file] of files) {
    const onRows = (rows: number) => tell(options, { table: table.name, rows });
    totals.set(table, await stageFile({ table, dir, file, stage, onRows }));
  }
  stage.check();
  await using transaction = await target.begin(tables, lists);
  const counts: LoadCounts[] = [];
  for (const table of tables) {
    const { name, fill } = table;
    if (!totals.has(table) && fill !== undefined) {
      const from = totals.has(fill.of) ? stage.rows : transaction.rows;
      const onRows = (rows: number) => tell(options, { table: name, rows });
      totals.set(table, await stageFill({ table, fill, from, stage, onRows }));
      stage.check();
    }
    const total = totals.get(table);
    if (total === undefined) continue;
    const onRows = (rows: number) => tell(options, { table: name, rows, total });
    counts.push(await mergeTable(table, stage.rows, transaction, onRows));
  }
  await transaction.commit();
  return counts;
}

function tell({ signal, onProgress }: LoadOptions, progress: LoadProgress): void {
  if (signal?.aborted) {
    throw new PipelineError("interrupted", "The load was stopped; no row was written.");
  }
  onProgress?.(progress);
}

function inputFiles(dir: string, tables: readonly AnyTable[]): ReadonlyMap<AnyTable, string> {
  const files = new Map<AnyTable, string>();
  for (const table of tables) {
    const file = inputFile(dir, table.name);
    if (file !== undefined) files.set(table, file);
  }
  if (files.size > 0) return files;
  const names = tables.map(({ name }) => `${name}.ndjson`);
  throw new PipelineError("input_invalid", "The folder holds no file of a declared table.", {
    hint: `Name the files ${names.join(", ")}, or add .gz.`,
    at: { dir },
  });
}
