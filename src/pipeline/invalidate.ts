import { drainOutbox, type OutboxCount, type OutboxOptions } from "../invalidate/outbox.ts";
import { openProbe } from "../invalidate/probe.ts";
import type { Terms } from "../invalidate/terms.ts";
import { address } from "../site.ts";
import type { Run, Wired } from "./run.ts";

/** Sends what waits in the outbox and returns when the CDN has completed it; the run stays the one that publishes. */
export async function invalidatePhase(run: Run): Promise<void> {
  const { wired, options, tally, progress } = run;
  const { ledger, cdn } = wired;
  if (!cdn.isCaching || !(await ledger.hasOutbox())) return;
  progress.begin("invalidate");
  let told = 0;
  await drain(wired, {
    terms: termsOf(run),
    run: run.context.run,
    now: run.moment,
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

/** Sends what waits, and looks at a sample of it through the CDN if that is asked for. */
export async function drain(
  { ledger, cdn, store, probing }: Pick<Wired, "ledger" | "cdn" | "store" | "probing">,
  options: Omit<OutboxOptions, "ledger" | "cdn" | "probes" | "probe">,
): Promise<OutboxCount> {
  const published = async (route: string) => (await store.get(address(route).key))?.body;
  const probe = probing && openProbe({ ...probing, published, sleep: options.sleep });
  return await drainOutbox({ ...options, ledger, cdn, probe, probes: probing?.pages ?? 0 });
}

/** A rebuild is an editor's: it may use the room that builds leave. */
export function termsOf({ wired, rebuilt }: Run): Terms {
  return rebuilt === undefined
    ? wired.terms
    : { ...wired.terms, reservedItems: 0, reservedWildcards: 0 };
}
