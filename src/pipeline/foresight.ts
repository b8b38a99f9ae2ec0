import type { ChangedObject } from "../invalidate/changed.ts";
import { type CoverReport, reportOf } from "../invalidate/cover-report.ts";
import { coverOf, MOST_CHANGES } from "../invalidate/freeze.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import type { Step } from "../site.ts";
import { termsOf } from "./invalidate.ts";
import type { Run } from "./run.ts";

/** What a run would tell the CDN, put together from what it would change. */
export interface Foresight {
  /** Pages that would be put, with their tags if those are known, and pages that would go. */
  add(steps: readonly Foreseen[]): Promise<void>;
  /** Undefined when there is nothing to tell, or too much to say what. */
  cover(): Promise<CoverReport | undefined>;
}

/** A step, and the tags that its page will carry; as before when they are not known. */
export interface Foreseen {
  readonly step: Pick<Step, "kind" | "route" | "from" | "action">;
  readonly tags?: readonly string[] | undefined;
}

/** Collects what a plan would change; counts are those of now. */
export function openForesight(run: Run): Foresight {
  const { ledger, cdn } = run.wired;
  const changes: ChangedObject[] = [];
  let isTooMuch = false;
  return {
    async add(foreseen) {
      // Nobody asks for an asset that no page names.
      const known = foreseen.filter(({ step: { kind } }) => kind !== ASSET_KIND);
      isTooMuch ||= changes.length + known.length > MOST_CHANGES;
      if (!cdn.isCaching || isTooMuch) return;
      const routes = known.map(({ step: { route, from } }) => from ?? route);
      const live = await ledger.tagsAt(routes);
      for (const [at, { step, tags }] of known.entries()) {
        const route = routes[at] ?? step.route;
        const before = live.get(route);
        if (before === undefined) continue;
        const isGone = step.action === "delete" || step.from !== undefined;
        changes.push({ route, before, after: isGone ? undefined : (tags ?? before) });
      }
    },
    async cover() {
      if (isTooMuch || changes.length === 0) return undefined;
      const now = run.moment;
      return reportOf(await coverOf({ ledger, cdn, terms: termsOf(run), now }, changes));
    },
  };
}
