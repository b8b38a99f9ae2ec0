import { DatabaseSync } from "node:sqlite";
import { applyChanges, type Change } from "../pipeline/rows.ts";
import { loosen } from "../pipeline/world.ts";

/** The rows of a small site, in tables that let bad values in. */
export interface RowsFile extends Disposable {
  /** Writes changes and gives every row that is not as before, as targets of a rebuild. */
  write(changes: readonly Change[]): readonly string[];
  /** Runs SQL. */
  exec(sql: string): readonly string[];
  empty(): void;
}

const TABLES = {
  posts: ["id"],
  people: ["handle"],
  topics: ["topic", "post_id"],
  moved: ["from_route"],
} as const;

/** Opens the file of a small site's source. */
export function openRowsFile(file: string): RowsFile {
  const database = new DatabaseSync(file, { readBigInts: true });
  loosen(database);
  const watched = (work: () => void) => {
    const before = imagesOf(database);
    work();
    const after = imagesOf(database);
    const names = new Set([...before.keys(), ...after.keys()]);
    return [...names].filter((name) => before.get(name) !== after.get(name));
  };
  return {
    write: (changes) => watched(() => applyChanges(database, changes)),
    exec: (sql) => watched(() => database.exec(sql)),
    empty: () =>
      database.exec("DELETE FROM posts; DELETE FROM people; DELETE FROM topics; DELETE FROM moved"),
    [Symbol.dispose]: () => database.close(),
  };
}

/** Every row as text, by its name as a target. */
function imagesOf(database: DatabaseSync): ReadonlyMap<string, string> {
  const rows = Object.entries(TABLES).flatMap(([table, key]) =>
    database
      .prepare(`SELECT * FROM ${table}`)
      .all()
      .map((row) => {
        const parts = key.map((column) => row[column]);
        const values = Object.values(row).map((value) =>
          value instanceof Uint8Array ? `x${Buffer.from(value).toString("hex")}` : String(value),
        );
        return [`${table}:${parts.join(",")}`, values.join("\0")] as const;
      }),
  );
  return new Map(rows);
}
