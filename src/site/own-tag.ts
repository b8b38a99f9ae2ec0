import { digest } from "./digest.ts";
import type { PageId } from "./words.ts";

/** Bytes of a tag's value: 64 bits tell apart more values than any site has. */
const TAG_BYTES = 8;

/** The value of a cache tag: CloudFront's are ASCII without commas and ignore case, so it is hashed. 8 bytes. */
export function tagDigest(content: string | Uint8Array): Buffer {
  return digest(content).subarray(0, TAG_BYTES);
}

/** The first of a page's cache tags, which no other page has, e.g. `article-0a1b2c3d4e5f6071`. */
export function ownTag({ kind, key }: PageId): string {
  return ownTagOf(kind, tagDigest(key));
}

/** The same from the digest of the page's key. */
export function ownTagOf(kind: string, value: Uint8Array): string {
  return `${kind.toLowerCase()}-${Buffer.from(value).toString("hex")}`;
}
