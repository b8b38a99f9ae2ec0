import type { LivePage } from "../ledger/ledger.ts";
import { causeOf, type PageId, pageName, type Step } from "../site.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { isSameStart } from "./exist.ts";
import { checkStep } from "./recut.ts";
import { stalePages } from "./stale.ts";

/** Stages checks for live pages that the plan does not touch yet, see `PlanContext.isAgain`. */
export async function stageChecks(
  { ledger, run, hasFailed, isAgain = false, leavesFailed = false }: PlanContext,
  pages: readonly PageId[],
  reason: string,
): Promise<void> {
  for (let at = 0; at < pages.length; at += BATCH) {
    const some = pages.slice(at, at + BATCH);
    const [live, steps] = await Promise.all([ledger.pages(some), ledger.stepsOf(run, some)]);
    const left = leavesFailed ? await ledger.areQuarantined(some) : [];
    const isLeft = (page: LivePage, n: number) => page.start !== undefined && left[n] === true;
    const checks = live.flatMap((page, n) =>
      page === undefined || hasFailed(page) || isLeft(page, n) || !isOpen(page, steps[n], isAgain)
        ? []
        : [checkStep(page, reason)],
    );
    if (checks.length > 0) await ledger.stage(run, checks);
  }
}

/** An update in place says no more than a check that found a read changed. */
function isOpen(page: LivePage, step: Step | undefined, isAgain: boolean): boolean {
  if (step === undefined) return true;
  const isSamePlace = step.from === undefined && isSameStart(step.start, page.start);
  return isAgain && step.action === "update" && isSamePlace;
}

/** Makes each check an update, with the read that changed as its reason, or takes it off the plan. */
export async function planChecks(context: PlanContext): Promise<void> {
  const { ledger, run, site } = context;
  let after: Step | undefined;
  for (;;) {
    const steps = await ledger.staged(run, { ...(after && { after }), limit: BATCH });
    const checks = steps.filter(({ action }) => action === "check");
    for (const [name, own] of Map.groupBy(checks, (step) => step.kind)) {
      const kind = site.kinds.find((each) => each.name === name);
      const live = (await ledger.pages(own)).filter((page) => page !== undefined);
      const stale = kind === undefined ? [] : await stalePages(kind, context, live);
      tellSame(context, name, own, stale);
      await ledger.unstage(run, own);
      if (stale.length > 0) await ledger.stage(run, stale);
    }
    if (steps.length < BATCH) return;
    after = steps.at(-1);
  }
}

function tellSame(
  { onSame }: PlanContext,
  kind: string,
  checks: readonly Step[],
  stale: readonly Step[],
): void {
  const names = new Set(stale.map(pageName));
  const same = checks.filter((check) => !names.has(pageName(check)));
  for (const [cause, { length }] of Map.groupBy(same, causeOf)) onSame(kind, cause, length);
}
