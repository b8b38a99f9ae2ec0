import { takeTurns } from "./lease.ts";
import { packNumbers, unpackNumbers } from "./packed-tags.ts";
import { asText } from "./rows.ts";
import { BY_INDEX, query, queryIn, replaceRows, type Work } from "./sql.ts";

/** The numbers of these tags; those that have none yet get one. */
function* tagNumbers(names: Iterable<string>): Work<ReadonlyMap<string, number>> {
  const wanted = [...new Set(names)];
  const held = yield* heldNumbers(wanted);
  if (held.size === wanted.length) return held;
  yield* takeTurns();
  // Read again: another process may have been faster.
  const known = yield* heldNumbers(wanted);
  const fresh = wanted.filter((name) => !known.has(name));
  const [row] = yield* query("SELECT MAX(id) AS last FROM nb_tag");
  const last = Number(row?.["last"] ?? 0);
  const added = fresh.map((name, at) => [name, last + at + 1] as const);
  yield* replaceRows(
    "nb_tag",
    ["id", "name", "live"],
    added.map(([name, id]) => [id, name, 0]),
  );
  return new Map([...known, ...added]);
}

/** The names of tags by number. */
export function* tagNames(numbers: Iterable<number>): Work<ReadonlyMap<number, string>> {
  const rows = yield* queryIn("SELECT id, name FROM nb_tag WHERE id IN (?)", [...new Set(numbers)]);
  return new Map(rows.map(({ id, name }) => [Number(id), asText(name)]));
}

/** How many live pages carry each of these tags; one that none ever carried is 0. */
export function* countTagged(names: readonly string[]): Work<ReadonlyMap<string, number>> {
  const rows = yield* queryIn(`SELECT name, live FROM nb_tag ${BY_INDEX} WHERE name IN (?)`, names);
  const counts = new Map(rows.map(({ name, live }) => [asText(name), Number(live)]));
  return new Map(names.map((name) => [name, counts.get(name) ?? 0]));
}

/** Pages carry other tags than before; each list is packed numbers, null where nobody knows them. */
export function* recountTags(
  before: readonly (Uint8Array | null)[],
  after: readonly (Uint8Array | null)[],
): Work<void> {
  const more = new Map<number, number>();
  const add = (by: 1 | -1) => (tags: Uint8Array | null) => {
    for (const id of tags === null ? [] : unpackNumbers(tags))
      more.set(id, (more.get(id) ?? 0) + by);
  };
  before.forEach(add(-1));
  after.forEach(add(1));
  const changed = [...more.keys()].filter((id) => more.get(id) !== 0);
  if (changed.length === 0) return;
  yield* takeTurns();
  const rows = yield* queryIn("SELECT id, name, live FROM nb_tag WHERE id IN (?)", changed);
  const counted = rows.map(({ id, name, live }) => [
    Number(id),
    asText(name),
    Number(live) + (more.get(Number(id)) ?? 0),
  ]);
  yield* replaceRows("nb_tag", ["id", "name", "live"], counted);
}

/** Lists of tags as packed numbers, each tag once. */
export function* packTags(lists: readonly (readonly string[])[]): Work<readonly Buffer[]> {
  const numbers = yield* tagNumbers(lists.flat());
  return lists.map((tags) => packNumbers(new Set(tags.map((tag) => numbers.get(tag) ?? 0))));
}

function* heldNumbers(names: readonly string[]): Work<ReadonlyMap<string, number>> {
  const rows = yield* queryIn(`SELECT id, name FROM nb_tag ${BY_INDEX} WHERE name IN (?)`, names);
  return new Map(rows.map(({ id, name }) => [asText(name), Number(id)]));
}
