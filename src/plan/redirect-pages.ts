import {
  decodeKey,
  encodeKey,
  encodeRoute,
  foldRoute,
  isAway,
  type Key,
  type LoadedPage,
  type PageId,
  type RedirectKind,
} from "../site.ts";
import { BATCH, type Found, type PlanContext } from "./context.ts";
import { merged } from "./merged.ts";
import { type PlannedPage, takenRoutes } from "./planned.ts";
import { record } from "./reads.ts";
import { resolveRedirects } from "./resolve.ts";
import { pageTags } from "./tags.ts";

/** The redirect page at a route. */
export function redirectPage({ name }: RedirectKind, route: string): PageId {
  return { kind: name, key: encodeKey([route]) };
}

/** The route of a redirect page. */
export function redirectRoute({ key }: Pick<PageId, "key">): string {
  return String(decodeKey(key)[0]);
}

/** Where a redirect page leads: a route, or an address elsewhere. */
export function redirectTarget({ start }: Pick<PlannedPage, "start">): string {
  return start === undefined ? "" : String(decodeKey(start)[0]);
}

/**
 * The redirect pages that there should be, in key order: wherever lines, rows and the route history
 * lead away from. Routes that pages leave in this very plan are not among them, see `planRedirects`.
 */
export async function* findRedirectPages(
  kind: RedirectKind,
  context: PlanContext,
): AsyncGenerator<readonly Found[]> {
  const bad: Found[] = [];
  const all = merged([lines(context), rowRoutes(kind, context, bad), formerOnes(context)]);
  const folds = new Set<string>();
  let batch: string[] = [];
  for await (const route of all) {
    // A store that cannot tell two routes apart has the first. It is a folder, and so is its site small.
    if (context.foldsCase && folds.size === folds.add(foldRoute(route)).size) continue;
    batch.push(route);
    if (batch.length < BATCH) continue;
    yield await allFound(kind, context, batch);
    batch = [];
  }
  yield [...(await allFound(kind, context, batch)), ...bad];
}

/** The redirect pages that there should be at these routes; result n belongs to route n. */
export async function foundRedirects(
  kind: RedirectKind,
  context: PlanContext,
  routes: readonly string[],
): Promise<readonly (Found | undefined)[]> {
  const resolved = await resolveRedirects(kind, context, routes);
  const failed = routes.filter((_, at) => resolved[at]?.error !== undefined);
  const dangling = await danglingRoutes(kind, context, failed);
  return routes.map((route, at) => {
    const each = resolved[at];
    const { key } = redirectPage(kind, route);
    if (each === undefined) return undefined;
    if (each.error !== undefined) return { key, error: each.error, isGone: dangling.has(route) };
    return { key, route, start: encodeKey([each.to]) };
  });
}

/** Loads redirect pages; where they lead is part of their plan. */
export function loadRedirectPages(
  kind: RedirectKind,
  context: PlanContext,
  pages: readonly PlannedPage[],
): readonly LoadedPage[] {
  return pages.map((page) => {
    const target = redirectTarget(page);
    const path = isAway(target) ? target : encodeRoute(target);
    const absolute = isAway(target) ? target : context.site.origin + path;
    const data = { href: path, target: absolute, refresh: `0; url=${path}` };
    return {
      kind: page.kind,
      key: page.key,
      route: page.route,
      template: kind.template,
      start: page.start,
      lastmod: undefined,
      markdown: {},
      uses: [],
      tags: pageTags(kind, page.key, {}),
      reads: [
        { key: `template:${kind.name}`, digest: context.fingerprint(kind) },
        record(`page:${page.route}#redirect`, target),
      ],
      data,
    };
  });
}

/** Of routes whose redirect fails, those whose last good version leads to a page no more. */
async function danglingRoutes(
  kind: RedirectKind,
  context: PlanContext,
  routes: readonly string[],
): Promise<ReadonlySet<string>> {
  if (routes.length === 0) return new Set();
  const live = await context.ledger.pages(routes.map((route) => redirectPage(kind, route)));
  const targets = live.map((page) => page && redirectTarget(page));
  const inside = targets.filter((to) => to !== undefined).filter((to) => !isAway(to));
  const there = await takenRoutes(context, kind, inside);
  const isGone = (to: string | undefined) => to !== undefined && !isAway(to) && !there.has(to);
  return new Set(routes.filter((_, at) => isGone(targets[at])));
}

async function allFound(kind: RedirectKind, context: PlanContext, routes: readonly string[]) {
  const found = await foundRedirects(kind, context, routes);
  return found.filter((each) => each !== undefined);
}

async function* lines({ redirects }: PlanContext): AsyncGenerator<string> {
  yield* redirects.map(({ from }) => from);
}

/** Rows without a usable key have no route; they are put to the bad ones. */
async function* rowRoutes(
  { list }: RedirectKind,
  { rows }: PlanContext,
  bad: Found[],
): AsyncGenerator<string> {
  let after: Key | undefined;
  while (list !== undefined) {
    const batch = await rows.scan(list.table, { see: [], after, limit: BATCH });
    for (const { key, error } of batch) {
      if (key !== undefined) yield String(key[0]);
      else if (error !== undefined) bad.push({ key, error });
    }
    after = batch.findLast(({ key }) => key !== undefined)?.key;
    if (batch.length < BATCH || after === undefined) return;
  }
}

async function* formerOnes({ ledger }: PlanContext): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    const batch = await ledger.former(after, BATCH);
    yield* batch.map(({ route }) => route);
    if (batch.length < BATCH) return;
    after = batch.at(-1)?.route;
  }
}
