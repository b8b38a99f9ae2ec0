import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { Editor } from "./scale-edits.ts";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));

/** A copy of the demo site whose templates may be edited. */
export function copySite(dir: string): string {
  mkdirSync(join(dir, "site", "node_modules"), { recursive: true });
  for (const part of ["site.config.ts", "templates", "content"]) {
    cpSync(join(REPOSITORY, part), join(dir, "site", part), { recursive: true });
  }
  symlinkSync(REPOSITORY, join(dir, "site", "node_modules", "nightbake"));
  return join(dir, "site", "site.config.ts");
}

/** Asks and edits an embedded source, opened for each statement. */
export function sqliteEditor(file: string): Editor {
  const ask = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(file);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    write: async (sql, row) => void ask((database) => database.prepare(sql).run(...row)),
    one: async (sql, row = []) => ask((database) => database.prepare(sql).get(...row)) ?? {},
  };
}
