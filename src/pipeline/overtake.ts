import { PipelineError } from "../error.ts";
import type { Summary } from "../events.ts";
import { drainAfter } from "../invalidate/outbox.ts";
import type { LivePage, SeenRow } from "../ledger/ledger.ts";
import { planBuild } from "../plan/plan.ts";
import { checkDeletes } from "../publish/guards.ts";
import { type PageId, pageName, type Step } from "../site.ts";
import { begin } from "./begin.ts";
import { countPages } from "./count-pages.ts";
import { outboxOptions } from "./invalidate.ts";
import { publishArrivals, publishNew, publishReturning } from "./new-pages.ts";
import { holdsOldCopies } from "./old-copies.ts";
import { openBeside } from "./open-run.ts";
import type { Overtakes } from "./overtakes.ts";
import { publishPhase } from "./publish.ts";
import { keepFailed, summary, tell } from "./report.ts";
import type { BuildOptions, Run } from "./run.ts";
import { alone } from "./share.ts";
import { tryTakeovers } from "./takeovers.ts";

/** What somebody wants published while another run publishes; as of a rebuild. */
export interface OvertakeAsked extends Pick<BuildOptions, "targets" | "changes" | "at" | "emit"> {
  /** Gets the pages that were put. */
  readonly onPut?: (pages: readonly LivePage[]) => void;
}

/** It is published. */
export interface Overtaken {
  readonly summary: Summary;
  /** Fulfilled when the CDN has completed what it was told of it. @throws PipelineError as `build` does */
  readonly live: Promise<void>;
}

/** Steps looked at together. */
const BATCH = 500;

/**
 * Publishes what an editor asked for between two batches of a run, `host`, that publishes, under its
 * claim and with its release. The rows are newer than those of the host: what it would yet do to pages
 * that are looked at here it leaves undone, and deletes and feeds are left to its end. Nothing is known of the rows
 * afterwards, so that who asked asks again when the host is done, for what comes of both.
 * @throws PipelineError `run_conflict` when it has to wait until the host is done; else as `build`
 */
export async function overtake(host: Run, asked: OvertakeAsked): Promise<Overtaken> {
  const overtakes = overtakesOf(host);
  await host.claim();
  return await alone(host, () => pass(host, overtakes, asked));
}

async function pass(host: Run, overtakes: Overtakes, asked: OvertakeAsked): Promise<Overtaken> {
  const now = (host.options.now ?? (() => Date.now() * 1000))();
  const { signal } = host.options;
  const guards = { allowDeletes: false, isDryRun: false };
  const options = { targets: [], ...asked, ...guards, signal, now: () => now };
  const fence = { at: asked.at, isPatient: false };
  await using begun = await begin(host.wired, { now, allowDeletes: false, ...fence });
  await using run = openBeside(host, options, begun, asked.onPut);
  try {
    const turns = await overtakes.turns();
    if (turns === undefined) throw waits();
    const { found } = await plan(run, turns);
    await giveWay(host, run);
    const drained = await publish(run);
    const live = drained().then(() => undefined);
    overtakes.works.push(live.catch(() => undefined));
    await keepFailed(run, { leavesFailed: true });
    const made = tell(run, await summary(run, { found, release: host.release }));
    return { summary: made, live };
  } catch (error) {
    // Nobody knows what of these is stored: that is found out as after any run that was cut off.
    if ((await host.wired.ledger.intents()).length > 0) overtakes.broken = error as Error;
    throw error;
  }
}

/** @throws PipelineError `run_conflict` when it is too late */
function overtakesOf({ overtakes }: Run): Overtakes {
  if (overtakes !== undefined && !overtakes.isOver) return overtakes;
  throw new PipelineError("run_conflict", "Another run publishes, and cannot be overtaken now.", {
    hint: "Wait until it has finished.",
  });
}

