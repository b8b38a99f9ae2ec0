import type { Artifact, Headers } from "../site.ts";

/** Headers of an object as S3's requests and answers name them. */
interface S3Headers {
  readonly ContentType?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}

/**
 * What PutObject needs to know of an artifact's headers.
 * @throws TypeError when metadata would come back changed: HTTP carries ASCII and drops outer spaces
 */
export function toHeaders({ key, contentType, cacheControl, metadata }: Artifact): S3Headers {
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^(?! )[\x20-\x7e]*(?<! )$/.test(value)) {
      throw new TypeError(`Metadata ${name} of ${key} is not ASCII without outer spaces.`);
    }
  }
  return { ContentType: contentType, CacheControl: cacheControl, Metadata: { ...metadata } };
}

/** The headers an answer carries, by our names; what it lacks is absent. */
export function fromHeaders({ ContentType, CacheControl, Metadata }: S3Headers): Partial<Headers> {
  return {
    ...(ContentType !== undefined && { contentType: ContentType }),
    ...(CacheControl !== undefined && { cacheControl: CacheControl }),
    metadata: Metadata ?? {},
  };
}
