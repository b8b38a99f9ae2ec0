/** What CloudFront charges and allows, and what our own side of the scale weighs. */
export interface Terms {
  /** USD for an item beyond the free ones; a tag or a wildcard is one (CloudFront, paying for invalidation). */
  readonly itemUsd: number;
  /** Items a month and account that cost nothing (same page). */
  readonly freeItems: number;
  /** What a free item is worth to us: it may be missed later in the month. A fifth of a paid one. */
  readonly freeItemUsd: number;
  /**
   * What it costs to evict a page that did not change: refetches from the store by ten regions
   * ($0.000004), and readers who wait for them. Fifty such pages weigh as much as a paid item.
   */
  readonly evictedUsd: number;
  /** What it is worth not to wait for one more wave. */
  readonly waveUsd: number;
  /** Largest share of all live pages that may be evicted though they did not change; 0 to 1. */
  readonly maxShare: number;
  /** USD a month for items. */
  readonly budgetUsd: number;
  /** In progress at once: CloudFront's limit (concurrent invalidation request maximum). */
  readonly maxItems: number;
  /** In progress at once: CloudFront's own limit for items that end in "*" (same page). */
  readonly maxWildcards: number;
  /** Room of both that is left to editors and others. */
  readonly reservedItems: number;
  readonly reservedWildcards: number;
  /** Items in one call. */
  readonly callItems: number;
  /** Between two calls of an account: 0.5 a second (aws-sdk-js #3983; not documented). */
  readonly callSeconds: number;
  /** Until an invalidation has completed, at the 95th percentile (launch note of tag invalidation). */
  readonly waveSeconds: number;
}

/** The terms unless somebody says otherwise. */
export const TERMS: Terms = {
  itemUsd: 0.005,
  freeItems: 1000,
  freeItemUsd: 0.001,
  evictedUsd: 0.0001,
  waveUsd: 0.1,
  maxShare: 0.05,
  budgetUsd: Number.POSITIVE_INFINITY,
  maxItems: 3000,
  maxWildcards: 15,
  reservedItems: 1000,
  reservedWildcards: 3,
  callItems: 1000,
  callSeconds: 2,
  waveSeconds: 25,
};

/** The terms with so many items in progress left to editors and others, and wildcards in proportion. */
export function leaving(reservedItems: number): Terms {
  const share = reservedItems / TERMS.reservedItems;
  return { ...TERMS, reservedItems, reservedWildcards: Math.ceil(TERMS.reservedWildcards * share) };
}

/** What a cover asks of the CDN and of the store behind it. */
export interface Load {
  readonly items: number;
  /** Those of the items that end in "*". */
  readonly wildcards: number;
  /** Unchanged pages that go with them. */
  readonly evicted: number;
}

/** Weighs as much as a million: going beyond the share of evicted pages is never worth it. */
const NEVER = 1_000_000;
/** A dollar beyond the budget weighs as much as a thousand. */
const OVER_BUDGET = 1000;

/** What is weighed: the least of it is the cheapest cover. It grows ever faster with the items. */
export function weighing(terms: Terms, monthItems: number, live: number): (load: Load) => number {
  const { freeItemUsd, evictedUsd, waveUsd, maxShare, budgetUsd } = terms;
  const free = Math.max(0, terms.freeItems - monthItems);
  const spent = spentUsd(terms, monthItems);
  const maxEvicted = Math.floor(maxShare * live);
  const itemWaveUsd = waveUsd / room(terms).items;
  const wildcardWaveUsd = waveUsd / room(terms).wildcards;
  return ({ items, wildcards, evicted }) => {
    const after = spentUsd(terms, monthItems + items);
    const shared = Math.min(items, free) * freeItemUsd + evicted * evictedUsd;
    const waiting = items * itemWaveUsd + wildcards * wildcardWaveUsd;
    const beyond = NEVER * Math.max(0, evicted - maxEvicted);
    return after - spent + shared + waiting + OVER_BUDGET * Math.max(0, after - budgetUsd) + beyond;
  };
}

/** The account's bill for so many items in a month. */
export function spentUsd({ freeItems, itemUsd }: Terms, items: number): number {
  return Math.max(0, items - freeItems) * itemUsd;
}

/** What one wave may hold. */
export function room(terms: Terms): Pick<Load, "items" | "wildcards"> {
  return {
    items: Math.max(1, terms.maxItems - terms.reservedItems),
    wildcards: Math.max(1, terms.maxWildcards - terms.reservedWildcards),
  };
}
