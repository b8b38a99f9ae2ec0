import { PipelineError } from "../error.ts";
import { fromFlaw, isAway, keyName, type PageId, type RedirectKind, toFlaw } from "../site.ts";
import type { PlanContext } from "./context.ts";
import { plannedPages, takenRoutes } from "./planned.ts";

/** Where the redirect at a route leads in the end; undefined where there is none. */
export type Resolved =
  | { readonly to: string; readonly error?: undefined }
  | { readonly error: PipelineError }
  | undefined;

/** What a line of `content/redirects.txt` or a row says of a route. */
type Declared =
  | {
      readonly to: string;
      readonly at: Readonly<Record<string, string>>;
      readonly error?: undefined;
    }
  | { readonly error: PipelineError };

/** Redirects to redirects that are followed; nobody means more. */
const MAX_HOPS = 50;

interface Walk {
  readonly declared: Declared | undefined;
  readonly hops: string[];
  readonly result: Resolved;
  readonly isDone: boolean;
}

/**
 * Follows the redirects at these routes to the pages they lead to as planned; result n belongs to
 * route n. A page at a route hides every redirect there, and a declared redirect the route history.
 */
export async function resolveRedirects(
  kind: RedirectKind,
  context: PlanContext,
  routes: readonly string[],
): Promise<readonly Resolved[]> {
  let walks: readonly Walk[] = routes.map((route) => ({
    declared: undefined,
    hops: [route],
    result: undefined,
    isDone: false,
  }));
  while (walks.some(({ isDone }) => !isDone)) {
    const at = walks.flatMap(({ isDone, hops }) => (isDone ? [] : [hops.at(-1) ?? ""]));
    const there = await lookAt(kind, context, [...new Set(at)]);
    walks = walks.map((walk) => (walk.isDone ? walk : step(walk, there)));
  }
  return walks.map(({ result }) => result);
}

/** What there is at some routes. */
interface There {
  /** Routes that pages have. */
  readonly taken: ReadonlySet<string>;
  readonly declared: ReadonlyMap<string, Declared>;
  /** Routes of the pages that had a route before. */
  readonly former: ReadonlyMap<string, string>;
}

function step(walk: Walk, { taken, declared, former }: There): Walk {
  const { hops } = walk;
  const route = hops.at(-1) ?? "";
  const isFirst = hops.length === 1;
  const end = (result: Resolved): Walk => ({ ...walk, result, isDone: true });
  if (taken.has(route)) return end(isFirst ? undefined : { to: route });
  const own = declared.get(route);
  const flaw = isFirst ? fromFlaw(route) : undefined;
  if (flaw !== undefined) return end(own && { error: own.error ?? misplaced(route, flaw, own.at) });
  const first = isFirst ? own : walk.declared;
  if (own === undefined) {
    const to = former.get(route);
    if (to !== undefined) return end({ to });
    return end(isFirst ? undefined : failed(first, `leads to ${route}, where there is no page`));
  }
  if (own.error !== undefined) {
    return end(isFirst ? own : failed(first, `leads to ${route}, whose own redirect is wrong`));
  }
  if (isAway(own.to)) return end({ to: new URL(own.to).href });
  if (hops.includes(own.to)) {
    return end(failed(first, `leads in a circle: ${[...hops, own.to].join(" to ")}`));
  }
  if (hops.length > MAX_HOPS) return end(failed(first, `takes more than ${MAX_HOPS} steps`));
  return { ...walk, declared: first, hops: [...hops, own.to] };
}

function failed(declared: Declared | undefined, what: string): Resolved {
  if (declared === undefined || declared.error !== undefined) return declared;
  const error = new PipelineError("redirect_invalid", `The redirect ${what}.`, {
    hint: "Correct where it leads, or take it out.",
    at: declared.at,
  });
  return { error };
}

async function lookAt(
  kind: RedirectKind,
  context: PlanContext,
  routes: readonly string[],
): Promise<There> {
  const [taken, declared, former] = await Promise.all([
    takenRoutes(context, kind, routes),
    declaredAt(kind, context, routes),
    formerRoutes(context, routes),
  ]);
  return { taken, declared, former };
}

/** Lines come before rows. */
async function declaredAt(
  kind: RedirectKind,
  { redirects, rows }: PlanContext,
  routes: readonly string[],
): Promise<ReadonlyMap<string, Declared>> {
  const declared = new Map<string, Declared>();
  const { list } = kind;
  if (list !== undefined) {
    const { table, by = "" } = list;
    const found = await rows.rows(table, { see: [by], keys: routes.map((route) => [route]) });
    for (const [n, route] of routes.entries()) {
      const { row, error } = found[n] ?? {};
      if (error !== undefined) declared.set(route, { error });
      if (row === undefined) continue;
      const at = { table: table.name, key: keyName([route]) };
      declared.set(route, checked(String(row[by]), { ...at, column: by }, at));
    }
  }
  const wanted = new Set(routes);
  for (const { from, to, at } of redirects) if (wanted.has(from)) declared.set(from, { to, at });
  return declared;
}

function misplaced(
  route: string,
  flaw: string,
  at: Readonly<Record<string, string>>,
): PipelineError {
  const message = `There cannot be a redirect at ${JSON.stringify(route.slice(0, 80))}: that ${flaw}.`;
  return new PipelineError("route_invalid", message, {
    hint: "Write the route as it was, e.g. /articles/x/.",
    at,
  });
}

function checked(
  to: string,
  at: Readonly<Record<string, string>>,
  row: Readonly<Record<string, string>>,
): Declared {
  const flaw = toFlaw(to);
  if (flaw === undefined) return { to, at: row };
  const message = `The redirect cannot lead to ${JSON.stringify(to.slice(0, 80))}: that ${flaw}.`;
  const hint =
    "Write a route of this site, e.g. /articles/x/, or an address that begins with https:.";
  return { error: new PipelineError("redirect_invalid", message, { hint, at }) };
}

/** The routes that pages have now which had one of these before: in the history, or until this plan. */
async function formerRoutes(
  context: PlanContext,
  routes: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { ledger } = context;
  const [former, leaving] = await Promise.all([
    ledger.formerAt(routes),
    leavingPages(context, routes),
  ]);
  const pages = new Map<string, PageId>(former.map((each) => [each.route, each]));
  for (const [route, page] of leaving) pages.set(route, page);
  const planned = await plannedPages(context, [...pages.values()]);
  return new Map(
    [...pages.keys()].flatMap((route, at) => {
      const page = planned[at];
      return page === undefined ? [] : [[route, page.route] as const];
    }),
  );
}

/** Pages of rows that this plan moves away from these routes; the history will have them. */
async function leavingPages(
  { ledger, run, site }: PlanContext,
  routes: readonly string[],
): Promise<readonly (readonly [string, PageId])[]> {
  const wanted = new Set(routes);
  const ofRows = new Set(site.kinds.filter(({ is }) => is === "row").map(({ name }) => name));
  const folded = await ledger.liveFolded(routes);
  const live = folded.filter(({ route, kind }) => wanted.has(route) && ofRows.has(kind));
  const steps = await ledger.stepsOf(run, live);
  return live.flatMap((page, at) => (steps[at]?.from === page.route ? [[page.route, page]] : []));
}
