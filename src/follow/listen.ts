import type { Wired } from "../pipeline.ts";
import { encodeKey } from "../site.ts";
import type { Change, Feed } from "../source/feed.ts";
import type { Bell } from "./bell.ts";
import type { FollowOptions } from "./options.ts";
import { untilDone } from "./until-done.ts";

/**
 * Keeps in the ledger what the feed tells, transaction by transaction, and rings. Ends with the signal.
 * @throws PipelineError as `Feed.follow` does
 */
export async function listen(
  { ledger }: Pick<Wired, "ledger">,
  feed: Feed,
  options: FollowOptions & { readonly from: string; readonly bell: Bell },
): Promise<void> {
  for await (const { position, changes } of feed.follow(options.from, options.signal)) {
    await untilDone(options, () => ledger.tell(changes.map(toldBy), position));
    if (changes.length > 0) options.bell.ring();
  }
}

/** Of a table to compare all is looked at: what stands in the ledger are rows, or tables. */
function toldBy(change: Change) {
  const key = change.is === "row" ? encodeKey(change.key) : undefined;
  return { table: change.table.name, key };
}
