import type { Told } from "../ledger/ledger.ts";
import type { Wired } from "../pipeline.ts";
import { encodeKey } from "../site.ts";
import type { Feed, Transaction } from "../source/feed.ts";
import type { Bell } from "./bell.ts";
import { type LaneOf, openLanes } from "./lanes.ts";
import type { FollowOptions } from "./options.ts";
import { untilDone } from "./until-done.ts";

/**
 * How long a position alone waits to be kept. A ledger in a database that is followed, too, is told
 * of each of its own writes: to keep those at once would be another write, for ever.
 */
const POSITION_MS = 60_000;
/** Clocks of servers differ by less, and the log's own seconds begin up to one before the commit. */
const LIVE_US = 2_000_000;
const US_PER_MS = 1_000;

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
  const laneOf = openLanes();
  for await (const transaction of feed.follow(from, signal)) {
    const { position, changes } = transaction;
    if (changes.length === 0 && performance.now() - keptMs < positionMs) continue;
    const told = toldBy(transaction, laneOf);
    await untilDone(options, () => ledger.tell(told, position));
    keptMs = performance.now();
    if (changes.length > 0) bell.ring();
  }
}

/** Of a range to compare the first key is told as a row: what stands in the ledger begins after a key. */
function toldBy({ changes, committedAt }: Transaction, laneOf: LaneOf): readonly Told[] {
  const lane = laneOf(changes);
  const moment = { committedAt: momentOf(committedAt) };
  return changes.flatMap((change): readonly Told[] => {
    const table = change.table.name;
    if (change.is === "row") return [{ table, lane, key: encodeKey(change.key), ...moment }];
    if (change.range === undefined) return [{ table, lane: "compare", key: undefined, ...moment }];
    const [from, upTo] = [change.range.from, change.range.to].map(encodeKey);
    return [
      { table, lane: "bulk", key: from, ...moment },
      { table, lane: "compare", key: from, upTo, ...moment },
    ];
  });
}

/** The log tells whole seconds; what is told at once was committed just now. */
function momentOf(committedAt: number | undefined): number {
  const now = Date.now() * US_PER_MS;
  return committedAt === undefined || now - committedAt < LIVE_US ? now : committedAt;
}
