import type { Summary } from "../events.ts";
import type { Quarantined, RebuiltPages } from "../ledger/ledger.ts";
import { planFeeds } from "../plan/feeds.ts";
import type { Planned } from "../plan/plan.ts";
import { decodeKey, keyName, pageName, type Step } from "../site.ts";
import type { Rows } from "../source/source.ts";
import { type Begun, FINISHER, TABLES } from "./begin.ts";
import { NOTHING } from "./counts.ts";
import { openForesight } from "./foresight.ts";
import { copiesNote } from "./grace.ts";
import { shownNote } from "./log.ts";
import type { Run } from "./run.ts";

/** Tells every planned step, in page order, and sums them up. */
export async function dryRunReport(run: Run, { found, feeds }: Planned): Promise<Summary> {
  const { wired, context, options, tally } = run;
  await planFeeds(context, feeds);
  const foresight = openForesight(run);
  let after: Step | undefined;
  for (;;) {
    const at = after === undefined ? {} : { after };
    const steps = await wired.ledger.staged(context.run, { ...at, limit: 500 });
    for (const planned of steps) {
      const { kind, key, route, action, reason, phase } = planned;
      tally.addSteps([planned], action === "delete" ? "deleted" : "candidates");
      const step = { kind, key: keyName(decodeKey(key)), route, action, reason, phase };
      options.emit({ event: "step", step });
    }
    await foresight.add(steps.map((step) => ({ step })));
    if (steps.length === 0) {
      tally.covers.push(...[(await foresight.cover()) ?? []].flat());
      return tell(run, await summary(run, { found }));
    }
    after = steps.at(-1);
  }
}

/** Ends a run that found nothing to do: no release is recorded. */
export async function idleReport(run: Run, planned: Planned): Promise<Summary> {
  // What failed in a rebuild may be due to rows that it was not told of, which the next build sees.
  if (run.rebuilt === undefined) await keepFailed(run, planned);
  const { ledger } = run.wired;
  if (planned.hasRebuilt) await ledger.forgetRebuilt(run.release - 1);
  // Else each build would fetch again what rebuilds have touched, for as long as it finds nothing.
  if (planned.isScanned && !planned.isNew) {
    await ledger.settleRanges(run.context.run, run.release - 1);
  }
  return tell(run, await summary(run, { found: [] }));
}

/** Records the release; only then is the run done. */
export async function finish(
  run: Run,
  { tables }: Begun,
  { isPartial = false, ...planned }: Planned & { readonly isPartial?: boolean },
): Promise<Summary> {
  const { wired, context, release, startedAt } = run;
  run.progress.begin("record");
  await keepFailed(run, planned);
  const done = await summary(run, { found: planned.found, release });
  const finishedAt = Math.round(startedAt + done.seconds * 1_000_000);
  const report = JSON.stringify({ ...done, ...(run.options.isTakedown && { takedown: true }) });
  run.rebuilt?.add(run.tally.quarantined());
  const rebuilt = rebuiltPages(run);
  // What one kind's build left of the others, a plan of what came since, or a rebuild of too many
  // pages of rows that it was not told of, is found by looking at every page.
  const isOwn = run.options.only === undefined && !isPartial;
  const isWhole = isOwn && rebuilt !== undefined;
  await wired.ledger.finish(
    context.run,
    { id: release, startedAt, finishedAt, report },
    {
      ...planned.notes,
      ...(await copiesNote(run, { isWhole })),
      ...shownNote(run),
      [TABLES]: tables.filled,
      ...(isWhole && { [FINISHER]: context.run }),
    },
    rebuilt,
  );
  run.isFinished = true;
  if (isWhole) await wired.ledger.dropLifted(context.bars.lifted);
  return tell(run, done);
}

/** What the next build has to look at; undefined when it is too much to keep. */
function rebuiltPages({ rebuilt, overtakes }: Run): RebuiltPages | undefined {
  const isAll = rebuilt === undefined;
  const pages = isAll ? (overtakes === undefined ? [] : overtakes.pages()) : rebuilt.pages();
  return pages && { pages, isAll };
}

/** The summary is the last event, so whoever hears it knows that all it says is recorded. */
export function tell({ options }: Run, made: Summary): Summary {
  options.emit({ event: "summary", summary: made });
  return made;
}

/** What the run did. The release is undefined when nothing was recorded. */
export async function summary(
  run: Run,
  { found, release }: Pick<Planned, "found"> & { readonly release?: number },
): Promise<Summary> {
  const { wired, context, options, tally } = run;
  const live = options.targets === undefined ? await wired.ledger.countLiveByKind() : new Map();
  const counted = new Map(tally.kinds().map((each) => [each.kind, each]));
  const names = [...new Set([...live.keys(), ...counted.keys()])];
  return {
    ...readFrom(context.rows),
    release,
    isDryRun: options.isDryRun,
    ...tally.totals(),
    seconds: run.seconds(),
    invalidated: tally.invalidated,
    covers: tally.covers,
    unlinked: tally.unlinked,
    ...(tally.missed !== undefined && { missed: tally.missed }),
    waiting: await wired.ledger.countRetired(),
    kinds: names.map((kind) => ({
      ...NOTHING,
      ...counted.get(kind),
      kind,
      live: options.targets === undefined ? (live.get(kind) ?? 0) : undefined,
    })),
    found,
    causes: tally.causes(),
    steps: options.isDryRun ? await wired.ledger.stagedCounts(context.run) : [],
  };
}

function readFrom(rows: Rows): Pick<Summary, "read"> {
  const origin = rows.origin?.();
  if (origin === undefined) return {};
  const { passed: _, ...read } = origin;
  return { read: { ...read, replicaShare: origin.isPrimary ? 0 : 1 } };
}

/** Failed pages are added, those that no longer fail removed; with `only`, of that kind alone. */
export async function keepFailed(
  { wired, tally, options, startedAt }: Run,
  { leavesFailed = false }: Pick<Planned, "leavesFailed">,
): Promise<void> {
  const failed = tally.quarantined();
  if (leavesFailed) return await wired.ledger.quarantine(failed, tally.settled(), startedAt);
  const names = new Set(failed.map(pageName));
  const before = await wired.ledger.quarantined();
  const healed = before.filter(
    (page) =>
      !names.has(pageName(page)) && (options.only === undefined || page.kind === options.only),
  );
  if (isSame(before, failed)) return;
  await wired.ledger.quarantine(failed, healed, startedAt);
}

function isSame(before: readonly Quarantined[], after: readonly Quarantined[]): boolean {
  if (before.length !== after.length) return false;
  const known = new Map(before.map((each) => [pageName(each), each]));
  return after.every((each) => {
    const other = known.get(pageName(each));
    return other?.message === each.message && other.code === each.code && other.at === each.at;
  });
}
