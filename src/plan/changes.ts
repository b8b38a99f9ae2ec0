import type { KnownRow, SeenRow } from "../ledger/ledger.ts";
import {
  decodeKey,
  keyName,
  listsOf,
  matchRoute,
  type PageId,
  pageName,
  type RowKind,
  redirectKind,
  type Step,
} from "../site.ts";
import { planChecks, stageChecks } from "./checks.ts";
import { planClashes } from "./clashes.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { stepFor } from "./exist.ts";
import { neighbours } from "./neighbours.ts";
import { archiveName, countName, newestName, readName, routeName } from "./read-names.ts";
import { checkStep, recut } from "./recut.ts";
import { redirectRoute } from "./redirect-pages.ts";
import {
  planAllRedirects,
  planRedirects,
  type Turned,
  touchAround,
  touchRedirects,
} from "./redirects.ts";
import { existenceColumns, foundRow } from "./row-pages.ts";
import { knownImage, type TableUse } from "./row-state.ts";
import { Touched, type TouchedPart } from "./touched.ts";
import { windowOf } from "./windows.ts";

/**
 * Plans from the rows that the run found changed: their own pages, the pages that joined them, the
 * list windows and neighbours at the places they left and entered, and, as long as that makes pages
 * appear or go, whatever links to those. Ends with the pages whose traces really differ.
 */
export async function planChanges(
  context: PlanContext,
  uses: readonly TableUse[],
  options: {
    readonly foldsCase: boolean;
    /** µs; when visibility was judged for the last release. */
    readonly lastNow: number;
    /** Places known to be touched beforehand. */
    readonly touched?: Touched;
    /** Pages whose route was taken last time, and most probably still is. */
    readonly clashed?: readonly PageId[];
  },
): Promise<void> {
  const { touched = new Touched(), clashed = [] } = options;
  for await (const { use, rows } of seenRows(context, uses)) {
    await planRows(context, use, rows, { touched, lastNow: options.lastNow });
  }
  const { followed = [] } = context;
  const turned = new Set([...clashed, ...followed].map(pageName));
  const left = await turnBack(context, touched, turned, followed);
  await spread(context, touched, turned);
  await spreadOut(context, touched, turned, await planClashes(context, options));
  if ((await turnBack(context, touched, turned, left)).length < left.length) {
    await spread(context, touched, turned);
  }
  // What links to a page whose route is still taken need not be looked at.
  const freed = await turnedSteps(context, clashed);
  if (freed.length > 0) {
    await turn(context, touched, freed.map(turnedPage));
    await spread(context, touched, turned);
    await spreadOut(context, touched, turned, await planClashes(context, options));
  }
  await planChecks(context);
}

/** Plans what follows when these pages, which were to appear, do not after all. */
export async function planWithout(all: PlanContext, failed: readonly Step[]): Promise<void> {
  if (failed.length === 0) return;
  const context = { ...all, isAgain: true, leavesFailed: true };
  const touched = new Touched();
  await turn(context, touched, failed.map(turnedPage));
  await spread(context, touched, new Set(failed.map(pageName)));
  await planChecks(context);
}

async function* seenRows(
  { ledger, run }: PlanContext,
  uses: readonly TableUse[],
): AsyncGenerator<{ readonly use: TableUse; readonly rows: readonly SeenRow[] }> {
  const byName = new Map(uses.map((use) => [use.table.name, use]));
  let after: SeenRow | undefined;
  for (;;) {
    const seen = await ledger.seen(run, after, BATCH);
    for (const [table, rows] of Map.groupBy(seen, (row) => row.table)) {
      const use = byName.get(table);
      if (use !== undefined) yield { use, rows };
    }
    if (seen.length < BATCH) return;
    after = seen.at(-1);
  }
}

