import { digest, hexOf } from "../site.ts";
import { takeCountTurns } from "./lease.ts";
import { ownersOf } from "./live.ts";
import { asBytes, asText } from "./rows.ts";
import { query, queryIn, replaceRows, type SqlRow, type Work } from "./sql.ts";

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

/** Live pages left some routes and have others. */
export function* recountFolders(left: readonly string[], taken: readonly string[]): Work<void> {
  const more = new Map<string, number>();
  const add = (by: 1 | -1) => (route: string) => {
    for (const folder of foldersAbove(route)) more.set(folder, (more.get(folder) ?? 0) + by);
  };
  left.forEach(add(-1));
  taken.forEach(add(1));
  const changed = [...more.keys()].filter((folder) => more.get(folder) !== 0);
  if (changed.length === 0) return;
  yield* takeCountTurns();
  const known = yield* countsOf(changed);
  const counted = changed.map((folder) => {
    return [nameOf(folder), (known.get(folder) ?? 0) + (more.get(folder) ?? 0)] as const;
  });
  const empty = counted.flatMap(([name, live]) => (live > 0 ? [] : [name]));
  yield* queryIn("DELETE FROM nb_folder WHERE folder IN (?)", empty);
  const others = counted.filter(([, live]) => live > 0);
  yield* replaceRows("nb_folder", ["folder", "live"], others);
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
