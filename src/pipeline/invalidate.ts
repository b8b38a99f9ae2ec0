import { drainOutbox } from "../invalidate/outbox.ts";
import type { Terms } from "../invalidate/terms.ts";
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
    terms: termsOf(run),
    now: () => run.moment(),
    signal: options.signal,
    onCover: (report) => tally.covers.push(report),
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

/** A rebuild is an editor's: it may use the room that builds leave. */
function termsOf({ wired, rebuilt }: Pick<Run, "wired" | "rebuilt">): Terms {
  return rebuilt === undefined
    ? wired.terms
    : { ...wired.terms, reservedItems: 0, reservedWildcards: 0 };
}
