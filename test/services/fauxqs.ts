import { startFauxqs as start } from "fauxqs";
import { createBucket, type S3Address } from "./s3.ts";

/**
 * An S3 and SQS server inside this process. Quick, but it ignores conditional headers, signatures and policies
 * and has no versions: what rests on those is tested on radosgw.
 */
export interface Fauxqs extends S3Address, AsyncDisposable {
  createBucket(name?: string): Promise<string>;
  /** Makes a queue and gives its URL; attributes as in SQS, e.g. `{ VisibilityTimeout: "2" }`. */
  createQueue(name: string, attributes?: Readonly<Record<string, string>>): string;
}

/** Starts a private fauxqs on a free port. */
export async function startFauxqs(): Promise<Fauxqs> {
  const server = await start({ port: 0, host: "127.0.0.1", logger: false });
  const address = {
    endpoint: `http://127.0.0.1:${server.port}`,
    region: "us-east-1",
    accessKeyId: "test",
    secretAccessKey: "test",
  };
  return {
    ...address,
    createBucket: (name) => createBucket(address, name),
    createQueue: (name, attributes = {}) =>
      server.createQueue(name, { attributes: { ...attributes } }).queueUrl,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
