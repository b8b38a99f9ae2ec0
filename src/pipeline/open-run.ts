import { PipelineError } from "../error.ts";
import type { LivePage, SeenRow } from "../ledger/ledger.ts";
import { barsOf } from "../plan/bars.ts";
import { lastBasis } from "../plan/basis.ts";
import type { PlanContext } from "../plan/context.ts";
import { placeIds } from "../plan/touched.ts";
import { type Begun, interrupted } from "./begin.ts";
import { besideLedger } from "./beside-ledger.ts";
import { claimant } from "./claimant.ts";
import { type Maker, make } from "./make.ts";
import type { OvertakeAsked, Overtaken } from "./overtake.ts";
import { openOvertakes } from "./overtakes.ts";
import { openProgress } from "./progress.ts";
import { openRebuilt } from "./rebuilt.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { openTally } from "./tally.ts";
import { outlast, withinClaim } from "./within-claim.ts";

/** What makes a run another than most. */
interface RunParts {
  readonly maker?: Maker;
  /** Publishes what others are in a hurry for between its batches; without it nobody may. */
  readonly overtake?: (host: Run, asked: OvertakeAsked) => Promise<Overtaken>;
}

/** Puts together what the stages of one run share. Claims nothing yet: planning needs no lock. */
export function openRun(
  wired: Wired,
  options: BuildOptions,
  begun: Begun,
  { maker = make, overtake }: RunParts = {},
): Run {
  const { ledger } = wired;
  const { claim, hasClaimed, reserve, end, ...within } = claimant(wired, begun);
  const isRebuild = options.targets !== undefined || options.changes !== undefined;
  const rebuilt = isRebuild ? openRebuilt() : undefined;
  const overtakes =
    overtake !== undefined && !isRebuild && mayBeOvertaken(options, begun)
      ? openOvertakes(wired.site, ledger, begun.run)
      : undefined;
  const own = { ...wired, ledger: overtakes?.watched ?? ledger };
  const run: Run = {
    ...partsOf({ wired: own, options, begun, rebuilt }),
    wired: withinClaim(own, within, options),
    make: maker,
    shown: begun.shown,
    overtakes,
    release: begun.last.release + 1,
    claim,
    hasClaimed,
    reserve,
    async pause() {
      if (overtake === undefined || overtakes === undefined || overtakes.isOver) return;
      await options.onPause?.((asked) => overtake(run, asked));
      if (overtakes.broken !== undefined) throw overtakes.broken;
    },
    async goOn() {
      if (options.signal.aborted) throw interrupted();
      await claim();
      await run.pause();
    },
    async [Symbol.asyncDispose]() {
      await end();
      // The release gave the claim up, and the plan went with it.
      if (run.isFinished) return;
      // An operator who stops a run waits for nothing: then the claim ends by itself.
      const isLeft = options.signal.aborted && within.lateMs() > 0;
      if (!isLeft) await outlast(wired, within.lateMs(), options);
      const leave = isLeft ? ledger.discard : ledger.yieldClaim;
      await leave(begun.run).catch((error: unknown) => {
        // It ends by itself, and what made it fail has failed the run too.
        if (!(error instanceof PipelineError)) throw error;
      });
    },
  };
  return run;
}

/** A build that knows what was live before it; others are planned from that. */
function mayBeOvertaken(
  { onPause, isDryRun, only }: BuildOptions,
  { isStoreTrusted, isCutOff, notes }: Begun,
): boolean {
  if (onPause === undefined || isDryRun || only !== undefined) return false;
  return isStoreTrusted && !isCutOff && lastBasis({ notes }) !== undefined;
}

/** Puts together the same for a run that publishes between two batches of another, under its claim. */
export function openBeside(
  host: Run,
  options: BuildOptions,
  begun: Begun,
  onPut: OvertakeAsked["onPut"] = () => {},
): Run {
  const ids = { host: host.context.run, own: begun.run };
  const ledger = host.overtakes?.plain ?? host.wired.ledger;
  // It is over soon, and whoever helps helps the other.
  const wired = {
    ...host.wired,
    crew: undefined,
    ledger: besideLedger(ledger, { ...ids, onPut: putBy(host, onPut) }),
  };
  const rebuilt = openRebuilt();
  // The other run is the one that publishes, and was not cut off.
  const parts = partsOf({ wired, options, begun: { ...begun, isCutOff: false }, rebuilt });
  const { claim, hasClaimed, reserve, release } = host;
  // Sitemaps name all that is live, which the other run sees to at its end.
  parts.tally.touchFeeds = host.tally.touchFeeds;
  return {
    ...parts,
    context: {
      ...parts.context,
      onOwn: (pages) => rebuilt.add(pages),
      foundBeside: (...of) => foundBeside(host, ...of),
    },
    wired,
    make,
    shown: begun.shown,
    overtakes: undefined,
    release,
    claim,
    hasClaimed,
    reserve,
    async pause() {},
    async goOn() {
      if (options.signal.aborted) throw interrupted();
      await claim();
    },
    [Symbol.asyncDispose]: () => ledger.discard(begun.run),
  };
}

/** Pages that were found as they are keep the release that put them. */
function putBy(
  { release }: Run,
  onPut: NonNullable<OvertakeAsked["onPut"]>,
): (pages: readonly LivePage[]) => void {
  return (pages) => onPut(pages.filter((page) => page.release === release));
}

/** What a run found of rows, and the last that others did who overtook it. */
async function foundBeside(
  { wired: { ledger }, context, overtakes }: Run,
  table: string,
  keys: readonly Uint8Array[],
): Promise<readonly (readonly SeenRow[])[]> {
  const [own, others] = await Promise.all([
    ledger.seenOf(context.run, table, keys),
    overtakes === undefined ? [] : ledger.seenOf(overtakes.name, table, keys),
  ]);
  return keys.map((_, at) => [own[at] ?? [], others[at] ?? []].flat());
}

/** What a run has for itself. */
function partsOf({
  wired,
  options,
  begun,
  rebuilt,
}: Pick<Run, "wired" | "options" | "rebuilt"> & { readonly begun: Begun }) {
  const tally = openTally(options.emit);
  const begunMs = performance.now();
  const seconds = () => (performance.now() - begunMs) / 1000;
  const bars = barsOf(begun.bars, options.imagined);
  let keepsVersions: Promise<boolean> | undefined;
  return {
    options,
    context: { ...contextOf(wired, begun, tally, rebuilt), bars },
    tally,
    rebuilt,
    progress: openProgress(options.emit),
    startedAt: begun.now,
    keepsVersions() {
      keepsVersions ??= wired.store.keepsVersions();
      return keepsVersions;
    },
    isFinished: false,
    moment: () => begun.now + Math.round(seconds() * 1_000_000),
    seconds,
  };
}

function contextOf(
  { site, ledger, store, assets, content, redirects, fingerprint, making }: Wired,
  { run, now, rows, notes, isStoreTrusted, isCutOff }: Begun,
  tally: Run["tally"],
  rebuilt: Run["rebuilt"],
): Omit<PlanContext, "bars"> {
  return {
    site,
    run,
    now,
    rows,
    notes,
    ledger: rebuilt?.watch(ledger) ?? ledger,
    assets,
    content,
    redirects,
    foldsCase: store.foldsCase,
    fingerprint,
    making,
    isStoreTrusted,
    isCutOff,
    onFailure: (failure) => tally.fail(failure),
    hasFailed: (page) => tally.hasFailed(page),
    onTouched: (part) => rebuilt?.add(placeIds(part)),
    onSame: (kind, cause, pages) => tally.addCaused({ kind, cause }, "candidates", pages),
  };
}
