import { PipelineError, type Problem } from "../error.ts";
import type { AnyTable, Row } from "../site.ts";
import { missingSchema } from "./schema.ts";
import type { Rows } from "./source.ts";
import { sqlRows } from "./sql-rows.ts";
import { sqliteConnection } from "./sqlite-connection.ts";
import { SQLITE } from "./sqlite-dialect.ts";
import { SQLITE_SCHEMA } from "./sqlite-schema.ts";
import { sqliteSnapshot } from "./sqlite-source.ts";
import { sqliteStorage } from "./sqlite-storage.ts";
import { insertSql } from "./write-sql.ts";

/** Problems that are told one by one; of the others only the number is. */
const SHOWN_PROBLEMS = 20;

/** Rows on their way into a target: checked, sorted by key, on disk when they are many. */
export interface Stage extends AsyncDisposable {
  readonly rows: Rows;
  /** False, and nothing is kept, when the table has a row with this key. */
  insert(table: AnyTable, row: Row): boolean;
  report(problem: Problem): void;
  /** @throws PipelineError `input_invalid` when a problem was reported */
  check(): void;
}

/** Opens a stage for `tables` in a temporary file that goes with it. */
export async function openStage(tables: readonly AnyTable[]): Promise<Stage> {
  // The empty name is SQLite's for a temporary database that spills to disk.
  const connection = sqliteConnection("");
  connection.run("BEGIN");
  for (const { sql } of await missingSchema(SQLITE_SCHEMA, sqliteStorage(connection), tables, [])) {
    connection.run(sql);
  }
  const problems: Problem[] = [];
  let count = 0;
  return {
    rows: sqlRows(sqliteSnapshot(connection), 0),
    insert(table, row) {
      const { sql, params } = insertSql(SQLITE, table, [row], "INSERT OR IGNORE");
      return connection.run(sql, params) === 1;
    },
    report(problem) {
      count += 1;
      if (count <= SHOWN_PROBLEMS) problems.push(problem);
    },
    check() {
      if (count > 0) throw badInput(problems, count);
    },
    [Symbol.asyncDispose]: async () => connection.close(),
  };
}

function badInput(problems: readonly Problem[], count: number): PipelineError {
  const [first] = problems;
  const rows = count === 1 ? "One row" : `${count} rows`;
  const message = `${rows} of the input cannot be loaded, so nothing was. ${first?.place}: ${first?.message}`;
  return new PipelineError("input_invalid", message, {
    hint: "Correct the lines and load again.",
    at: { place: first?.place ?? "" },
    problems,
  });
}
