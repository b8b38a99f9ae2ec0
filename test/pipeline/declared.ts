import { kindFingerprints } from "../../src/engine.ts";
import type { Wired } from "../../src/pipeline.ts";
import type { KindHeaders } from "../../src/site.ts";

const ENGINE = Buffer.from("engine");

/** A pipeline whose site says this of one kind's headers. */
export function withHeaders(wired: Wired, name: string, said: KindHeaders): Wired {
  const kinds = wired.site.kinds.map((kind) => (kind.name === name ? { ...kind, ...said } : kind));
  const site = { ...wired.site, kinds };
  return { ...wired, site, fingerprint: kindFingerprints(site, wired.templates, ENGINE) };
}
