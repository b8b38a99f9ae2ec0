import {
  CopyObjectCommand,
  type DeleteMarkerEntry,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
  type ObjectVersion,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { removeObjects } from "./s3-deletes.ts";
import { isRefusal, type S3Place } from "./s3-errors.ts";
import type { ObjectStore } from "./store.ts";

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
      const listed = await listVersions({ client, bucket, base }, key).catch(
        unlessRefused({ doing: "list" }),
      );
      return (listed?.versions ?? []).map(({ VersionId = "", ETag: etag }) => {
        return { version: VersionId, etag };
      });
    },
    async erase(keys, { keepsCurrent = false } = {}) {
      // Above what is hidden here nothing of it comes to light while the versions go.
      const hidden = keepsCurrent ? [] : keys.map((key) => ({ Key: base + key }));
      await removeObjects({ client, bucket, base, failAt }, hidden);
      for (const key of keys) {
        const fail = failAt({ doing: "list", key });
        const { versions, markers } = await listVersions({ client, bucket, base }, key).catch(fail);
        for (const each of [versions, markers]) {
          const going = each.filter(({ IsLatest }) => !keepsCurrent || IsLatest !== true);
          const objects = going.map(({ VersionId }) => ({ Key: base + key, VersionId }));
          await removeObjects({ client, bucket, base, failAt }, objects);
        }
      }
    },
  } satisfies Partial<ObjectStore>;
}

type Asked = ListObjectVersionsCommandInput;
type Marker = Pick<Asked, "KeyMarker" | "VersionIdMarker">;

/** All versions of one object and all marks of its deletion, newest first. */
async function listVersions(
  { client, bucket, base }: Omit<At, "failAt">,
  key: string,
): Promise<{
  readonly versions: readonly ObjectVersion[];
  readonly markers: readonly DeleteMarkerEntry[];
}> {
  const versions: ObjectVersion[] = [];
  const markers: DeleteMarkerEntry[] = [];
  const isOwn = ({ Key }: DeleteMarkerEntry) => Key === base + key;
  let after: Marker | undefined = {};
  while (after !== undefined) {
    const asked: Asked = { Bucket: bucket, Prefix: base + key, ...after };
    const page: ListObjectVersionsCommandOutput = await client.send(
      new ListObjectVersionsCommand(asked),
    );
    const { Versions = [], DeleteMarkers = [] } = page;
    versions.push(...Versions.filter(isOwn));
    markers.push(...DeleteMarkers.filter(isOwn));
    // They come by key: those of longer keys, perhaps many, follow.
    const isPast = ![...Versions, ...DeleteMarkers].every(isOwn);
    after = page.IsTruncated === true && !isPast ? nextOf(page) : undefined;
  }
  return { versions, markers };
}

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
