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

/** An object at which a request of a process that died may yet take place. */
export interface Lingering {
  /** Object name in the store. */
  readonly object: string;
  /** µs; the first run after it looks at the object. */
  readonly at: Instant;
  readonly isOver: boolean;
}

/** The first `limit` such objects that are looked at until `until`, by name. */
export async function lingeringNext(
  { ledger, now }: Pick<PlanContext, "ledger" | "now">,
  { until, limit }: { readonly until: Instant; readonly limit: number },
): Promise<readonly Lingering[]> {
  const lingering = await ledger.lingering(until, undefined, limit);
  return lingering.map(({ object, until: at }) => ({ object, at, isOver: at <= now }));
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
