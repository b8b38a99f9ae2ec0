import { planWithout } from "../plan/changes.ts";
import { planClashes } from "../plan/clashes.ts";
import { address, redirectKind, type Step } from "../site.ts";
import { UNSEEN } from "./doubt.ts";
import { make } from "./make.ts";
import { leaveOut } from "./publish.ts";
import type { Run } from "./run.ts";

/** Steps looked at together. */
const BATCH = 200;

/**
 * Tries, before anything is put, the pages that take over a route, and those that make room for
 * them: one that fails keeps its route, so that the other must not overwrite it; and pages that
 * link there must know. Seldom are there any, so making them twice costs little.
 */
export async function tryTakeovers(run: Run): Promise<void> {
  const { context, wired, tally } = run;
  for (;;) {
    await tryAll(run);
    const missing = tally.takeMissing();
    if (missing.length === 0) return await delayTakeovers(run);
    const displaced = await planClashes(context, { foldsCase: wired.store.foldsCase });
    await planWithout(context, [...missing, ...displaced]);
  }
}

/**
 * A page that comes to where another is live, be it a redirect, is seen at once: so all that is new has
 * to be there before it, and it is put with what changes. One that comes to where an object waits to be
 * deleted is returning: browsers may show links there.
 */
async function delayTakeovers(run: Run): Promise<void> {
  const { ledger } = run.wired;
  let after: Step | undefined;
  for (;;) {
    const query = { phase: "new", ...(after && { after }), limit: BATCH } as const;
    const steps = await ledger.staged(run.context.run, query);
    await ledger.stage(run.context.run, await withTakeoversLate(run, steps));
    if (steps.length < BATCH) return;
    after = steps.at(-1);
  }
}

/** Those of these steps that put a page where an object is that readers may ask for, with their phase. */
export async function withTakeoversLate(
  { wired }: Run,
  steps: readonly Step[],
): Promise<readonly Step[]> {
  const fresh = steps.filter(({ phase }) => phase === "new");
  const routes = fresh.map(({ route }) => route);
  const [owners, waiting] = await Promise.all([
    wired.ledger.liveAt(routes),
    wired.ledger.retiredAmong(routes.map((route) => address(route).key)),
  ]);
  const mayBeSeen = (route: string) => {
    const object = waiting.get(address(route).key);
    return object !== undefined && object.dueAt !== UNSEEN;
  };
  const phaseAt = (route: string) => {
    if (owners.has(route)) return "changed";
    return mayBeSeen(route) ? "returning" : "new";
  };
  const phased = fresh.map((step): Step => ({ ...step, phase: phaseAt(step.route) }));
  return phased.filter(({ phase }) => phase !== "new");
}

async function tryAll(run: Run): Promise<void> {
  const { ledger } = run.wired;
  let after: Step | undefined;
  for (;;) {
    const at = after === undefined ? {} : { after };
    const steps = await ledger.staged(run.context.run, { phase: "new", ...at, limit: BATCH });
    if (steps.length === 0) return;
    for (const [kind, own] of Map.groupBy(await involved(run, steps), (step) => step.kind)) {
      const made = new Set((await make(run, kind, own)).map(({ step }) => step));
      await leaveOut(
        run,
        own.filter((step) => !made.has(step)),
      );
    }
    after = steps.at(-1);
  }
}

/** Of these steps those that take a live page's route, and those of these that give theirs to another. */
async function involved(run: Run, steps: readonly Step[]): Promise<readonly Step[]> {
  const { ledger } = run.wired;
  const owners = await ledger.liveAt(steps.map(({ route }) => route));
  const wanted = await ledger.stagedAt(
    run.context.run,
    steps.flatMap(({ from }) => from ?? []),
  );
  // A redirect that wants the old route of a page is made once that page has arrived.
  const redirects = redirectKind(run.wired.site.kinds)?.name;
  const isWanted = (route: string) => wanted.get(route)?.some(({ kind }) => kind !== redirects);
  return steps.filter(({ route, from }) => owners.has(route) || isWanted(from ?? ""));
}
