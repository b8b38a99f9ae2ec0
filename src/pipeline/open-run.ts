import { PipelineError } from "../error.ts";
import { barsOf } from "../plan/bars.ts";
import type { PlanContext } from "../plan/context.ts";
import { type Begun, interrupted, PUBLISHER } from "./begin.ts";
import { type Maker, make } from "./make.ts";
import { openProgress } from "./progress.ts";
import { openRebuilt } from "./rebuilt.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { openTally } from "./tally.ts";

/** A run that stops answering for so long may be replaced. */
const LEASE_MS = 30_000;

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
  const { claim, stay, hasClaimed, end } = claimant(wired, begun);
  const isRebuild = options.targets !== undefined || options.changes !== undefined;
  const rebuilt = isRebuild ? openRebuilt() : undefined;
  let keepsVersions: Promise<boolean> | undefined;
  return {
    wired,
    options,
    context: {
      ...contextOf(wired, begun, tally, rebuilt),
      bars: barsOf(begun.bars, options.imagined),
    },
    tally,
    make: maker,
    rebuilt,
    progress: openProgress(options.emit),
    release: begun.last.release + 1,
    startedAt: begun.now,
    claim,
    stay,
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
      await ledger.yieldClaim(begun.run).catch((error: unknown) => {
        // It ends by itself, and what made it fail has failed the run too.
        if (!(error instanceof PipelineError)) throw error;
      });
    },
  };
}

/**
 * Claims the ledger at each call, and by itself whenever a third of the lease is over, so that a
 * slow store does not lose it. At the first it says which CDN the tags are for. The ledger knows finished releases only; the note tells of runs, too,
 * that published and were cut off since this one read its rows.
 */
function claimant(
  { ledger, cdn }: Wired,
  { run, last }: Begun,
): Pick<Run, "claim" | "stay" | "hasClaimed"> & { readonly end: () => Promise<void> } {
  let publisher = last.publisher;
  let claimedMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let renewal: Promise<void> | undefined;
  const renew = async () => {
    const nowMs = Date.now();
    const mark = { name: PUBLISHER, was: publisher };
    await ledger.claim(run, { release: last.release, nowMs, leaseMs: LEASE_MS, mark });
    publisher = run;
    claimedMs = nowMs;
  };
  // A claim that has ended may have been another's since, which only a call looks at.
  const keep = async () => {
    if (Date.now() - claimedMs < LEASE_MS) await renew();
  };
  return {
    async claim() {
      const isFirst = publisher !== run;
      await renew();
      if (isFirst) await ledger.serveBy(cdn.hasTags ? cdn.name : "");
      // What it cannot renew, the next call finds out and says.
      const tick = () => {
        renewal = keep().catch(() => {});
      };
      timer ??= setInterval(tick, LEASE_MS / 3).unref();
    },
    async stay() {
      if (Date.now() - claimedMs >= LEASE_MS) await renew();
    },
    hasClaimed: () => claimedMs > 0,
    async end() {
      clearInterval(timer);
      await renewal;
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
    onSame: (kind, cause, pages) => tally.addCaused({ kind, cause }, "candidates", pages),
  };
}
