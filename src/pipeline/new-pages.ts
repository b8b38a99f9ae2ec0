import { planWithout } from "../plan/changes.ts";
import { readsLists } from "../plan/kinds.ts";
import { publishPhase } from "./publish.ts";
import type { Run } from "./run.ts";

/**
 * Publishes new pages: those of lists last, since one of them may fail for an entry whose own page
 * fails, and is good without it. Pages put a moment ago may link to those that failed after them;
 * nothing links to them yet.
 */
export async function publishNew(run: Run): Promise<void> {
  const { context, tally, wired } = run;
  const lists = new Set(wired.site.kinds.filter(readsLists).map(({ name }) => name));
  await publishPhase(run, "new", ({ kind }) => !lists.has(kind));
  await planWithout(context, tally.takeMissing());
  await publishPhase(run, "new");
  await planWithout(context, tally.takeMissing());
}
