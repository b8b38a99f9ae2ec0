import {
  CopyObjectCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { isRefusal, type S3Place } from "./s3-errors.ts";
import type { ObjectStore, StoredVersion } from "./store.ts";

/** A bucket, or a part of it. */
export interface At {
  readonly client: S3Client;
  readonly bucket: string;
  /** Stands before every key. */
  readonly base: string;
  readonly failAt: (place: S3Place) => (cause: unknown) => never;
}

/** What a bucket tells of the versions that it keeps. */
export function versionsIn({ client, bucket, base, failAt }: At) {
  // Who may not ask cannot count on any.
  const unlessRefused = (place: S3Place) => (cause: unknown) =>
    isRefusal(cause) ? undefined : failAt(place)(cause);
  return {
    async keepsVersions() {
      const command = new GetBucketVersioningCommand({ Bucket: bucket });
      const answer = await client.send(command).catch(unlessRefused({ doing: "get" }));
      return answer?.Status === "Enabled";
    },
    async versions(key) {
      const found: StoredVersion[] = [];
      let after: Marker | undefined = {};
      while (after !== undefined) {
        const asked: Asked = { Bucket: bucket, Prefix: base + key, ...after };
        const page: ListObjectVersionsCommandOutput | undefined = await client
          .send(new ListObjectVersionsCommand(asked))
          .catch(unlessRefused({ doing: "list" }));
        if (page === undefined) return [];
        const { Versions = [], DeleteMarkers = [] } = page;
        for (const { Key, VersionId, ETag } of Versions) {
          if (Key === base + key && VersionId !== undefined) {
            found.push({ version: VersionId, etag: ETag });
          }
        }
        // They come by key: those of longer keys, perhaps many, follow.
        const isPast = [...Versions, ...DeleteMarkers].some(({ Key }) => Key !== base + key);
        after = page.IsTruncated === true && !isPast ? nextOf(page) : undefined;
      }
      return found;
    },
  } satisfies Partial<ObjectStore>;
}

type Asked = ListObjectVersionsCommandInput;
type Marker = Pick<Asked, "KeyMarker" | "VersionIdMarker">;

function nextOf({ NextKeyMarker, NextVersionIdMarker }: ListObjectVersionsCommandOutput): Marker {
  return { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker };
}

/** Puts an object by copying a version of it, with headers of its own. Gives its entity tag. */
export async function copy(
  client: S3Client,
  { Body: _, ...object }: PutObjectCommandInput & { readonly Bucket: string; readonly Key: string },
  version: string,
): Promise<string | undefined> {
  const source = [sourceOf(object.Bucket), ...object.Key.split("/").map(encodeURIComponent)];
  const CopySource = `${source.join("/")}?versionId=${encodeURIComponent(version)}`;
  const command = new CopyObjectCommand({ ...object, CopySource, MetadataDirective: "REPLACE" });
  const etag = (await client.send(command)).CopyObjectResult?.ETag;
  // radosgw leaves the quotes away here, and nowhere else.
  return etag?.replace(/^[^"].*$/, '"$&"');
}

/** Access points are addressed with their ARN and the word "object" ("CopyObject" in the S3 API reference). */
function sourceOf(bucket: string): string {
  return bucket.startsWith("arn:") ? `${bucket}/object` : bucket;
}
