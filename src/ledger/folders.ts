import { takeTurns } from "./lease.ts";
import { ownersOf } from "./live.ts";
import { asText } from "./rows.ts";
import { queryIn, replaceRows, type Work } from "./sql.ts";

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
  yield* takeTurns();
  const known = yield* countsOf(changed);
  const counted = changed.map((folder) => {
    return [folder, (known.get(folder) ?? 0) + (more.get(folder) ?? 0)] as const;
  });
  const empty = counted.flatMap(([folder, live]) => (live > 0 ? [] : [folder]));
  yield* queryIn("DELETE FROM nb_folder WHERE folder IN (?)", empty);
  yield* replaceRows(
    "nb_folder",
    ["folder", "live"],
    counted.filter(([, live]) => live > 0),
  );
}

function* countsOf(folders: readonly string[]): Work<ReadonlyMap<string, number>> {
  const text = "SELECT folder, live FROM nb_folder WHERE folder IN (?)";
  const rows = yield* queryIn(text, folders);
  return new Map(rows.map(({ folder, live }) => [asText(folder), Number(live)]));
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
