import { randomBytes } from "node:crypto";
import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";

/** Where an S3-compatible server is and who may use it. */
export interface S3Address {
  /** `http://127.0.0.1:40123`, addressed path-style. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What a new bucket can be asked for. */
export interface BucketOptions {
  /** Anyone may read objects but not list them, as CloudFront may: a missing key then answers 403. */
  readonly publicRead?: boolean;
  /** What is replaced or deleted stays as a version. */
  readonly isVersioned?: boolean;
}

/** Makes the SDK's real client for a test server. The caller ends it with `destroy()`. */
export function s3Client({ endpoint, region, accessKeyId, secretAccessKey }: S3Address): S3Client {
  const credentials = { accessKeyId, secretAccessKey };
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true });
}

/** Makes an empty bucket, by default under a unique name, and gives its name. */
export async function createBucket(
  address: S3Address,
  name = `test-${randomBytes(6).toString("hex")}`,
  { publicRead = false, isVersioned = false }: BucketOptions = {},
): Promise<string> {
  const client = s3Client(address);
  try {
    await client.send(new CreateBucketCommand({ Bucket: name }));
    if (publicRead) {
      await client.send(new PutBucketPolicyCommand({ Bucket: name, Policy: anyoneReads(name) }));
    }
    if (isVersioned) {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      const asked = { Bucket: name, VersioningConfiguration };
      await client.send(new PutBucketVersioningCommand(asked));
    }
  } finally {
    client.destroy();
  }
  return name;
}

function anyoneReads(bucket: string): string {
  const resource = `arn:aws:s3:::${bucket}/*`;
  const read = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: resource };
  return JSON.stringify({ Version: "2012-10-17", Statement: [read] });
}
