import {
  type AnyList,
  encodeKey,
  encodeRoute,
  fillRoute,
  type KeyPart,
  type Row,
} from "../site.ts";
import type { Decoded, Window } from "../source/source.ts";
import type { PlanContext } from "./context.ts";
import { type PlannedPage, plannedPages, plannedRoutes } from "./planned.ts";

/** An entry as a template sees it: the list's columns, and where it leads. */
export type Entry = Row & {
  /** Encoded path of the page that the entry links to; undefined for a list without `item`. */
  readonly href?: string;
  /** Encoded paths of the declared links whose routes exist. */
  readonly hrefs: Readonly<Record<string, string>>;
};

/**
 * Loads the entries of several windows of one list, each in its window's direction. An entry
 * whose page does not exist is left out; so is a bad row, which is reported.
 */
export async function loadEntries(
  context: PlanContext,
  list: AnyList,
  windows: readonly Window[],
): Promise<readonly (readonly Entry[])[]> {
  return await entriesOf(context, list, await context.rows.windows(list, windows));
}

/** Like {@link loadEntries}, of rows that have been read. */
export async function entriesOf(
  context: PlanContext,
  list: AnyList,
  decoded: readonly (readonly Decoded[])[],
): Promise<readonly (readonly Entry[])[]> {
  const rows = decoded.map((window) =>
    window.flatMap(({ row, error }) => {
      if (error !== undefined) context.onFailure({ page: undefined, error });
      return row === undefined ? [] : [row];
    }),
  );
  const all = rows.flat();
  const [pages, hrefs] = await Promise.all([
    itemPages(context, list, all),
    loadLinks(context, list.links, all),
  ]);
  const made = new Map(
    all.map((row, at) => [
      row,
      toEntry(list, row, pages?.[at], hrefs[at]?.hrefs ?? {}, pages !== undefined),
    ]),
  );
  return rows.map((window) => window.flatMap((row) => made.get(row) ?? []));
}

/** Where a row's links lead, and which of their routes exist. */
export interface LoadedLinks {
  /** Encoded paths of the links whose routes exist, by name. */
  readonly hrefs: Readonly<Record<string, string>>;
  /** All their routes. */
  readonly routes: readonly string[];
}

/** For each row, its declared links. */
export async function loadLinks(
  context: PlanContext,
  links: AnyList["links"],
  rows: readonly Row[],
): Promise<readonly LoadedLinks[]> {
  const names = Object.entries(links);
  const routes = rows.map((row) =>
    names.map(([name, link]) => [name, routeOf(link, row)] as const),
  );
  const wanted = new Set(routes.flat().flatMap(([, route]) => route ?? []));
  const existing = wanted.size === 0 ? wanted : await plannedRoutes(context, [...wanted]);
  return routes.map((each) => ({
    hrefs: Object.fromEntries(
      each.flatMap(([name, route]) =>
        route !== undefined && existing.has(route) ? [[name, encodeRoute(route)]] : [],
      ),
    ),
    routes: each.flatMap(([, route]) => route ?? []),
  }));
}

/** A link whose column is NULL or makes no valid route leads nowhere. */
function routeOf(link: AnyList["links"][string], row: Row): string | undefined {
  if (link.columns.some((column) => row[column] === null)) return undefined;
  try {
    return fillRoute(link, row);
  } catch {
    return undefined;
  }
}

async function itemPages(
  context: PlanContext,
  { item }: AnyList,
  rows: readonly Row[],
): Promise<readonly (PlannedPage | undefined)[] | undefined> {
  if (item === undefined) return undefined;
  const ids = rows.map((row) => ({
    kind: item.kind,
    key: encodeKey(item.key.map((column) => row[column] as KeyPart)),
  }));
  return await plannedPages(context, ids);
}

function toEntry(
  list: AnyList,
  row: Row,
  page: PlannedPage | undefined,
  hrefs: Readonly<Record<string, string>>,
  isItem: boolean,
): Entry | undefined {
  if (isItem && page === undefined) return undefined;
  const seen = Object.fromEntries(list.see.map((column) => [column, row[column]]));
  return page === undefined
    ? { ...seen, hrefs }
    : { ...seen, href: encodeRoute(page.route), hrefs };
}
