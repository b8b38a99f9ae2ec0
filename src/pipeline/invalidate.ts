import { drainOutbox } from "../invalidate/outbox.ts";
import type { Run } from "./run.ts";

/** Sends what waits in the outbox and returns when the CDN has completed it; the run stays the one that publishes. */
export async function invalidatePhase(run: Run): Promise<void> {
  const { wired, options, tally, progress } = run;
  const { ledger, cdn } = wired;
  if (!cdn.isCaching || !(await ledger.hasOutbox())) return;
  progress.begin("invalidate");
  let told = 0;
  await drainOutbox({
    ledger,
    cdn,
    signal: options.signal,
    async sleep(ms) {
      await wired.sleep(ms);
      await run.claim();
    },
    onProgress({ items }) {
      progress.add(items - told);
      tally.invalidated += items - told;
      told = items;
    },
  });
}
