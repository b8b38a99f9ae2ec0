import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type Faults, faultSwitch } from "./faults.ts";
import { deletedKeys, listing, objectWrite, type S3Object } from "./memory-objects.ts";
import type { S3Address } from "./s3.ts";
import {
  failure,
  type S3Answer,
  type S3Behind,
  type S3Fault,
  type S3Request,
  serveS3,
} from "./s3-faults.ts";

/**
 * An S3 server inside this process that keeps the conditions of writes and lets a test look at its
 * objects, set them and hear of each write. It knows no signatures, policies or versions.
 */
export interface MemoryS3 extends S3Address, AsyncDisposable {
  /** The one bucket there is. */
  readonly bucket: string;
  /** By key; values are never changed, so a copy of the map is a snapshot. */
  readonly objects: Map<string, S3Object>;
  readonly faults: Faults<S3Fault>;
  /** How many requests wanted to write, refused ones included. */
  writes(): number;
  /** Waits until every request that came in was carried out, also those of clients that died. */
  settled(): Promise<void>;
}

export interface MemoryS3Options {
  /** Hears of each object that was put or deleted, before the client does. */
  readonly onWrite?: (key: string) => void;
}

const BUCKET = "memory";

/** Starts one with an empty bucket on a free port. */
export async function startMemoryS3({ onWrite }: MemoryS3Options = {}): Promise<MemoryS3> {
  const objects = new Map<string, S3Object>();
  const [inFlight, wrote] = [new Set<Promise<void>>(), onWrite ?? (() => {})];
  let writes = 0;
  const { faults, take } = faultSwitch<S3Fault>();
  const behind: S3Behind = {
    answer: async (request) => answer(request, objects, wrote),
    async intrude(path) {
      const request = { method: "PUT", path, headers: {}, body: Buffer.from("foreign") };
      answer(request, objects, wrote);
    },
  };
  const server = createServer((incoming, response) => {
    const { method = "GET", url: path = "/", headers } = incoming;
    if (method !== "GET" && method !== "HEAD") writes += 1;
    const served = buffer(incoming).then(
      (body) => serveS3({ method, path, headers, body }, response, take({ method, path }), behind),
      // A client that died in the middle of its request has asked for nothing.
      () => {},
    );
    inFlight.add(served);
    served.finally(() => inFlight.delete(served));
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: "us-east-1",
    accessKeyId: "test",
    secretAccessKey: "test",
    bucket: BUCKET,
    objects,
    faults,
    writes: () => writes,
    async settled() {
      await Promise.all(inFlight);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(
  { method, path: url, headers, body }: S3Request,
  objects: Map<string, S3Object>,
  wrote: (key: string) => void,
): S3Answer {
  const { pathname, searchParams } = new URL(url, "http://s3");
  const [, bucket = "", path = ""] = /^\/([^/]+)\/?(.*)$/s.exec(pathname) ?? [];
  const key = decodeURIComponent(path);
  if (bucket !== BUCKET) return failure(404, "NoSuchBucket");
  if (key === "" && method === "GET") return listing(objects, searchParams);
  if (method === "POST" && searchParams.has("delete")) {
    return deletedKeys(objects, body.toString(), wrote);
  }
  if (method === "PUT" || method === "DELETE") {
    return objectWrite(objects, { key, headers, body: method === "PUT" ? body : undefined }, wrote);
  }
  const found = objects.get(key);
  if (found === undefined) return failure(404, "NoSuchKey");
  const length = { "content-length": String(found.body.length) };
  return { status: 200, headers: { ...found.headers, ...length }, body: found.body };
}
