import type { LivePage } from "../ledger/ledger.ts";
import type { Kind, LoadedPage, PageId, Step } from "../site.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { loadPages, putPhase } from "./kinds.ts";
import { makingReason } from "./making.ts";
import { plannedRoutes } from "./planned.ts";
import { changedRead, decodeTrace } from "./trace.ts";

/** Limits a check of live pages, and watches it. */
export interface StaleOptions {
  /** Which pages to look at; all by default. */
  readonly isWanted?: (page: LivePage) => boolean;
  /** Called for each batch with its number of pages. */
  readonly onBatch?: (pages: number) => void | Promise<void>;
}

/**
 * Stages the live pages of a kind whose reads have other digests than when they were made.
 * Pages that the plan already touches are left to it.
 */
export async function planStale(
  kind: Kind,
  context: PlanContext,
  { isWanted = () => true, onBatch = () => {} }: StaleOptions = {},
): Promise<void> {
  let after: Uint8Array | undefined;
  for (;;) {
    const live = await context.ledger.live(kind.name, after, BATCH);
    await onBatch(live.length);
    const steps = await context.ledger.stepsOf(context.run, live);
    const untouched = live.filter(
      (page, at) => steps[at] === undefined && isWanted(page) && !context.hasFailed(page),
    );
    const stale = await stalePages(kind, context, untouched);
    const same = untouched.length - stale.length;
    if (same > 0) context.onSame(kind.name, "all", same);
    if (stale.length > 0) await context.ledger.stage(context.run, stale);
    if (live.length < BATCH) return;
    after = live.at(-1)?.key;
  }
}

/** Steps for those of these pages whose traces are not as they were. */
export async function stalePages(
  kind: Kind,
  context: PlanContext,
  pages: readonly LivePage[],
): Promise<readonly Step[]> {
  const sure: Step[] = [];
  const unsure: LivePage[] = [];
  const making = lazily(() => makingReason(kind, context));
  for (const page of pages) {
    const reason = await sureReason(kind, page, context, making);
    if (reason === undefined) unsure.push(page);
    else sure.push(updateStep(kind, page, reason));
  }
  if (unsure.length === 0) return sure;
  const loaded = await loadPages(kind, context, unsure);
  const byRead = unsure.flatMap((page, at) => {
    const now = loaded[at];
    if (now === undefined) return [];
    if (!isLoaded(now)) {
      context.onFailure(now);
      return [];
    }
    return [{ page, reason: changedRead(decodeTrace(page.trace), now.reads) }];
  });
  const same = byRead.flatMap(({ page, reason }) => (reason === undefined ? [page] : []));
  const changed = byRead.flatMap(({ page, reason }) =>
    reason === undefined ? [] : [updateStep(kind, page, reason)],
  );
  return [...sure, ...changed, ...(await staleRefs(kind, context, same))];
}

/** Reasons that need no loading: nobody knows what is stored, or the template changed. */
async function sureReason(
  kind: Kind,
  page: LivePage,
  context: PlanContext,
  making: () => Promise<string>,
): Promise<string | undefined> {
  if (!context.isStoreTrusted) return "store";
  if (page.hash === undefined) return "unfinished";
  const [template] = decodeTrace(page.trace).digests;
  if (template?.equals(context.fingerprint(kind)) === true) return undefined;
  return await making();
}

/** Asks once, and not before the answer is needed. */
function lazily<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}

/** Pages whose bodies refer to a route that appeared or went. */
async function staleRefs(
  kind: Kind,
  context: PlanContext,
  pages: readonly LivePage[],
): Promise<readonly Step[]> {
  const refs = pages.map((page) => decodeTrace(page.trace).refs);
  const routes = new Set(refs.flat().map(({ route }) => route));
  if (routes.size === 0) return [];
  const existing = await plannedRoutes(context, [...routes]);
  return pages.flatMap((page, at) => {
    const changed = refs[at]?.find(({ route, exists }) => existing.has(route) !== exists);
    return changed === undefined ? [] : [updateStep(kind, page, `page:${changed.route}`)];
  });
}

function updateStep(
  kind: Kind,
  page: PageId & Pick<LivePage, "route" | "start">,
  reason: string,
): Step {
  const { key, route, start } = page;
  const phase = putPhase(kind, false);
  return { kind: kind.name, key, phase, action: "update", reason, route, from: undefined, start };
}

/** True for a page that was loaded, false for one that failed to. */
export function isLoaded<F extends object>(page: LoadedPage | F): page is LoadedPage {
  return "reads" in page;
}
