import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import {
  deletedKeys,
  failed,
  listing,
  objectWrite,
  type S3Object,
  type S3Reply,
} from "./memory-objects.ts";
import type { S3Address } from "./s3.ts";

/**
 * An S3 server inside this process that keeps the conditions of writes and lets a test look at its
 * objects, set them and hear of each write. It knows no signatures, policies or versions.
 */
export interface MemoryS3 extends S3Address, AsyncDisposable {
  /** The one bucket there is. */
  readonly bucket: string;
  /** By key; values are never changed, so a copy of the map is a snapshot. */
  readonly objects: Map<string, S3Object>;
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
  const server = createServer((incoming, response) => {
    const { method = "GET", url = "/", headers } = incoming;
    if (method !== "GET" && method !== "HEAD") writes += 1;
    const served = buffer(incoming).then(
      (body) => respond(response, method, answer({ method, url, headers, body }, objects, wrote)),
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

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function answer(
  { method, url, headers, body }: Asked,
  objects: Map<string, S3Object>,
  wrote: (key: string) => void,
): S3Reply {
  const { pathname, searchParams } = new URL(url, "http://s3");
  const [, bucket = "", path = ""] = /^\/([^/]+)\/?(.*)$/s.exec(pathname) ?? [];
  const key = decodeURIComponent(path);
  if (bucket !== BUCKET) return failed(404, "NoSuchBucket");
  if (key === "" && method === "GET") return listing(objects, searchParams);
  if (method === "POST" && searchParams.has("delete")) {
    return deletedKeys(objects, body.toString(), wrote);
  }
  if (method === "PUT" || method === "DELETE") {
    return objectWrite(objects, { key, headers, body: method === "PUT" ? body : undefined }, wrote);
  }
  const found = objects.get(key);
  return found === undefined ? failed(404, "NoSuchKey") : { status: 200, ...found };
}

function respond(
  response: ServerResponse,
  method: string,
  { status, headers, body }: S3Reply,
): void {
  response.writeHead(status, { ...headers, "content-length": body.length });
  response.end(method === "HEAD" ? undefined : body);
}
