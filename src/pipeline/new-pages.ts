import { planWithout } from "../plan/changes.ts";
import { readsLists } from "../plan/kinds.ts";
import { redirectKind, type Step } from "../site.ts";
import { evictOldCopies } from "./old-copies.ts";
import { publishPhase } from "./publish.ts";
import type { Run } from "./run.ts";
import { publishShared } from "./share.ts";
import { isUpdateInPlace } from "./unlinked.ts";

/**
 * Publishes new pages: those of lists last, since one of them may fail for an entry whose own page
 * fails, and is good without it. Pages put a moment ago may link to those that failed after them;
 * nothing links to them yet.
 */
export async function publishNew(run: Run): Promise<void> {
  const { context, tally, wired } = run;
  const lists = new Set(wired.site.kinds.filter(readsLists).map(({ name }) => name));
  await publishShared(run, "new", (kind) => !lists.has(kind));
  await planWithout(context, tally.takeMissing());
  await publishShared(run, "new");
  await planWithout(context, tally.takeMissing());
}

/**
 * Publishes what nothing that is live leads to, but readers may be led to, see `PHASES`, and evicts
 * what it was. Then that of `hastenUnlinked`, which may be linked to after all.
 */
export async function publishReturning(run: Run, hasOldCopies: boolean): Promise<void> {
  const { context, tally } = run;
  await publishPhase(run, "returning", (step) => !isUpdateInPlace(step));
  await planWithout(context, tally.takeMissing());
  if (hasOldCopies) await evictOldCopies(run);
  await publishPhase(run, "returning");
  await planWithout(context, tally.takeMissing());
}

/**
 * Publishes of what is put with what changes first that which others may link to: redirects that
 * appear, then pages that come to where another is live (see `withTakeoversLate`).
 */
export async function publishArrivals(run: Run): Promise<void> {
  const { context, tally } = run;
  for (const isNow of arrivals(run)) {
    await publishPhase(run, "changed", isNow);
    await planWithout(context, tally.takeMissing());
  }
}

/** What each of those is, in their order. */
export function arrivals({ wired }: Run): readonly ((step: Step) => boolean)[] {
  const redirects = redirectKind(wired.site.kinds)?.name;
  return [
    ({ kind, action }) => kind === redirects && action === "create",
    ({ action, from }) => action === "create" || from !== undefined,
  ];
}
