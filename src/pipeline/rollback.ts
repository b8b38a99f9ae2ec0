import { PipelineError, type Problem } from "../error.ts";
import type { Summary } from "../events.ts";
import { ASSET_KIND, putPhase } from "../plan/kinds.ts";
import { type Phase, pageName, type Step } from "../site.ts";
import { type Begun, beginWithoutRows, interrupted } from "./begin.ts";
import { deletePhase } from "./deletes.ts";
import { expectCopies } from "./grace.ts";
import { hold } from "./hold.ts";
import { invalidatePhase } from "./invalidate.ts";
import { arrivals } from "./new-pages.ts";
import { evictOldCopies, mayHoldOldCopies, mayHoldOldFeeds } from "./old-copies.ts";
import { openRun } from "./open-run.ts";
import { type Changed, changedOf, changesSince, type PastPage, pageAt } from "./past-state.ts";
import { publishPhase } from "./publish.ts";
import { checkTold } from "./releases.ts";
import { summary, tell } from "./report.ts";
import { linkingTo, lookFor, lost, problemOf, restorer } from "./restore.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { settle } from "./settle.ts";
import { withTakeoversLate } from "./takeovers.ts";

/** What a rollback did or would do. */
export interface RolledBack extends Summary {
  /** The release that the site is as of now. */
  readonly rollback: number;
  /** Pages that come back, that are put as they were, and that go. */
  readonly creates: number;
  readonly updates: number;
  readonly deletes: number;
  /** Pages that are taken down since: they stay away, and these come back with links to them. */
  readonly barred: readonly string[];
  readonly dangling: readonly string[];
}

export type RollbackOptions = Pick<BuildOptions, "isDryRun" | "signal" | "emit" | "now">;

/** Pages whose bytes are looked for together. */
const BATCH = 200;
/** Lost pages, and such with links to pages that are taken down, that are named. */
const MAX_PROBLEMS = 20;
/** Pages that are taken down to which links are looked for. */
const MAX_BARRED = 1000;

/**
 * Makes the site what it was when a release was done: every page with its bytes and headers, pages
 * made since are deleted. It is a release of its own, in the same phases, and holds publishing. All
 * that is needed is looked for before anything changes. Safe to run again after it was cut off; it
 * then ends what it began.
 * @throws PipelineError `release_lost` when a page cannot be had again
 */
export async function rollback(
  wired: Wired,
  release: number,
  options: RollbackOptions,
): Promise<RolledBack> {
  const now = (options.now ?? (() => Date.now() * 1000))();
  await using begun = await beginWithoutRows(wired, now);
  checkTold(release, begun);
  if (!begun.isStoreTrusted) throw strange(wired);
  await using run = openRun(wired, { ...options, allowDeletes: true }, begun, {
    maker: restorer(release),
  });
  const barred = await planRollback(run, release);
  const { seconds, dangling } = await checkSources(run, release, barred);
  const counts = { ...(await countsOf(run)), barred, dangling };
  if (options.isDryRun)
    return { ...(await summary(run, { found: [] })), rollback: release, ...counts };
  await run.claim();
  await hold(wired.ledger, { release, since: now });
  await expectCopies(run, seconds);
  if (await settled(run, begun)) await planRollback(run, release);
  await publish(run);
  return await finish(run, { rollback: release, ...counts });
}

/** Settles the puts of a run that was cut off, which takes pages out of the plan. True when there were any. */
async function settled(run: Run, begun: Begun): Promise<boolean> {
  const intents = await run.wired.ledger.intents();
  await settle(run, begun);
  return intents.length > 0;
}

/**
 * Stages what differs from the release. Of pages whose put was cut off nobody knows what is stored. Pages
 * that are taken down stay away; gives where they were, as far as they are few.
 */
async function planRollback(run: Run, release: number): Promise<readonly string[]> {
  const { ledger } = run.wired;
  const barred: string[] = [];
  const unfinished = new Set((await ledger.intents()).map(pageName));
  for await (const changed of changesSince(ledger, release)) {
    if (run.options.signal.aborted) throw interrupted();
    const bars = await ledger.barred(changed.map(({ id }) => id));
    const away = changed.flatMap((each, at) => (bars[at] && pageAt(release, each)) ?? []);
    barred.push(...away.slice(0, MAX_BARRED - barred.length).map(({ route }) => route));
    const steps = changed.flatMap((each, at) => {
      if (bars[at] !== undefined) return [];
      const isKnown = !unfinished.has(pageName(each.id));
      return stepFor(run, { ...each, was: pageAt(release, each), isKnown });
    });
    await ledger.stage(run.context.run, steps);
    await ledger.stage(run.context.run, await withTakeoversLate(run, steps));
    run.progress.addTo("check", changed.length);
  }
  return barred;
}

