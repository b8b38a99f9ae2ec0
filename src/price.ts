import { TERMS } from "./invalidate/terms.ts";

/** What objects and invalidation items cost, US dollars before tax. */
export interface Price {
  /** Objects put. S3 deletes for nothing. */
  readonly puts: number;
  /** Items that the CDN is asked to invalidate. */
  readonly items: number;
  /** While the month's free items last for them. */
  readonly usdFrom: number;
  /** When the month's free items are used up. */
  readonly usdTo: number;
}

/** S3 Standard, us-east-1: PUT, COPY, POST, LIST requests (Amazon S3 pricing, "Requests & data retrievals"). */
const USD_A_PUT = 0.005 / 1000;

/** The same page: GET and all other requests. */
const USD_A_HEAD = 0.0004 / 1000;
/** Keys that one LIST request gives. */
const LISTED = 1000;

/** What it costs to list a store `lists` times and to look at each of its objects `heads` times. */
export function lookPrice({
  objects,
  lists,
  heads,
}: {
  readonly objects: number;
  readonly lists: number;
  readonly heads: number;
}): { readonly lists: number; readonly heads: number; readonly usd: number } {
  const asked = lists * Math.max(1, Math.ceil(objects / LISTED));
  const looked = heads * objects;
  return { lists: asked, heads: looked, usd: rounded(asked * USD_A_PUT + looked * USD_A_HEAD) };
}

/** The price of putting objects and invalidating items. */
export function priceOf({ puts, items }: Pick<Price, "puts" | "items">): Price {
  const usd = puts * USD_A_PUT;
  const paid = Math.max(0, items - TERMS.freeItems);
  return {
    puts,
    items,
    usdFrom: rounded(usd + paid * TERMS.itemUsd),
    usdTo: rounded(usd + items * TERMS.itemUsd),
  };
}

/** Millionths are the smallest that one put makes. */
function rounded(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}
