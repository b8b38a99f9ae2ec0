import { type PageId, type RedirectKind, redirectKind, type Step } from "../site.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { planExistence, stepFor } from "./exist.ts";
import { checkStep } from "./recut.ts";
import { foundRedirects, redirectPage } from "./redirect-pages.ts";
import type { Touched } from "./touched.ts";

/** A page that appears, goes or moves: the routes it had or will have. */
export type Turned = PageId & { readonly routes: readonly string[] };

/** Stages what appears, goes and changes among all redirect pages; run it when the others are planned. */
export async function planAllRedirects(
  context: PlanContext,
  options: Parameters<typeof planExistence>[2] = {},
): Promise<void> {
  const { ledger, run, site } = context;
  const kind = redirectKind(site.kinds);
  if (kind === undefined) return;
  await planExistence(kind, context, options);
  let after: Step | undefined;
  for (;;) {
    const steps = await ledger.staged(run, { ...(after && { after }), limit: BATCH });
    await planRedirects(
      context,
      steps.flatMap(({ from }) => from ?? []),
    );
    if (steps.length < BATCH) return;
    after = steps.at(-1);
  }
}

/**
 * Plans the redirect pages at these routes anew, from the other pages as planned: they appear, go,
 * lead elsewhere or stay, whatever the plan said of them before.
 */
export async function planRedirects(
  context: PlanContext,
  routes: readonly string[],
): Promise<void> {
  const kind = redirectKind(context.site.kinds);
  for (let at = 0; kind !== undefined && at < routes.length; at += BATCH) {
    await planBatch(kind, context, routes.slice(at, at + BATCH));
  }
}

async function planBatch(
  kind: RedirectKind,
  context: PlanContext,
  routes: readonly string[],
): Promise<void> {
  const { ledger, run, hasFailed } = context;
  const ids = routes.map((route) => redirectPage(kind, route));
  const isLost = ids.map(hasFailed);
  const [found, live] = await Promise.all([
    foundRedirects(kind, context, routes),
    ledger.pages(ids),
  ]);
  const steps = ids.flatMap((_, at): readonly Step[] => {
    const [page, now] = [live[at], found[at]];
    // It failed in this run already; its last good version stays as long as it leads somewhere.
    if (isLost[at] && now?.error === undefined && now !== undefined) return [];
    const made = stepFor(kind, kind.name, { found: now, live: page }, context);
    const isUnknown = page !== undefined && page.hash === undefined && now?.error === undefined;
    return made.length === 0 && isUnknown ? [checkStep(page, "unfinished")] : made;
  });
  await ledger.unstage(run, ids);
  if (steps.length > 0) await ledger.stage(run, steps);
}

/** Touches the redirects that may appear, go or lead elsewhere because these pages do. */
export async function touchAround(
  context: PlanContext,
  touched: Touched,
  pages: readonly Turned[],
): Promise<void> {
  const kind = redirectKind(context.site.kinds);
  if (kind === undefined) return;
  const others = pages.filter((page) => page.kind !== kind.name);
  const former = await context.ledger.formerOf(others);
  const routes = [...others.flatMap((page) => page.routes), ...former.map(({ route }) => route)];
  await touchRedirects(context, touched, routes);
}

/** Touches the redirects at these routes, and all that lead there, perhaps through others. */
export async function touchRedirects(
  context: PlanContext,
  touched: Touched,
  routes: readonly string[],
): Promise<void> {
  const kind = redirectKind(context.site.kinds);
  if (kind === undefined) return;
  const seen = new Set<string>();
  let next = routes;
  while (next.length > 0) {
    for (const route of next) {
      seen.add(route);
      touched.redirect(route);
    }
    const leading = await leadingTo(kind, context, next);
    next = [...new Set(leading)].filter((route) => !seen.has(route));
  }
}

/** Routes whose declared redirects lead to one of these. */
async function leadingTo(
  { list }: RedirectKind,
  { redirects, rows }: PlanContext,
  routes: readonly string[],
): Promise<readonly string[]> {
  const wanted = new Set(routes);
  const lines = redirects.filter(({ to }) => wanted.has(to)).map(({ from }) => from);
  if (list?.by === undefined) return lines;
  const tuples = routes.map((route) => [route]);
  const places = await rows.placesBy(list, [list.by], tuples);
  return [...lines, ...places.map(({ order }) => String(order[0]))];
}