/** Plans from what is live and from what the host is about to do; `turns` are done here, but for deletes. */
async function plan(run: Run, turns: readonly Step[]) {
  const { wired, options, context } = run;
  const { targets, changes } = options;
  await context.ledger.stage(context.run, turns);
  const planned = await planBuild(
    { ...context, followed: turns },
    {
      ...{ only: undefined, targets, changes, isVerify: false, isOvertaking: true },
      foldsCase: wired.store.foldsCase,
      onPages: (phase, pages) => run.progress.addTo(phase, pages),
    },
  );
  await checkOwnDeletes(run, new Set(turns.map(pageName)));
  await tryTakeovers(run);
  // To evict those first would hold the host up for as long as the CDN takes.
  if (await holdsOldCopies(run)) throw waits();
  return planned;
}

/** The host's deletes were looked at when it was planned. */
async function checkOwnDeletes(run: Run, turns: ReadonlySet<string>): Promise<void> {
  const deletes = (await stepsOf(run)).filter(
    (step) => step.action === "delete" && step.reason !== "barred" && !turns.has(pageName(step)),
  );
  if (deletes.length === 0) return;
  const { ledger, deleteShare: maxShare } = run.wired;
  const live = await countPages(ledger);
  checkDeletes({ live, deletes: deletes.length, allowed: false, maxShare });
}

/** The host does nothing to what is published here; it does the deletes that follow from these rows. */
async function giveWay(host: Run, run: Run): Promise<void> {
  // What fails keeps what readers see, be it nothing.
  run.rebuilt?.add(run.tally.quarantined());
  const pages = run.rebuilt?.pages();
  if (pages === undefined) throw waits();
  const { ledger } = run.wired;
  const plan = host.context.run;
  const steps = await stepsOf(run);
  const puts = steps.filter(({ action }) => action !== "delete");
  const routes = new Map(puts.map((step) => [step.route, pageName(step)]));
  const before = [
    ...(await hostSteps(host, pages)),
    ...(await ledger.stagedFolded(plan, [...routes.keys()])),
  ];
  host.overtakes?.add(pages, routes);
  const deletes = steps.filter(({ action }) => action === "delete");
  const going = new Set(deletes.map(pageName));
  const undone = before.filter(
    (step) =>
      host.overtakes?.isOld(step) && !(step.action === "delete" && going.has(pageName(step))),
  );
  await keepFound(host, run);
  await ledger.unstage(plan, undone);
  host.tally.touchFeeds(undone);
  await host.overtakes?.leave(deletes);
  const live = await ledger.pages(undone);
  const put = new Set(puts.map(pageName));
  // Others may have been told that these come.
  host.tally.miss(undone.filter((step, at) => live[at] === undefined && !put.has(pageName(step))));
}

/** Whoever overtakes the host after this run has to know what was published of these rows. */
async function keepFound({ overtakes }: Run, { wired, context }: Run): Promise<void> {
  if (overtakes === undefined) return;
  let after: SeenRow | undefined;
  do {
    const rows: readonly SeenRow[] = await wired.ledger.seen(context.run, after, BATCH);
    await wired.ledger.see(overtakes.name, rows);
    after = rows.length < BATCH ? undefined : rows.at(-1);
  } while (after !== undefined);
}

async function hostSteps({ wired, context }: Run, pages: readonly PageId[]) {
  const steps = await wired.ledger.stepsOf(context.run, pages);
  return steps.filter((step) => step !== undefined);
}

async function stepsOf({ wired, context }: Run): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (;;) {
    const after = steps.at(-1);
    const batch = await wired.ledger.staged(context.run, { ...(after && { after }), limit: BATCH });
    steps.push(...batch);
    if (batch.length < BATCH) return steps;
  }
}

/** The phases of a run but feeds and deletes; gives the work that waits for the CDN. */
async function publish(run: Run): Promise<() => Promise<unknown>> {
  const { wired } = run;
  const after = await wired.ledger.lastChange();
  await publishPhase(run, "assets");
  await publishNew(run);
  await publishReturning(run, false);
  await publishArrivals(run);
  await publishPhase(run, "changed");
  await publishPhase(run, "lists");
  return await drainAfter({ ...outboxOptions(run), after });
}

function waits(): PipelineError {
  const message = "What is asked for waits until the run that publishes is over.";
  return new PipelineError("run_conflict", message);
}