async function planRows(
  context: PlanContext,
  use: TableUse,
  rows: readonly SeenRow[],
  { touched, lastNow }: { readonly touched: Touched; readonly lastNow: number | undefined },
): Promise<void> {
  const { ledger, site, now } = context;
  const { table } = use;
  const keys = rows.map(({ key }) => key);
  const [known, beside = []] = await Promise.all([
    ledger.knownOf(table.name, keys),
    context.foundBeside?.(table.name, keys),
  ]);
  for (const list of listsOf(site.kinds).filter((each) => each.table === table)) {
    for (const [at, row] of rows.entries()) {
      const before = known[at];
      touched.image(list, before && knownImage(use, before), lastNow);
      for (const { now: other } of beside[at] ?? []) {
        touched.image(list, other && knownImage(use, other), now);
      }
      touched.image(list, row.now && knownImage(use, row.now), now);
    }
  }
  const names = rows.map(({ key }) => readName(`row:${table.name}/${keyName(decodeKey(key))}`));
  await stageChecks(context, await ledger.readers(names), `row:${table.name}`);
  const [due, edited] = [[], []] as [Uint8Array[], Uint8Array[]];
  for (const [at, row] of rows.entries()) (isOnlyDue(known[at], row) ? due : edited).push(row.key);
  if (redirectKind(site.kinds)?.list?.table === table) {
    await touchRedirects(context, touched, rows.map(redirectRoute));
  }
  for (const kind of site.kinds) {
    if (kind.is !== "row" || kind.table !== table) continue;
    await planOwnPages(kind, edited, context);
    await planOwnPages(kind, due, context, "clock");
  }
}

/** True when nothing but the clock has changed a row. */
function isOnlyDue(before: KnownRow | undefined, { now }: SeenRow): boolean {
  if (before === undefined || now === undefined) return false;
  return Buffer.compare(before.hash, now.hash) === 0 && before.dueAt !== now.dueAt;
}

/**
 * Steps for the pages that belong to rows: they appear, go, move, or are checked. `cause` is the
 * class of the reason of those that appear or go, when it is not that their rows do.
 */
export async function planOwnPages(
  kind: RowKind,
  keys: readonly Uint8Array[],
  context: PlanContext,
  cause?: "clock",
): Promise<void> {
  if (keys.length === 0) return;
  const { ledger, run, rows, now } = context;
  const ids = keys.map((key) => ({ kind: kind.name, key }));
  context.onOwn?.(ids);
  const [decoded, live] = await Promise.all([
    rows.rows(kind.table, { see: existenceColumns(kind), keys: keys.map(decodeKey) }),
    ledger.pages(ids),
  ]);
  const steps = keys.flatMap((key, at): readonly Step[] => {
    const row = decoded[at];
    const found = row === undefined ? undefined : foundRow(kind, row, now)[0];
    const page = live[at];
    const made = stepFor(kind, kind.name, { found, live: page }, context);
    const name = `${kind.table.name}/${keyName(decodeKey(key))}`;
    if (made.length > 0 || page === undefined || found?.error !== undefined) {
      return cause === undefined ? made : made.map((step) => withCause(step, `${cause}:${name}`));
    }
    return [checkStep(page, `row:${name}`)];
  });
  await ledger.stage(run, steps);
}

function withCause(step: Step, reason: string): Step {
  return step.reason === "absent" || step.reason === "gone" ? { ...step, reason } : step;
}

/**
 * Follows touched places to pages, and pages that appear or go to touched places, until both rest.
 * Pages named in `turned` are not followed; those that are join it.
 */
async function spread(context: PlanContext, touched: Touched, turned: Set<string>): Promise<void> {
  for (;;) {
    for (const part of touched.take()) await planPart(part, context);
    const news = await turnedPages(context, turned);
    if (news.length > 0) {
      await turn(context, touched, news);
      continue;
    }
    // Redirects follow from where the other pages are, so they come when those are settled.
    const redirects = touched.takeRedirects();
    if (redirects.length === 0) return;
    if (redirects === "all") await planAllRedirects(context);
    else await planRedirects(context, redirects);
  }
}

/** Pages that clashes took out of the plan leave their routes to redirects after all. */
async function spreadOut(
  context: PlanContext,
  touched: Touched,
  turned: Set<string>,
  out: readonly Step[],
): Promise<void> {
  await touchAround(context, touched, out.map(turnedPage));
  await spread(context, touched, turned);
}

