import { statSync } from "node:fs";
import { PipelineError } from "../error.ts";
import { checkedOnce } from "./checked.ts";
import type { Source } from "./source.ts";
import type { Snapshot } from "./sql-rows.ts";
import { sqlRows } from "./sql-rows.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import { sqliteConnection } from "./sqlite-connection.ts";
import { SQLITE } from "./sqlite-dialect.ts";
import { sqliteStorage } from "./sqlite-storage.ts";
import { checkStored } from "./stored.ts";

/**
 * Opens a SQLite file for reading. Every `read` is one snapshot on a connection of its own: later
 * writes do not show in it, and (in WAL mode, which `load` sets) do not wait for it.
 * @throws PipelineError `source_rejected` when there is no such file
 */
export async function openSqliteSource(file: string): Promise<Source> {
  const open = () => sqliteConnection(file, { readOnly: true });
  open().close();
  return sqliteSource(file, open);
}

/** A source on connections to the file that `open` gives and that are closed. */
export function sqliteSource(file: string, open: () => SqliteConnection): Source {
  const known = checkedOnce();
  return {
    async check(tables, lists = []) {
      const connection = open();
      try {
        // It grows whenever a table or index changes; another file may be there by now, too.
        const [[version] = []] = connection.all("PRAGMA schema_version");
        const state = `${statSync(file).ino} ${version}`;
        await known.check({ state, tables, lists }, () =>
          checkStored(sqliteStorage(connection), tables, lists),
        );
      } finally {
        connection.close();
      }
    },
    async read(now, { at = [] } = {}) {
      if (at.length > 0) throw noPositions();
      const connection = open();
      try {
        connection.run("BEGIN");
        // The snapshot is taken by the first statement that reads.
        connection.all("SELECT 1 FROM sqlite_schema LIMIT 1");
      } catch (error) {
        connection.close();
        throw error;
      }
      return sqlRows(sqliteSnapshot(connection), now);
    },
    position: async () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

function noPositions(): PipelineError {
  return new PipelineError("input_invalid", "The embedded source has no positions.", {
    hint: "Leave --at out: what was committed is read.",
  });
}

/** Runs statements on `connection`; closing closes it. */
export function sqliteSnapshot(connection: SqliteConnection): Snapshot {
  return {
    dialect: SQLITE,
    all: async (statement) => connection.select(statement),
    many: async (built) => built.map((each) => connection.select(each)),
    close: async () => connection.close(),
  };
}
