import type { Price } from "../price.ts";
import { counted } from "./format.ts";

/** `12 puts, 24 invalidation items, $0.00006 to $0.12`. */
export function priceText({ puts, items, usdFrom, usdTo }: Price): string {
  const parts = [counted(puts, "put"), ...(items > 0 ? [counted(items, "invalidation item")] : [])];
  const range = usdFrom === usdTo ? dollars(usdTo) : `${dollars(usdFrom)} to ${dollars(usdTo)}`;
  return `${parts.join(", ")}, ${range}`;
}

/** `$0.405`, of which the cents are always there. */
export function dollars(usd: number): string {
  return `$${usd.toFixed(6).replace(/(\.\d\d+?)0+$/, "$1")}`;
}