function stepFor(
  run: Run,
  {
    live,
    was,
    isKnown,
  }: Changed & { readonly was: PastPage | undefined; readonly isKnown: boolean },
): readonly Step[] {
  const reason = "rollback";
  if (was === undefined) {
    if (live === undefined) return [];
    const { kind, key, route } = live;
    const step = { kind, key, route, reason, from: undefined, start: undefined };
    return [{ ...step, phase: "deletes", action: "delete" }];
  }
  if (isKnown && isThere(was, live)) return [];
  const { kind, key, route, start } = was;
  const isNewRoute = live?.route !== route;
  const from = isNewRoute ? live?.route : undefined;
  const action = live === undefined ? "create" : "update";
  return [{ kind, key, route, start, reason, from, action, phase: phaseOf(run, kind, isNewRoute) }];
}

function isThere(was: PastPage, live: Changed["live"]): boolean {
  if (was.hash === undefined || live?.hash === undefined) return false;
  return live.route === was.route && Buffer.compare(live.hash, was.hash) === 0;
}

/** Of kinds that the site has no more nobody knows what they show. */
function phaseOf({ wired }: Run, name: string, isNewRoute: boolean): Phase {
  const kind = wired.site.kinds.find((each) => each.name === name);
  if (kind === undefined && name !== ASSET_KIND) return isNewRoute ? "new" : "changed";
  return putPhase(kind, isNewRoute);
}

/**
 * Looks for all that is needed; gives how long browsers may use what will be put, in seconds, and
 * which of it links to pages that are taken down.
 * @throws PipelineError `release_lost` with the first pages that cannot be had again
 */
async function checkSources(run: Run, release: number, barred: readonly string[]) {
  const { wired, context, options } = run;
  const problems: Problem[] = [];
  const dangling: string[] = [];
  let [count, longest] = [0, 0];
  let after: Step | undefined;
  for (;;) {
    if (options.signal.aborted) throw interrupted();
    const query = { ...(after && { after }), limit: BATCH };
    const steps = await wired.ledger.staged(context.run, query);
    const puts = steps.filter(({ action }) => action !== "delete");
    const changed = await changedOf(wired.ledger, puts, release);
    const pages = changed.flatMap((each) => pageAt(release, each) ?? []);
    const { missing, seconds } = await lookFor(wired, pages);
    const links = barred.length === 0 ? [] : await linkingTo(wired, pages, barred);
    dangling.push(...links.slice(0, MAX_PROBLEMS - dangling.length));
    longest = Math.max(longest, seconds);
    count += missing.length;
    problems.push(...missing.slice(0, MAX_PROBLEMS - problems.length).map(problemOf));
    run.progress.addTo("check", puts.length);
    if (steps.length < BATCH) break;
    after = steps.at(-1);
  }
  if (count > 0) throw lost(release, problems, count);
  return { seconds: longest, dangling };
}

async function countsOf(run: Run) {
  const counts = await run.wired.ledger.stagedCounts(run.context.run);
  const sum = (action: Step["action"]) =>
    counts.filter((each) => each.action === action).reduce((all, each) => all + each.count, 0);
  return { creates: sum("create"), updates: sum("update"), deletes: sum("delete") };
}

/** The phases of a build. What was there together then is whole; a put that fails ends the run. */
async function publish(run: Run): Promise<void> {
  const phase = async (name: Phase, isNow?: (step: Step) => boolean) => {
    await publishPhase(run, name, isNow);
    const [failed] = run.tally.quarantined();
    if (failed !== undefined) throw run.tally.failureOf(failed);
  };
  const hasOldCopies = await mayHoldOldCopies(run);
  await phase("assets");
  await phase("new");
  await phase("returning");
  if (hasOldCopies) await evictOldCopies(run);
  for (const isNow of arrivals(run)) await phase("changed", isNow);
  await phase("changed");
  await phase("lists");
  const hasOldFeeds = await mayHoldOldFeeds(run);
  await phase("feeds", ({ key }) => key.length > 0);
  if (hasOldFeeds) await evictOldCopies(run);
  await phase("feeds");
  await invalidatePhase(run);
  await deletePhase(run);
  await invalidatePhase(run);
}

/** No run finished what the last publisher began, so the build after the hold looks at every page. */
async function finish(run: Run, done: Omit<RolledBack, keyof Summary>): Promise<RolledBack> {
  const { wired, context, release, startedAt } = run;
  run.progress.begin("record");
  const told = { ...(await summary(run, { found: [], release })), ...done };
  const finishedAt = Math.round(startedAt + told.seconds * 1_000_000);
  const report = JSON.stringify(told);
  await wired.ledger.finish(context.run, { id: release, startedAt, finishedAt, report });
  run.isFinished = true;
  tell(run, told);
  return told;
}

function strange({ store }: Wired): PipelineError {
  const message = `The ${store.name} is not what the ledger describes, so nothing is known of what it holds.`;
  return new PipelineError("release_lost", message, {
    hint: "Build first: that puts every page again.",
  });
}