async function planPart(part: TouchedPart, context: PlanContext): Promise<void> {
  const { ledger, run, site } = context;
  context.onTouched(part);
  for (const kind of site.kinds) {
    if (kind.is !== "list" || kind.list !== part.list) continue;
    const steps = await recut(kind, part, context);
    await ledger.stage(
      run,
      steps.filter((step) => step.action !== "check" && !context.hasFailed(step)),
    );
    const checks = steps.filter(({ action }) => action === "check");
    await stageChecks(context, checks, `list:${part.list.name}`);
  }
  const names = [newestName, countName].map((name) => name(part.list.name, part.part));
  const readers = await ledger.readers(names);
  await stageChecks(context, readers, `list:${part.list.name}`);
  await stageChecks(context, await neighbours(part, context), `list:${part.list.name}`);
}

/** Follows what does not become of pages as was planned before; gives the steps that stay. */
async function turnBack(
  context: PlanContext,
  touched: Touched,
  turned: Set<string>,
  followed: readonly Step[],
): Promise<readonly Step[]> {
  if (followed.length === 0) return followed;
  const steps = await context.ledger.stepsOf(context.run, followed);
  const isOther = ({ action, route, from }: Step, at: number) => {
    const step = steps[at];
    return step?.action !== action || step.route !== route || step.from !== from;
  };
  const others = followed.filter(isOther);
  for (const step of others) turned.delete(pageName(step));
  if (others.length > 0) await turn(context, touched, others.map(turnedPage));
  return followed.filter((step, at) => !isOther(step, at));
}

/** Pages that the plan makes appear, go or move and that nothing has followed yet. */
async function turnedPages(
  { ledger, run }: PlanContext,
  turned: Set<string>,
): Promise<readonly Turned[]> {
  const news: Turned[] = [];
  let after: Step | undefined;
  for (;;) {
    const steps = await ledger.staged(run, { ...(after && { after }), limit: BATCH });
    for (const step of steps) {
      if (!isTurn(step) || turned.has(pageName(step))) continue;
      turned.add(pageName(step));
      news.push(turnedPage(step));
    }
    if (steps.length < BATCH) return news;
    after = steps.at(-1);
  }
}

/** Steps of these pages that make them appear, go or move. */
async function turnedSteps(
  { ledger, run }: PlanContext,
  pages: readonly PageId[],
): Promise<readonly Step[]> {
  if (pages.length === 0) return [];
  const steps = await ledger.stepsOf(run, pages);
  return steps.filter((step) => step !== undefined).filter(isTurn);
}

function isTurn({ action, from }: Step): boolean {
  return action === "create" || action === "delete" || from !== undefined;
}

function turnedPage({ kind, key, route, from }: Step): Turned {
  return { kind, key, routes: from === undefined ? [route] : [route, from] };
}

/** Checks what links to these pages, and touches the places of the entries that lead to them. */
async function turn(
  context: PlanContext,
  touched: Touched,
  pages: readonly Turned[],
): Promise<void> {
  const { ledger, site, rows } = context;
  const routes = pages.flatMap((page) => page.routes);
  const archives = pages.flatMap(({ kind: name, key }) => {
    const kind = site.kinds.find((each) => each.name === name);
    if (kind?.is !== "list") return [];
    return [archiveName(name, windowOf(kind.list, decodeKey(key)).part)];
  });
  const names = [...routes.map(routeName), ...archives];
  await stageChecks(context, await ledger.readers(names), "page");
  await touchAround(context, touched, pages);
  for (const list of listsOf(site.kinds)) {
    const { item } = list;
    const own = pages.filter(({ kind }) => kind === item?.kind).map(({ key }) => decodeKey(key));
    if (item !== undefined && own.length > 0) {
      for (const place of await rows.placesBy(list, item.key, own)) touched.place(list, place);
    }
    for (const link of Object.values(list.links)) {
      const values = routes.flatMap((route) => matchRoute(link, route) ?? []);
      if (values.length === 0) continue;
      const tuples = values.flatMap((value) => [[value], [`${value}/`]]);
      for (const place of await rows.placesBy(list, link.columns, tuples)) {
        touched.place(list, place);
      }
    }
  }
}
