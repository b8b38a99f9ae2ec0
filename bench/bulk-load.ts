import { loadSite } from "../src/load-site.ts";
import { type AnyTable, listsOf, type Row, tablesOf } from "../src/site.ts";
import type { LoadTarget } from "../src/source/load-target.ts";
import { type DataSet, listed } from "./data-sets.ts";

const ROWS_PER_WRITE = 500;
const ROWS_PER_COMMIT = 50_000;

/** Fills new tables of the demo site; gives the number of rows by table. Nothing is compared. */
export async function bulkLoad(
  config: string,
  target: LoadTarget,
  data: DataSet,
): Promise<ReadonlyMap<string, number>> {
  const { kinds } = await loadSite(config, undefined);
  const [tables, lists] = [tablesOf(kinds), listsOf(kinds)];
  const counts = new Map<string, number>();
  for (const table of tables) {
    let count = 0;
    for await (const rows of inBatches(rowsOf(table, data), ROWS_PER_COMMIT)) {
      await using transaction = await target.begin(tables, lists);
      for (let at = 0; at < rows.length; at += ROWS_PER_WRITE) {
        const inserts = rows.slice(at, at + ROWS_PER_WRITE);
        await transaction.write(table, { inserts, updates: [], deletes: [] });
      }
      await transaction.commit();
      count += rows.length;
    }
    counts.set(table.name, count);
  }
  return counts;
}

/** The data set's rows of a table of the demo site. */
export function rowsOf({ name }: AnyTable, data: DataSet): AsyncGenerator<Row> {
  if (name === "article_tags") return listed(data.articles());
  if (name === "articles" || name === "users" || name === "activities") return data[name]();
  throw new Error(`No data set has rows of ${name}.`);
}

async function* inBatches(rows: AsyncGenerator<Row>, size: number): AsyncGenerator<Row[]> {
  let batch: Row[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
