import { edgeKey } from "../edge/edge-function.ts";

/**
 * The object key behind an address on this site, by the function that CloudFront runs. Undefined for
 * addresses that lead elsewhere.
 * @throws TypeError for an address no browser could follow
 */
export function cdnKey(address: string, base: string): string | undefined {
  const url = new URL(address, base);
  if (url.origin !== new URL(base).origin) return undefined;
  return edgeKey(url.pathname) ?? `what ${url.pathname} names, and no object can be called`;
}
