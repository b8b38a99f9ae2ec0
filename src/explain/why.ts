import type { LivePage } from "../ledger/ledger.ts";
import type { Run, Wired } from "../pipeline/run.ts";
import { withPlan } from "../pipeline/with-plan.ts";

import type { PlanContext } from "../plan/context.ts";
import { planFeeds } from "../plan/feeds.ts";
import { loadPages } from "../plan/kinds.ts";
import { isLoaded } from "../plan/stale.ts";
import { decodeTrace } from "../plan/trace.ts";
import { causeOf, decodeKey, keyName, type RecordedRead, type Step } from "../site.ts";
import { type ChangedRow, pagesBehind, rowsBehind, type TurnedPage } from "./behind.ts";
import { type LastPut, lastPut } from "./last-put.ts";
import { whyNone } from "./why-none.ts";

/** Why the page at a route is as it is, and what the next build would do to it. */
export interface Why {
  readonly route: string;
  /** Undefined when no page has or will have the route; then `none` says why. */
  readonly page: { readonly kind: string; readonly key: string } | undefined;
  /** Why there is and will be no page at the route, as full sentences. */
  readonly none: readonly string[];
  /** The release that last put it, and why; undefined for a page that is not live. */
  readonly put: LastPut | undefined;
  /** What the next build does, and why; undefined when it leaves the page alone. */
  readonly next: NextStep | undefined;
  /** Why the page cannot be made; it keeps its last good version. */
  readonly failure: string | undefined;
  /** What it is made from; `isChanged` since it was made. */
  readonly reads: readonly { readonly name: string; readonly isChanged: boolean }[];
}

/** A step of the next build, and what is behind its reason: changed rows, pages that appear or go. */
export interface NextStep extends Pick<Step, "action" | "reason"> {
  readonly rows: readonly ChangedRow[];
  readonly pages: readonly TurnedPage[];
}

/**
 * Explains the page at a route, live or planned. It plans a dry run, and costs what one costs: a
 * scan of the rows. Writes nothing.
 */
export async function why(
  wired: Wired,
  route: string,
  options: { readonly signal: AbortSignal; readonly now?: () => number },
): Promise<Why> {
  const dry = { ...options, allowDeletes: true, isDryRun: true, emit: () => {} };
  return await withPlan(wired, dry, async (run, _, { feeds }) => {
    await planFeeds(run.context, feeds);
    return await explain(run, route);
  });
}

async function explain(run: Run, route: string): Promise<Why> {
  const { context, tally } = run;
  const { ledger } = context;
  const id = (await ledger.liveAt([route])).get(route);
  const [live] = id === undefined ? [] : await ledger.pages([id]);
  const coming = (await ledger.stagedAt(context.run, [route])).get(route)?.[0];
  const step = live === undefined ? coming : (await ledger.stepsOf(context.run, [live]))[0];
  const page = live ?? step;
  const reads = live === undefined ? [] : await readsOf(live, context);
  return {
    route,
    page: page && { kind: page.kind, key: keyName(decodeKey(page.key)) },
    none: page === undefined ? await whyNone(run, route) : [],
    put: live && (await lastPut(live, reads, context)),
    next: step && (await nextStep(step, live, context)),
    failure: page && tally.failureOf(page)?.message,
    reads: live === undefined ? [] : compared(live, reads),
  };
}

/** The reads of a page as they are now; none when it cannot be loaded. */
async function readsOf(page: LivePage, context: PlanContext): Promise<readonly RecordedRead[]> {
  const kind = context.site.kinds.find(({ name }) => name === page.kind);
  const [loaded] = kind === undefined ? [] : await loadPages(kind, context, [page]);
  return loaded !== undefined && isLoaded(loaded) ? loaded.reads : [];
}

function compared(page: LivePage, reads: readonly RecordedRead[]): Why["reads"] {
  const { digests } = decodeTrace(page.trace);
  return reads.map(({ key: name, digest }, at) => ({
    name,
    isChanged: digests[at]?.equals(digest) !== true,
  }));
}

async function nextStep(
  step: Step,
  live: LivePage | undefined,
  context: PlanContext,
): Promise<NextStep> {
  const { action, kind, key } = step;
  const declared = context.site.kinds.find(({ name }) => name === kind);
  const own = declared?.is === "row" ? `row:${declared.table.name}/${keyName(decodeKey(key))}` : "";
  const isOwn = ["absent", "gone", "route"].includes(step.reason);
  const rows = await rowsBehind(isOwn ? own : step.reason, context);
  const isPage = live !== undefined && ["page", "list"].includes(causeOf(step));
  return {
    action,
    reason: step.reason,
    rows,
    pages: isPage ? await pagesBehind(live, context) : [],
  };
}
