import type { Wired } from "../pipeline.ts";
import { encodeKey } from "../site.ts";
import type { Change, Feed } from "../source/feed.ts";
import type { Bell } from "./bell.ts";
import type { FollowOptions } from "./options.ts";
import { untilDone } from "./until-done.ts";

/**
 * How long a position alone waits to be kept. A ledger in a database that is followed, too, is told
 * of each of its own writes: to keep those at once would be another write, for ever.
 */
const POSITION_MS = 60_000;

/**
 * Keeps in the ledger what the feed tells, transaction by transaction, and rings. Ends with the signal.
 * @throws PipelineError as `Feed.follow` does
 */
export async function listen(
  { ledger }: Pick<Wired, "ledger">,
  feed: Feed,
  options: FollowOptions & { readonly from: string; readonly bell: Bell },
): Promise<void> {
  const { from, bell, signal, positionMs = POSITION_MS } = options;
  let keptMs = performance.now();
  for await (const { position, changes } of feed.follow(from, signal)) {
    if (changes.length === 0 && performance.now() - keptMs < positionMs) continue;
    await untilDone(options, () => ledger.tell(changes.map(toldBy), position));
    keptMs = performance.now();
    if (changes.length > 0) bell.ring();
  }
}

/** Of a table to compare all is looked at: what stands in the ledger are rows, or tables. */
function toldBy(change: Change) {
  const key = change.is === "row" ? encodeKey(change.key) : undefined;
  return { table: change.table.name, key };
}
