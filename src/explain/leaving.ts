import type { PlanContext } from "../plan/context.ts";
import type { Instant } from "../site.ts";

/** An object that no page needs any more. */
export interface Leaving {
  /** Object name in the store. */
  readonly object: string;
  /** µs; undefined until what linked there is invalidated, by which its time begins. */
  readonly at: Instant | undefined;
  /** The moment is over; the next run deletes it. */
  readonly isOver: boolean;
}

/** The first `limit` objects that wait to be deleted until `until`, by moment. */
export async function leavingNext(
  { ledger, now }: Pick<PlanContext, "ledger" | "now">,
  { until, limit }: { readonly until: Instant; readonly limit: number },
): Promise<readonly Leaving[]> {
  const retired = await ledger.retired(limit);
  return retired
    .filter(({ dueAt = 0 }) => dueAt <= until)
    .map(({ object, dueAt: at }) => ({ object, at, isOver: at !== undefined && at <= now }));
}
