import type { Wired } from "../pipeline.ts";
import { digestOf, hexOf } from "../site.ts";

/**
 * Fingerprint of all that a process makes pages of, beside rows: templates, content, assets, declared
 * redirects, the site definition, our own code, the locked dependencies and the runtime. Two processes
 * with the same one make the same bytes.
 */
export function codeOf(
  wired: Pick<Wired, "site" | "fingerprint" | "content" | "assets" | "redirects">,
): string {
  const { site, fingerprint, content, assets, redirects } = wired;
  const kinds = site.kinds.map((kind) => [kind.name, fingerprint(kind)]);
  const files = assets.map(({ name, key }) => [name, key]);
  const { kinds: _, ...words } = site;
  return hexOf(digestOf([words, kinds, [...content], files, redirects]));
}
