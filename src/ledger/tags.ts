import { takeCountTurns } from "./lease.ts";
import { packName, packNumbers, unpackName, unpackNumbers } from "./packed-tags.ts";
import { asBytes, foldOf } from "./rows.ts";
import { addToRows, BY_INDEX, query, queryIn, replaceRows, type SqlRow, type Work } from "./sql.ts";

/** A tag, its number and how many live pages carry it. */
interface Numbered {
  readonly id: number;
  readonly name: string;
  readonly live: number;
}

const TAG = "id,fold,name,live".split(",");

/** The names of tags by number. */
export function* tagNames(numbers: Iterable<number>): Work<ReadonlyMap<number, string>> {
  return new Map((yield* numbered(numbers)).map(({ id, name }) => [id, name]));
}

/** How many live pages carry each of these tags; one that none ever carried is 0. */
export function* countTagged(names: readonly string[]): Work<ReadonlyMap<string, number>> {
  const known = yield* named(names);
  return new Map(names.map((name) => [name, known.get(name)?.live ?? 0]));
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
  const changed = [...more].filter(([, by]) => by !== 0);
  yield* addToRows("nb_tag", { key: "id", column: "live" }, changed);
}

/** Lists of tags as packed numbers, each tag once. */
export function* packTags(lists: readonly (readonly string[])[]): Work<readonly Buffer[]> {
  const numbers = yield* tagNumbers(lists.flat());
  return lists.map((tags) => packNumbers(new Set(tags.map((tag) => numbers.get(tag) ?? 0))));
}

/** The numbers of these tags; those that have none yet get one. */
function* tagNumbers(names: Iterable<string>): Work<ReadonlyMap<string, number>> {
  const wanted = [...new Set(names)];
  const held = yield* named(wanted);
  const missing = wanted.some((name) => !held.has(name));
  const all = missing ? yield* addTags(wanted) : held;
  return new Map([...all].map(([name, { id }]) => [name, id]));
}

function* addTags(wanted: readonly string[]): Work<ReadonlyMap<string, Numbered>> {
  yield* takeCountTurns();
  // Read again: another process may have been faster.
  const known = yield* named(wanted);
  const [row] = yield* query("SELECT MAX(id) AS last FROM nb_tag");
  const last = Number(row?.["last"] ?? 0);
  const fresh = wanted.filter((name) => !known.has(name));
  const added = fresh.map((name, at) => ({ id: last + at + 1, name, live: 0 }));
  yield* keep(added);
  return new Map([...known, ...added.map((tag) => [tag.name, tag] as const)]);
}

function* numbered(numbers: Iterable<number>): Work<readonly Numbered[]> {
  const text = "SELECT id, name, live FROM nb_tag WHERE id IN (?)";
  return (yield* queryIn(text, [...new Set(numbers)])).map(decode);
}

/** Those of these tags that have a number. */
function* named(names: readonly string[]): Work<ReadonlyMap<string, Numbered>> {
  const text = `SELECT id, name, live FROM nb_tag ${BY_INDEX} WHERE fold IN (?)`;
  const rows = (yield* queryIn(text, names.map(foldOf))).map(decode);
  const wanted = new Set(names);
  return new Map(rows.flatMap((tag) => (wanted.has(tag.name) ? [[tag.name, tag] as const] : [])));
}

function* keep(tags: readonly Numbered[]): Work<void> {
  const rows = tags.map(({ id, name, live }) => [id, foldOf(name), packName(name), live]);
  yield* replaceRows("nb_tag", TAG, rows);
}

function decode(row: SqlRow): Numbered {
  const name = unpackName(asBytes(row["name"]));
  return { id: Number(row["id"]), name, live: Number(row["live"]) };
}
