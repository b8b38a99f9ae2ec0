import type { Cdn } from "../invalidate/cdn.ts";
import type { Tagged } from "../ledger/ledger.ts";
import { ownTag } from "../site.ts";
import type { Made } from "./make.ts";

/** A page with the cache tags that its artifact carries; none where the CDN does not look at them. */
export function taggedAs({ step: { kind, key }, artifact }: Made, { hasTags }: Cdn): Tagged {
  const tags = hasTags ? (artifact.metadata["cache-tag"]?.split(",") ?? []) : [];
  // What was imported may have been made otherwise.
  return { kind, key, tags: tags[0] === ownTag({ kind, key }) ? tags : [] };
}
