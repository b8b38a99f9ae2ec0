import type { LivePage } from "../ledger/ledger.ts";
import { foldRoute, hexOf, type PageId, type RedirectKind, type Step } from "../site.ts";
import type { PlanContext } from "./context.ts";

type Overlay = Pick<PlanContext, "ledger" | "run" | "isShared">;

/** A page as it will be once the run's plan is done. */
export interface PlannedPage extends PageId {
  readonly route: string;
  readonly start: Uint8Array | undefined;
}

/** A planned page with its last change as far as it is known, µs. */
export interface RangedPage extends PlannedPage {
  readonly lastmod: number | undefined;
}

/**
 * The pages with these ids as planned, in the order asked for; undefined where there will be none.
 * What is live is asked for only where the plan says nothing.
 */
export async function plannedPages(
  { ledger, run }: Overlay,
  ids: readonly PageId[],
): Promise<readonly (PlannedPage | undefined)[]> {
  const steps = await ledger.stepsOf(run, ids);
  const live = (await ledger.pages(ids.filter((_, at) => steps[at] === undefined))).values();
  return steps.map((step) => overlay(step === undefined ? live.next().value : undefined, step));
}

/**
 * Which of these routes will have a page. Steps are read before what is live, and what is live once
 * more after them, since other processes confirm steps of a run that is shared.
 */
export async function plannedRoutes(
  { ledger, run, isShared = false }: Overlay,
  routes: readonly string[],
): Promise<ReadonlySet<string>> {
  const staged = await ledger.stagedAt(run, routes);
  const folded = await ledger.liveFolded(routes);
  // While a page takes over another's route both are live there, so one owner is not enough.
  const wanted = new Set(routes);
  const live = folded.filter(({ route }) => wanted.has(route));
  const steps = await ledger.stepsOf(run, live);
  const staying = live.filter((page, at) => stays(page, steps[at]));
  const now = isShared ? await ledger.pages(staying) : staying;
  const left = staying.filter(({ route }, at) => now[at]?.route === route);
  return new Set([...staged.keys(), ...left.map(({ route }) => route)]);
}

/**
 * Which of these routes will have a page that is no redirect. Where the store cannot tell routes
 * apart, a page at another spelling has them, too.
 */
export async function takenRoutes(
  { ledger, run, foldsCase }: Overlay & Pick<PlanContext, "foldsCase">,
  redirects: Pick<RedirectKind, "name">,
  routes: readonly string[],
): Promise<ReadonlySet<string>> {
  const isOther = ({ kind }: PageId) => kind !== redirects.name;
  const [folded, wanting] = await Promise.all([
    ledger.liveFolded(routes),
    ledger.stagedFolded(run, routes),
  ]);
  const live = folded.filter(isOther);
  const steps = await ledger.stepsOf(run, live);
  const staying = live.filter((page, at) => stays(page, steps[at]));
  const nameOf = foldsCase ? foldRoute : (route: string) => route;
  const names = new Set([...staying, ...wanting.filter(isOther)].map(({ route }) => nameOf(route)));
  return new Set(routes.filter((route) => names.has(nameOf(route))));
}

/**
 * Pages of a kind as planned, in key order, after `after`. Reads a few rows first and more each
 * time, since many who ask want the next few pages only.
 */
export async function* plannedRange(
  { ledger, run }: Overlay,
  kind: string,
  after: Uint8Array | undefined,
): AsyncGenerator<RangedPage> {
  let last = after;
  for (let limit = FIRST_RANGE; ; limit = Math.min(limit * 4, MAX_RANGE)) {
    const afterId = last && { kind, key: last };
    // First, since another process may confirm one at any moment: then it is live.
    const steps = await ledger.staged(run, { kind, ...(afterId && { after: afterId }), limit });
    const live = await ledger.live(kind, last, limit);
    for (const { key, page } of mergeRange(live, steps, limit)) {
      if (page !== undefined) yield page;
      last = key;
    }
    if (live.length < limit && steps.length < limit) return;
  }
}

const FIRST_RANGE = 4;
const MAX_RANGE = 256;

/** True for a live page that a plan leaves where it is. */
export function stays({ route }: Pick<LivePage, "route">, step: Step | undefined): boolean {
  return step === undefined || (step.action !== "delete" && step.route === route);
}

interface Merged {
  readonly key: Uint8Array;
  readonly page: RangedPage | undefined;
}

/** Merges two runs in key order; a cut-off run bounds how far the other may be used. */
function mergeRange(live: readonly LivePage[], steps: readonly Step[], limit: number): Merged[] {
  const all = new Map<string, { live?: LivePage; step?: Step; key: Uint8Array }>();
  for (const each of live) all.set(hexOf(each.key), { live: each, key: each.key });
  for (const step of steps) {
    all.set(hexOf(step.key), { ...all.get(hexOf(step.key)), step, key: step.key });
  }
  const runs: readonly (readonly PageId[])[] = [live, steps];
  const ends = runs.flatMap((run) => (run.length === limit ? run.slice(-1) : []));
  const [bound] = ends.map(({ key }) => key).sort(Buffer.compare);
  return [...all.values()]
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .filter(({ key }) => bound === undefined || Buffer.compare(key, bound) <= 0)
    .map(({ live: page, step, key }) => ({ key, page: overlay(page, step) }));
}

function overlay(live: LivePage | undefined, step: Step | undefined): RangedPage | undefined {
  if (step?.action === "delete") return undefined;
  const base = step ?? live;
  if (base === undefined) return undefined;
  const { kind, key, route, start } = base;
  return { kind, key, route, start, lastmod: live?.lastmod };
}
