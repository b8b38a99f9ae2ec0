/**
 * The object key behind an address on this site, by what CloudFront and its index function do:
 * the path is decoded once, and one that ends in "/" gets `index.html`. Undefined for addresses
 * that lead elsewhere. Written apart from src/, whose encoder it checks.
 * @throws URIError or TypeError for an address no browser could follow
 */
export function cdnKey(address: string, base: string): string | undefined {
  const url = new URL(address, base);
  if (url.origin !== new URL(base).origin) return undefined;
  const key = decodeURIComponent(url.pathname.slice(1));
  return key === "" || key.endsWith("/") ? `${key}index.html` : key;
}
