import type { Step } from "../site.ts";
import { changedOf, pageAt } from "./past-state.ts";
import type { Run } from "./run.ts";

/** Steps looked at together. */
const BATCH = 200;

/**
 * New pages that a run put which was cut off may link to such as it did not put, and nothing leads to
 * them if it came no further. So what they are now is put right after what is new, before anything else
 * may link to them; if it did come further readers see them at once.
 */
export async function hastenUnlinked({ wired, context, release }: Run): Promise<void> {
  if (!context.isCutOff) return;
  const { ledger } = wired;
  for (const phase of ["changed", "lists"] as const) {
    let after: Step | undefined;
    for (;;) {
      const query = { phase, ...(after && { after }), limit: BATCH };
      const steps = await ledger.staged(context.run, query);
      const updates = steps.filter(isUpdateInPlace);
      const pages = await changedOf(ledger, updates, release - 1);
      const routes = pages.map((page) => pageAt(release - 1, page)?.route);
      // It may have come from another route, too.
      const unlinked = updates.filter(({ route }, at) => route !== routes[at]);
      await ledger.stage(
        context.run,
        unlinked.map((step) => ({ ...step, phase: "returning" })),
      );
      if (steps.length < BATCH) break;
      after = steps.at(-1);
    }
  }
}

/** True of what {@link hastenUnlinked} puts among pages that return. */
export function isUpdateInPlace({ action, from }: Step): boolean {
  return action === "update" && from === undefined;
}
