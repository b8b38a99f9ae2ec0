import { PipelineError } from "../error.ts";
import { barsOf } from "../plan/bars.ts";
import type { PlanContext } from "../plan/context.ts";
import { placeIds } from "../plan/touched.ts";
import { type Begun, interrupted } from "./begin.ts";
import { claimant } from "./claimant.ts";
import { type Maker, make } from "./make.ts";
import { openProgress } from "./progress.ts";
import { openRebuilt } from "./rebuilt.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { openTally } from "./tally.ts";
import { outlast, withinClaim } from "./within-claim.ts";

/** Puts together what the stages of one run share. Claims nothing yet: planning needs no lock. */
export function openRun(
  wired: Wired,
  options: BuildOptions,
  begun: Begun,
  maker: Maker = make,
): Run {
  const { ledger } = wired;
  const tally = openTally(options.emit);
  const begunMs = performance.now();
  const seconds = () => (performance.now() - begunMs) / 1000;
  const { claim, hasClaimed, end, ...within } = claimant(wired, begun);
  const isRebuild = options.targets !== undefined || options.changes !== undefined;
  const rebuilt = isRebuild ? openRebuilt() : undefined;
  let keepsVersions: Promise<boolean> | undefined;
  return {
    wired: withinClaim(wired, within, options),
    options,
    context: {
      ...contextOf(wired, begun, tally, rebuilt),
      bars: barsOf(begun.bars, options.imagined),
    },
    tally,
    make: maker,
    rebuilt,
    progress: openProgress(options.emit),
    shown: begun.shown,
    release: begun.last.release + 1,
    startedAt: begun.now,
    claim,
    hasClaimed,
    async goOn() {
      if (options.signal.aborted) throw interrupted();
      await claim();
    },
    keepsVersions() {
      keepsVersions ??= wired.store.keepsVersions();
      return keepsVersions;
    },
    isFinished: false,
    moment: () => begun.now + Math.round(seconds() * 1_000_000),
    seconds,
    async [Symbol.asyncDispose]() {
      await end();
      // The release gave the claim up, and the plan went with it.
      if (this.isFinished) return;
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
