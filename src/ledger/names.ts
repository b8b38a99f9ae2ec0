import { takeCountTurns } from "./lease.ts";
import { asText } from "./rows.ts";
import { query, queryIn, replaceRows, type Work } from "./sql.ts";

/**
 * SQL of the number of the kind or table whose name is the next value; NULL, which nothing equals,
 * when it has none. Rows that there are millions of hold numbers of one byte instead of names.
 */
export const NUMBER = "(SELECT id FROM nb_name WHERE name = ?)";

/** SQL of a name, from the column that holds its number. */
export function nameOf(column: string): string {
  return `(SELECT name FROM nb_name WHERE id = ${column})`;
}

/** The numbers of these names; those that have none yet get one, for ever. */
export function* numbersOf(names: Iterable<string>): Work<ReadonlyMap<string, number>> {
  const wanted = [...new Set(names)];
  const known = yield* heldNumbers(wanted);
  if (known.size === wanted.length) return known;
  yield* takeCountTurns();
  // Read again: another process may have been faster.
  const held = yield* heldNumbers(wanted);
  const fresh = wanted.filter((name) => !held.has(name));
  const [row] = yield* query("SELECT MAX(id) AS last FROM nb_name");
  const last = Number(row?.["last"] ?? 0);
  const added = fresh.map((name, at) => [name, last + at + 1] as const);
  yield* replaceRows("nb_name", ["name", "id"], added);
  return new Map([...held, ...added]);
}

function* heldNumbers(names: readonly string[]): Work<ReadonlyMap<string, number>> {
  const rows = yield* queryIn("SELECT name, id FROM nb_name WHERE name IN (?)", names);
  return new Map(rows.map(({ name, id }) => [asText(name), Number(id)]));
}
