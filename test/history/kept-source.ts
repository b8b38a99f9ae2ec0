import type { Source } from "../../src/source/source.ts";
import { type SqliteConnection, sqliteConnection } from "../../src/source/sqlite-connection.ts";
import { sqliteSource } from "../../src/source/sqlite-source.ts";

/** A SQLite source whose reads, one after another, are on one connection that keeps its statements. */
export function openKeptSource(file: string): Source {
  const connection = sqliteConnection(file, { readOnly: true });
  const open = (): SqliteConnection => {
    let isBegun = false;
    return {
      ...connection,
      run(sql, params) {
        isBegun ||= sql === "BEGIN";
        return connection.run(sql, params);
      },
      close() {
        if (isBegun) connection.run("COMMIT");
      },
    };
  };
  const close = async () => connection.close();
  return { ...sqliteSource(file, open), [Symbol.asyncDispose]: close };
}
