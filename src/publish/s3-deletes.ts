import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type ObjectIdentifier,
} from "@aws-sdk/client-s3";
import { isConflict, isConflictCode, isMissing, isMissingCode, keptObjects } from "./s3-errors.ts";
import { sendUntil } from "./s3-until.ts";
import type { At } from "./s3-versions.ts";
import type { ObjectStore, Request } from "./store.ts";

/** Keys per DeleteObjects request; the limit is S3's. */
const MAX_DELETES = 1000;
const NONE: ReadonlyMap<string, string> = new Map();

/** Deletes from a bucket; conditions as in "How to perform conditional deletes" of the S3 User Guide. */
export function deletesIn(at: At) {
  return {
    async delete(keys, deletion = {}) {
      const { expected = NONE, isSingle = false } = deletion;
      const singly = isSingle ? keys.filter((key) => expected.has(key)) : [];
      const together = isSingle ? keys.filter((key) => !expected.has(key)) : keys;
      const objects = together.map((key) => identified(at.base + key, expected.get(key)));
      const refused = [...(await removeObjects(at, objects, deletion))];
      for (const key of singly) {
        const isGone = await sendUntil(deletion, () => isDeleted(at, key, expected.get(key)));
        if (!isGone) refused.push(key);
      }
      return refused;
    },
  } satisfies Partial<ObjectStore>;
}

function identified(Key: string, etag: string | undefined): ObjectIdentifier & { Key: string } {
  return { Key, ...(etag !== undefined && { ETag: etag }) };
}

/**
 * Removes objects, or versions of them. Gives the keys of those whose object is not the one expected.
 * @throws PipelineError when another survives
 */
export async function removeObjects(
  { client, bucket, base, failAt }: At,
  objects: readonly ObjectIdentifier[],
  request: Request = {},
): Promise<readonly string[]> {
  const refused: string[] = [];
  for (let start = 0; start < objects.length; start += MAX_DELETES) {
    const Objects = objects.slice(start, start + MAX_DELETES);
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
    const send = () => client.send(command);
    const { Errors = [] } = await sendUntil(request, send).catch(failAt({ doing: "delete" }));
    // S3 answers 200 even when single keys fail; the failures are only in the body.
    const conditional = new Set(Objects.flatMap(({ Key, ETag }) => (ETag ? [Key] : [])));
    const isOther = ({ Key, Code }: (typeof Errors)[number]) =>
      conditional.has(Key) && isConflictCode(Code);
    const kept = Errors.filter((each) => !isOther(each) && !isMissingCode(each.Code));
    if (kept.length > 0) throw keptObjects(kept, { bucket, base });
    refused.push(...Errors.filter(isOther).map(({ Key = "" }) => Key.slice(base.length)));
  }
  return refused;
}

/** False when the object is not the one expected. */
async function isDeleted(
  { client, bucket, base, failAt }: At,
  key: string,
  expected: string | undefined,
): Promise<boolean> {
  const command = new DeleteObjectCommand({ Bucket: bucket, Key: base + key, IfMatch: expected });
  try {
    await client.send(command);
    return true;
  } catch (cause) {
    if (isMissing(cause)) return true;
    if (isConflict(cause, { expected })) return false;
    return failAt({ doing: "delete", key })(cause);
  }
}
