import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { PipelineError } from "../error.ts";
import { conflict } from "./conflict.ts";
import { deletesIn } from "./s3-deletes.ts";
import { isConflict, isMissing, isSlow, s3Error } from "./s3-errors.ts";
import { fromHeaders, toHeaders, toWrite } from "./s3-headers.ts";
import { limitRequests, sendUntil } from "./s3-until.ts";
import { type At, copy, versionsIn } from "./s3-versions.ts";
import type { Attempts } from "./slots.ts";
import type { ObjectStore } from "./store.ts";

/** With every fifth answer a 503, three attempts lost 1 % of puts and eight lost none. */
const MAX_ATTEMPTS = 8;
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * A signature holds for 15 minutes, and the signer's clock may be as much ahead before S3 refuses it
 * ("Authenticating Requests: Using the Authorization Header"; RequestTimeTooSkewed).
 */
const LATE_WRITES_MS = 30 * 60_000;

/** A bucket, or a part of it: `{ client, bucket: "site", prefix: "preview" }`. */
export interface S3StoreOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** Stands before every key with a "/" between, e.g. `preview`; "" or undefined for none. */
  readonly prefix?: string | undefined;
}

/** Where a bucket is and how to get there. */
export interface S3Config extends Omit<S3StoreOptions, "client"> {
  readonly region: string;
  /** An S3-compatible server, addressed path-style; undefined means AWS. */
  readonly endpoint?: string | undefined;
  /** Requests under way at once; as many connections are kept. */
  readonly concurrency?: number;
  /** Told of every attempt, since the SDK repeats requests by itself and tells only of the last. */
  readonly attempts?: Attempts;
  /** Undefined means the SDK's own search: environment, profile, role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Opens a store in S3; disposing it closes the connections. */
export function openS3Store(config: S3Config): ObjectStore & AsyncDisposable {
  const { region, endpoint, concurrency: maxSockets = 64, credentials } = config;
  const client = new S3Client({
    region,
    ...(endpoint && { endpoint, forcePathStyle: true }),
    ...(credentials && { credentials }),
    // The default CRC32 costs a quarter of the put, and servers older than 2025 refuse it.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    retryMode: "standard",
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  limitRequests(client);
  if (config.attempts !== undefined) watch(client, config.attempts);
  const dispose = async () => client.destroy();
  return { ...s3Store({ ...config, client }), [Symbol.asyncDispose]: dispose };
}

/** Stands in the SDK's loop of retries, so that it sees each attempt. */
function watch(client: S3Client, attempts: Attempts): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const begun = attempts.begin();
      try {
        return await next(args);
      } catch (error) {
        if (isSlow(error)) attempts.slow(begun);
        throw error;
      }
    },
    { name: "nightbakeAttempts", step: "finalizeRequest", priority: "low" },
  );
}

/** Keeps objects in one S3 bucket. Region, credentials and retries are the client's. */
export function s3Store({ client, bucket, prefix = "" }: S3StoreOptions): ObjectStore {
  const base = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  const failAt: At["failAt"] = (place) => (cause) => {
    // Nothing was asked of S3: the time for it was over.
    if (cause instanceof PipelineError) throw cause;
    throw s3Error(cause, { bucket, ...place });
  };
  const at = { client, bucket, base, failAt };
  return {
    name: `s3://${bucket}/${base}`,
    foldsCase: false,
    isConditional: undefined,
    deleteConditions: undefined,
    lateWritesMs: LATE_WRITES_MS,
    keepsHeaders: true,
    ...reads(at),
    ...versionsIn(at),
    ...writes(at),
    ...deletesIn(at),
  };
}

function reads({ client, bucket, base, failAt }: At) {
  const placeOf = (key: string, version: string | undefined) => ({
    Bucket: bucket,
    Key: base + key,
    ...(version !== undefined && { VersionId: version }),
  });
  return {
    async check() {
      // HeadBucket would do, but its answers carry no error code to tell one refusal from another.
      const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: base, MaxKeys: 1 });
      await client.send(command).catch(failAt({ doing: "list" }));
    },
    async *list(below) {
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: base + below });
      try {
        for await (const { Contents = [] } of pages) {
          for (const { Key, ETag: etag, Size: bytes = 0 } of Contents) {
            if (Key !== undefined) yield { key: Key.slice(base.length), etag, bytes };
          }
        }
      } catch (cause) {
        failAt({ doing: "list" })(cause);
      }
    },
    async get(key, version) {
      const fail = failAt({ doing: "get", key });
      const command = new GetObjectCommand(placeOf(key, version));
      const absent = (cause: unknown) => (isMissing(cause) ? undefined : fail(cause));
      const found = await client.send(command).catch(absent);
      if (found?.Body === undefined) return undefined;
      const body = await found.Body.transformToByteArray().catch(fail);
      return { body, ...fromHeaders(found) };
    },
    async head(key, version) {
      const command = new HeadObjectCommand(placeOf(key, version));
      const fail = failAt({ doing: "get", key });
      const found = await client
        .send(command)
        .catch((cause: unknown) => (isMissing(cause) ? undefined : fail(cause)));
      return found && { etag: found.ETag, ...fromHeaders(found), ...toWrite(found.Metadata) };
    },
  } satisfies Partial<ObjectStore>;
}

function writes({ client, bucket, base, failAt }: At) {
  return {
    async put(artifact, write = {}) {
      const { key, body: Body } = artifact;
      const object = { Bucket: bucket, Key: base + key, Body, ...toHeaders(artifact, write) };
      const fail = (cause: unknown) => {
        if (isConflict(cause, write)) throw conflict(`s3://${bucket}/${base}`, key, cause);
        return failAt({ doing: "put", key })(cause);
      };
      const { copyOf } = write;
      const send = () =>
        copyOf === undefined
          ? client.send(new PutObjectCommand(object)).then(({ ETag }) => ETag)
          : copy(client, object, copyOf);
      return await sendUntil(write, send).catch(fail);
    },
    // An object appears whole or not at all, and nothing is put in parts.
    removeRemains: async () => {},
  } satisfies Partial<ObjectStore>;
}
