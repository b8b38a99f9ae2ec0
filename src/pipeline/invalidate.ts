import { drainOutbox, type OutboxCount, type OutboxOptions } from "../invalidate/outbox.ts";
import { openProbe } from "../invalidate/probe.ts";
import type { Terms } from "../invalidate/terms.ts";
import { address } from "../site.ts";
import type { Run, Wired } from "./run.ts";

/** How often a run that waits for others lets more of them pass. */
const OTHERS_MS = 250;

/** Sends what waits in the outbox and returns when the CDN has completed it; the run stays the one that publishes. */
export async function invalidatePhase(run: Run): Promise<void> {
  const { ledger, cdn } = run.wired;
  await othersDone(run);
  if (!cdn.isCaching || !(await ledger.hasOutbox())) return;
  run.progress.begin("invalidate");
  await drainOutbox(outboxOptions(run));
}

/** Who overtook the run waits for the CDN, too; what is theirs is not sent twice. */
async function othersDone(run: Run): Promise<void> {
  const works = run.overtakes?.works ?? [];
  while (works.length > 0) {
    let isDone = false;
    const all = Promise.all(works.splice(0)).then(() => {
      isDone = true;
    });
    while (!isDone) {
      await Promise.race([all, run.wired.sleep(OTHERS_MS)]);
      await run.claim();
      await run.pause();
    }
  }
}

/** How a run sends what waits in the outbox. */
export function outboxOptions(run: Run): OutboxOptions {
  const { wired, options, tally, progress } = run;
  let told = 0;
  return {
    ...toolsOf(wired, { sleep: wired.sleep, signal: options.signal }),
    terms: termsOf(run),
    run: run.context.run,
    now: run.moment,
    signal: options.signal,
    onCover: (report) => tally.covers.push(report),
    async sleep(ms) {
      await wired.sleep(ms);
      await run.claim();
      await run.pause();
    },
    onProgress({ items }) {
      progress.add(items - told);
      tally.invalidated += items - told;
      told = items;
    },
  };
}

/** Sends what waits, and looks at a sample of it through the CDN if that is asked for. */
export async function drain(
  wired: Tools,
  options: Omit<OutboxOptions, keyof ReturnType<typeof toolsOf>>,
): Promise<OutboxCount> {
  return await drainOutbox({ ...options, ...toolsOf(wired, options) });
}

type Tools = Pick<Wired, "ledger" | "cdn" | "store" | "probing">;

function toolsOf(
  { ledger, cdn, store, probing }: Tools,
  { sleep, signal }: Pick<OutboxOptions, "sleep" | "signal">,
): Pick<OutboxOptions, "ledger" | "cdn" | "probe" | "probes"> {
  const published = async (route: string) => (await store.get(address(route).key))?.body;
  const probe = probing && openProbe({ ...probing, published, sleep, signal });
  return { ledger, cdn, probe, probes: probing?.pages ?? 0 };
}

/** A rebuild is an editor's: it may use the room that builds leave. */
export function termsOf({ wired, rebuilt }: Run): Terms {
  return rebuilt === undefined
    ? wired.terms
    : { ...wired.terms, reservedItems: 0, reservedWildcards: 0 };
}
