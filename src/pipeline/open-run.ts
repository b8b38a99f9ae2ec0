import type { PlanContext } from "../plan/context.ts";
import { type Begun, interrupted } from "./begin.ts";
import { openProgress } from "./progress.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { openTally } from "./tally.ts";

/** A run that stops answering for so long may be replaced. */
const LEASE_MS = 60_000;

/** Puts together what the stages of one run share. Claims nothing yet: planning needs no lock. */
export async function openRun(
  wired: Wired,
  options: BuildOptions,
  begun: Begun,
  now: number,
): Promise<Run> {
  const { ledger } = wired;
  const last = await ledger.release();
  const tally = openTally(options.emit);
  const begunMs = performance.now();
  let isFinished = false;
  let claimedMs: number | undefined;
  async function claim(): Promise<void> {
    const nowMs = Date.now();
    if (claimedMs !== undefined && nowMs - claimedMs < LEASE_MS / 3) return;
    await ledger.claim(begun.run, { release: last, nowMs, leaseMs: LEASE_MS });
    claimedMs = nowMs;
  }
  return {
    wired,
    options,
    context: contextOf(wired, begun, { now, tally }),
    tally,
    progress: openProgress(options.emit),
    release: last + 1,
    startedAt: now,
    claim,
    async goOn() {
      if (options.signal.aborted) throw interrupted();
      await claim();
    },
    async finished() {
      isFinished = true;
    },
    async close() {
      if (isFinished) return;
      if (claimedMs === undefined) await ledger.discard(begun.run);
      else await ledger.yieldClaim(begun.run);
    },
    seconds: () => (performance.now() - begunMs) / 1000,
  };
}

function contextOf(
  { site, ledger, assets, content, fingerprint }: Wired,
  { run, rows, isStoreTrusted }: Begun,
  { now, tally }: { readonly now: number; readonly tally: Run["tally"] },
): PlanContext {
  return {
    site,
    run,
    now,
    rows,
    ledger,
    assets,
    content,
    fingerprint,
    isStoreTrusted,
    onFailure: (failure) => tally.fail(failure),
    hasFailed: (page) => tally.hasFailed(page),
  };
}
