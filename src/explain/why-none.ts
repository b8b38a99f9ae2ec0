import type { Bar } from "../ledger/ledger.ts";
import { nearest } from "../nearest.ts";
import { routesLike } from "../pipeline/routes-like.ts";
import type { Run } from "../pipeline/run.ts";
import { BATCH, type PlanContext } from "../plan/context.ts";
import { existenceColumns, foundRow } from "../plan/row-pages.ts";
import {
  decodeKey,
  encodeKey,
  isSamePage,
  isVisible,
  type Key,
  keyName,
  matchRoute,
  type Row,
  type RowKind,
} from "../site.ts";

/** Why no page has a route, as full sentences: the row that would have it, or that nothing makes it. */
export async function whyNone({ context, tally }: Run, route: string): Promise<readonly string[]> {
  const bars = context.bars.barred.filter((each) => each.route === route);
  const told = bars.map(whyBarred);
  for (const kind of context.site.kinds) {
    if (kind.is !== "row") continue;
    const key = await rowFor(kind, route, context);
    if (key === undefined) continue;
    const id = { kind: kind.name, key: encodeKey(key.key) };
    if (bars.some((bar) => isSamePage(bar, id))) continue;
    const bar = context.bars.barred.find((each) => isSamePage(each, id));
    const failure = tally.failureOf(id)?.message;
    told.push(bar ? whyBarred(bar) : (failure ?? whyHidden(kind, key, context.now)));
  }
  if (told.length > 0) return told;
  const meant = nearest(route, await routesLike(route, context));
  return [
    `No row, list or file makes a page at ${route}, and none is live there.`,
    ...(meant === undefined ? [] : [`Did you mean ${meant}?`]),
  ];
}

function whyBarred({ kind, key, route, since, reason }: Bar): string {
  const why = reason === "" ? "" : `, because of: ${reason}`;
  const name = `${kind} ${keyName(decodeKey(key))}`;
  return `Its page, ${name}, is taken down since ${moment(since)}${why}; \`nightbake takedown lift ${route}\` ends that.`;
}

/** The row of a kind whose page would have the route; looks through the table when its key does not say. */
async function rowFor(
  kind: RowKind,
  route: string,
  { rows, now }: PlanContext,
): Promise<{ readonly key: Key; readonly row: Row } | undefined> {
  const [column, ...more] = kind.route.columns;
  const value = matchRoute(kind.route, route);
  if (value === undefined || column === undefined || more.length > 0) return undefined;
  const see = existenceColumns(kind);
  const shown: RowKind = { ...kind, visible: { show: {} } };
  let after: Key | undefined;
  for (;;) {
    const batch = await rows.scan(kind.table, { see, after, limit: BATCH });
    for (const decoded of batch) {
      const [found] = decoded.row === undefined ? [] : foundRow(shown, decoded, now);
      if (found?.error === undefined && found?.route === route && decoded.row !== undefined)
        return decoded;
    }
    after = batch.findLast(({ key }) => key !== undefined)?.key;
    if (batch.length < BATCH || after === undefined) return undefined;
  }
}

function whyHidden(
  { name, table, visible }: RowKind,
  { key, row }: { readonly key: Key; readonly row: Row },
  now: number,
): string {
  const what = `Row ${table.name}/${keyName(key)} would be ${name} page there, but`;
  const { show = {}, from, until } = visible;
  const other = Object.entries(show).find(([column, value]) => row[column] !== value);
  if (other !== undefined)
    return `${what} its ${other[0]} is ${JSON.stringify(row[other[0]])}, not ${JSON.stringify(other[1])}.`;
  if (from !== undefined && !isVisible({ show: {}, from }, row, now))
    return `${what} its ${from} is ${moment(row[from])}.`;
  if (until !== undefined && !isVisible({ show: {}, until }, row, now))
    return `${what} its ${until} was ${moment(row[until])}.`;
  return `${what} no build has made it: another page has or wants the route.`;
}

function moment(at: unknown): string {
  return typeof at === "number" ? new Date(Math.floor(at / 1000)).toISOString() : "not set";
}
