import type { Artifact, Headers } from "../site.ts";
import type { StoredHead, Write } from "./store.ts";

/** Headers of an object as S3's requests and answers name them. */
interface S3Headers {
  readonly ContentType?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}

/** Metadata of ours that are no headers of the artifact: who wrote it, and its hash. */
const [WRITE, HASH] = ["nightbake-write", "nightbake-hash"];

/**
 * What PutObject needs to know of an artifact's headers.
 * @throws TypeError when metadata would come back changed: HTTP carries ASCII and drops outer spaces
 */
export function toHeaders(
  { key, contentType, cacheControl, contentLanguage, metadata, hash }: Artifact,
  { expected, id }: Write = {},
): S3Headers & Conditions {
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^(?! )[\x20-\x7e]*(?<! )$/.test(value)) {
      throw new TypeError(`Metadata ${name} of ${key} is not ASCII without outer spaces.`);
    }
  }
  const own = { [HASH]: hash.toString("hex"), ...(id !== undefined && { [WRITE]: id }) };
  return {
    ContentType: contentType,
    CacheControl: cacheControl,
    ...(contentLanguage !== undefined && { ContentLanguage: contentLanguage }),
    Metadata: { ...metadata, ...own },
    ...(expected === null && { IfNoneMatch: "*" }),
    ...(typeof expected === "string" && { IfMatch: expected }),
  };
}

interface Conditions {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

/** Who wrote an object and the hash of its artifact, from its metadata. */
export function toWrite(metadata: Record<string, string> = {}): Omit<StoredHead, "etag"> {
  return { writeId: metadata[WRITE], hash: metadata[HASH] };
}

/** The headers an answer carries, by our names; what it lacks is absent. */
export function fromHeaders(headers: S3Headers): Partial<Headers> {
  const { ContentType, CacheControl, ContentLanguage, Metadata } = headers;
  return {
    ...(ContentType !== undefined && { contentType: ContentType }),
    ...(CacheControl !== undefined && { cacheControl: CacheControl }),
    ...(ContentLanguage !== undefined && { contentLanguage: ContentLanguage }),
    metadata: Object.fromEntries(
      Object.entries(Metadata ?? {}).filter(([name]) => name !== WRITE && name !== HASH),
    ),
  };
}
