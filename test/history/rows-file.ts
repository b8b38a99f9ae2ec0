import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
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
  const images = imagesOf(database);
  let last: ReadonlyMap<string, string> = new Map();
  const watched = (work: () => void) => {
    work();
    const [before, after] = [last, images()];
    last = after;
    const names = new Set([...before.keys(), ...after.keys()]);
    return [...names].filter((name) => before.get(name) !== after.get(name));
  };
  return {
    write: (changes) => watched(() => applyChanges(database, changes)),
    exec: (sql) => watched(() => database.exec(sql)),
    empty() {
      database.exec("DELETE FROM posts; DELETE FROM people; DELETE FROM topics; DELETE FROM moved");
      last = new Map();
    },
    [Symbol.dispose]: () => database.close(),
  };
}

/** Tells every row as text, by its name as a target. */
function imagesOf(database: DatabaseSync): () => ReadonlyMap<string, string> {
  const tables = Object.entries(TABLES).map(([table, key]) => ({
    table,
    key,
    all: database.prepare(`SELECT * FROM ${table}`),
  }));
  return () => new Map(tables.flatMap(({ table, key, all }) => all.all().map(imageOf(table, key))));
}

function imageOf(table: string, key: readonly string[]) {
  return (row: Readonly<Record<string, SQLOutputValue>>) => {
    const parts = key.map((column) => row[column]);
    const values = Object.values(row).map((value) =>
      value instanceof Uint8Array ? `x${Buffer.from(value).toString("hex")}` : String(value),
    );
    return [`${table}:${parts.join(",")}`, values.join("\0")] as const;
  };
}
