import { digest, hexOf } from "../site.ts";
import { takeCountTurns } from "./lease.ts";
import { ownersOf } from "./live.ts";
import { asBytes, asText } from "./rows.ts";
import { addToRows, query, queryIn, replaceRows, type SqlRow, type Work } from "./sql.ts";

/** Of a folder's digest. Two that share them are counted together: an item there is used too seldom. */
const FOLDER_BYTES = 6;
/** Live pages read at a time. */
const BATCH = 5_000;

/** How many live pages have a route that begins with each of these folders, themselves included. */
export function* countBelow(folders: readonly string[]): Work<ReadonlyMap<string, number>> {
  const below = yield* countsOf(folders);
  const own = new Set((yield* ownersOf(folders)).map(({ route }) => route));
  return new Map(
    folders.map((folder) => [folder, (below.get(folder) ?? 0) + (own.has(folder) ? 1 : 0)]),
  );
}

/** Live pages left some routes and have others. A folder that is left by all stays, and counts 0. */
export function* recountFolders(left: readonly string[], taken: readonly string[]): Work<void> {
  const more = new Map<string, { readonly name: Uint8Array; by: number }>();
  const add = (by: 1 | -1) => (route: string) => {
    for (const folder of foldersAbove(route)) {
      const name = nameOf(folder);
      const key = hexOf(name);
      const known = more.get(key) ?? { name, by: 0 };
      known.by += by;
      more.set(key, known);
    }
  };
  left.forEach(add(-1));
  taken.forEach(add(1));
  const changed = [...more.values()].filter(({ by }) => by !== 0);
  yield* addFolders(changed.map(({ name }) => name));
  const counted = changed.map(({ name, by }) => [name, by] as const);
  yield* addToRows("nb_folder", { key: "folder", column: "live" }, counted);
}

/** Makes rows of those that have none yet. */
function* addFolders(names: readonly Uint8Array[]): Work<void> {
  if ((yield* namesOf(names)).size === names.length) return;
  yield* takeCountTurns();
  // Read again: another process may have been faster.
  const known = yield* namesOf(names);
  const fresh = names.filter((name) => !known.has(hexOf(name)));
  yield* replaceRows(
    "nb_folder",
    ["folder", "live"],
    fresh.map((name) => [name, 0]),
  );
}

function* namesOf(names: readonly Uint8Array[]): Work<ReadonlySet<string>> {
  const rows = yield* queryIn("SELECT folder FROM nb_folder WHERE folder IN (?)", names);
  return new Set(rows.map(({ folder }) => hexOf(asBytes(folder))));
}

/** Counts all live pages anew. */
export function* countFolders(): Work<void> {
  yield* query("DELETE FROM nb_folder");
  let after: SqlRow = { kind: 0, page_key: new Uint8Array(0) };
  for (;;) {
    const { kind = 0, page_key = null } = after;
    const rows = yield* query(
      `SELECT kind, page_key, route FROM nb_live
        WHERE kind >= ? AND (kind > ? OR page_key > ?) ORDER BY kind, page_key LIMIT ?`,
      [kind, kind, page_key, BATCH],
    );
    const routes = rows.map(({ route }) => asText(route));
    yield* recountFolders([], routes);
    if (rows.length < BATCH) return;
    after = rows.at(-1) ?? after;
  }
}

function* countsOf(folders: readonly string[]): Work<ReadonlyMap<string, number>> {
  const text = "SELECT folder, live FROM nb_folder WHERE folder IN (?)";
  const rows = yield* queryIn(text, folders.map(nameOf));
  const counts = new Map(rows.map(({ folder, live }) => [hexOf(asBytes(folder)), Number(live)]));
  return new Map(folders.map((folder) => [folder, counts.get(hexOf(nameOf(folder))) ?? 0]));
}

function nameOf(folder: string): Uint8Array {
  return digest(folder).subarray(0, FOLDER_BYTES);
}

/** The folders that a route is below, itself not: of `/a/b/` they are `/` and `/a/`. A row for each page would be dear. */
function foldersAbove(route: string): readonly string[] {
  const folders: string[] = [];
  for (
    let at = route.indexOf("/");
    at !== -1 && at < route.length - 1;
    at = route.indexOf("/", at + 1)
  ) {
    folders.push(route.slice(0, at + 1));
  }
  return folders;
}
