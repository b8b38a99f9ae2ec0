import { insist } from "../publish/slots.ts";
import { address } from "../site.ts";
import { retiring } from "./doubt.ts";
import { readerChanges } from "./readers.ts";
import type { Run } from "./run.ts";

/** Pages between two commits of the ledger. */
const BATCH = 200;

/**
 * Pages that fail live on by their last good versions alone; where the store has these no more, they
 * are no pages, so that nothing links to them until they can be made again.
 */
export async function retireLost(run: Run): Promise<void> {
  const { ledger, store, slots } = run.wired;
  const failed = await ledger.quarantined();
  for (let at = 0; at < failed.length; at += BATCH) {
    const live = (await ledger.pages(failed.slice(at, at + BATCH))).filter(
      (page) => page !== undefined,
    );
    const heads = await Promise.all(
      live.map(({ route }) => insist(slots, () => store.head(address(route).key))),
    );
    const lost = live.filter((_, n) => heads[n] === undefined);
    // Caches may have them still.
    const retired = lost.map((page) => retiring(run, page, page));
    await ledger.retire(run.context.run, lost, { retired, ...readerChanges(lost, []) });
  }
}
