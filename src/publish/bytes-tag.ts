import { digest } from "../site.ts";

/** The entity tag of stores that have none of their own: a digest of the bytes, as S3 spells it. */
export function bytesTag(body: Uint8Array): string {
  return `"${digest(body).toString("hex")}"`;
}
