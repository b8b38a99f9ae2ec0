import { paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";

/** One object as a bucket lists it. */
export interface Listed {
  /** MD5 of the bytes in hexadecimal, without quotes. */
  readonly etag: string;
  readonly putAt: string;
}

/** Objects by key, e.g. `articles/a/index.html`. */
export type Listing = ReadonlyMap<string, Listed>;

/** Lists what is below `folder`; keys come without it. */
export async function listBucket(
  client: S3Client,
  bucket: string,
  folder: string,
): Promise<Listing> {
  const listing = new Map<string, Listed>();
  const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: folder });
  for await (const { Contents = [] } of pages) {
    for (const { Key = "", ETag = "", LastModified } of Contents) {
      const putAt = LastModified?.toISOString() ?? "";
      listing.set(Key.slice(folder.length), { etag: ETag.replaceAll('"', ""), putAt });
    }
  }
  return listing;
}

/** How two listings of one bucket differ; keys sorted. */
export interface ListingChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** In both, with other bytes. */
  readonly changed: readonly string[];
  /** In both and put again with the same bytes. */
  readonly putForNothing: readonly string[];
}

/** What happened to a bucket between two listings. */
export function compare(before: Listing, after: Listing): ListingChange {
  const kept = [...after.keys()].filter((key) => before.has(key));
  const isSame = (key: string) => before.get(key)?.etag === after.get(key)?.etag;
  return {
    added: [...after.keys()].filter((key) => !before.has(key)).sort(),
    removed: [...before.keys()].filter((key) => !after.has(key)).sort(),
    changed: kept.filter((key) => !isSame(key)).sort(),
    putForNothing: kept
      .filter((key) => isSame(key) && before.get(key)?.putAt !== after.get(key)?.putAt)
      .sort(),
  };
}

/** What a viewer asks for to get an object, spelled as browsers must: RFC 3986's unreserved characters stay. */
export function viewerPath(key: string): string {
  const spelled = encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return `/${spelled.replace(/(^|\/)index\.html$/, "$1")}`;
}

/** Both names that a cache may have for an object: as viewers ask, and as the index rewrite makes it. */
export function bothForms(key: string): readonly string[] {
  const path = viewerPath(key);
  return path.endsWith("/") ? [path, `${path}index.html`] : [path];
}
