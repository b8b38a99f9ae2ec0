import { inject } from "vitest";
import { type MariaDbAddress, mariaDbAt } from "./mariadb.ts";
import { type BucketOptions, createBucket, type S3Address } from "./s3.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where `global-setup.ts` listens, e.g. `http://127.0.0.1:40123`. */
    readonly sharedServers: string;
  }
}

/**
 * Variables that name a server to use instead of a started one, e.g. from the compose.yaml beside this:
 * `mysql://root:secret@127.0.0.1:3306` and `http://KEY:SECRET@127.0.0.1:9000`.
 */
export const SHARED_VARIABLES = {
  "shared-mariadb": "NIGHTBAKE_TEST_MARIADB_URL",
  "shared-radosgw": "NIGHTBAKE_TEST_S3_URL",
} as const;

/** The one MariaDB of this test run, started by the first suite that asks. Suites make databases of their own. */
export async function sharedMariaDb(): Promise<MariaDbAddress> {
  return mariaDbAt(
    process.env[SHARED_VARIABLES["shared-mariadb"]] ?? (await ask<string>("mariadb")),
  );
}

/** The S3 server of this test run that keeps conditions, versions, signatures and policies. */
export interface SharedS3 extends S3Address {
  createBucket(name?: string, options?: BucketOptions): Promise<string>;
}

/** The one radosgw of this test run, started by the first suite that asks. Suites make buckets of their own. */
export async function sharedRadosgw(): Promise<SharedS3> {
  const given = process.env[SHARED_VARIABLES["shared-radosgw"]];
  const address = given === undefined ? await ask<S3Address>("radosgw") : decodeAddress(given);
  return { ...address, createBucket: (name, options) => createBucket(address, name, options) };
}

function decodeAddress(text: string): S3Address {
  const { origin, username, password } = new URL(text);
  const [accessKeyId, secretAccessKey] = [username, password].map(decodeURIComponent) as [
    string,
    string,
  ];
  return { endpoint: origin, region: "us-east-1", accessKeyId, secretAccessKey };
}

async function ask<T>(server: string): Promise<T> {
  const response = await fetch(`${inject("sharedServers")}/${server}`);
  if (!response.ok) throw new Error(`No shared ${server}: ${await response.text()}`);
  return (await response.json()) as T;
}
