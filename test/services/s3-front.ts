import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { type Faults, faultSwitch, type RequestLine } from "./faults.ts";
import { type S3Address, s3Client } from "./s3.ts";
import { inTime } from "./s3-clock.ts";
import { failure, type S3Answer, type S3Fault, type S3Request, serveS3, xml } from "./s3-faults.ts";
import { resign } from "./sigv4.ts";
import { escapeXml, xmlTexts } from "./xml.ts";

/** A reverse proxy that makes radosgw answer as AWS does and breaks requests when told to. */
export interface S3Front extends S3Address, AsyncDisposable {
  readonly faults: Faults<S3Fault>;
  /** Every request so far in order of arrival, broken ones included. */
  readonly requests: readonly RequestLine[];
}

export interface S3FrontOptions {
  /** What time it is for clients, ms; that of the server behind by default. */
  readonly nowMs?: () => number;
}

/**
 * Starts the proxy in this process. What it puts right, with the conditions kept atomic per key for those who all
 * come through this front: the quotes of PUT `If-Match` (radosgw wants none), 404 for PUT `If-Match` on a missing key, both
 * conditions of copies, DELETE `If-Match`, and `<ETag>` in DeleteObjects. Source: "Conditional writes" and "Conditional deletes" in the S3 User Guide.
 */
export async function startS3Front(
  target: S3Address,
  { nowMs }: S3FrontOptions = {},
): Promise<S3Front> {
  const { faults, take } = faultSwitch<S3Fault>();
  const requests: RequestLine[] = [];
  const client = s3Client(target);
  const agent = new Agent({ keepAlive: true });
  const forward = (request: S3Request) => send(target, agent, request);
  const intrude = (path: string) => intrudeAt(client, path);
  const kept = conditions({ target, client, forward });
  const { secretAccessKey } = target;
  const answer = nowMs === undefined ? kept : inTime(kept, { nowMs, secretAccessKey });
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming);
    requests.push({ method: request.method, path: request.path });
    await serveS3(request, response, take(request), { answer, intrude });
  });
  // Longer than the SDK keeps an idle socket, so that only faults cut connections.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    ...target,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      client.destroy();
      agent.destroy();
    },
  };
}

async function readRequest(incoming: IncomingMessage): Promise<S3Request> {
  const { method = "GET", url: path = "/", headers } = incoming;
  return { method, path, headers, body: await buffer(incoming) };
}

async function intrudeAt(client: S3Client, path: string): Promise<void> {
  const object = objectOf({ method: "PUT", path });
  if (object !== undefined) await client.send(new PutObjectCommand({ ...object, Body: "foreign" }));
}

/** The Host header goes on untouched, so the client's signature still holds. */
function send({ endpoint }: S3Address, agent: Agent, request: S3Request): Promise<S3Answer> {
  const { connection: _, expect: __, "transfer-encoding": ___, ...headers } = request.headers;
  const length = request.body.length > 0 ? { "content-length": String(request.body.length) } : {};
  const { method, path, body } = request;
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      hostname,
      port,
      agent,
      method,
      path,
      headers: { ...headers, ...length },
    });
    outgoing.once("error", reject).once("response", (response) => {
      const { statusCode: status = 502, headers } = response;
      buffer(response).then((body) => resolve({ status, headers, body }), reject);
    });
    outgoing.end(body);
  });
}

interface Backend {
  readonly target: S3Address;
  readonly client: S3Client;
  readonly forward: (request: S3Request) => Promise<S3Answer>;
}

/** Gives the answering function: writes of one object wait for each other, all else passes at once. */
function conditions(backend: Backend): (request: S3Request) => Promise<S3Answer> {
  const locked = keyedLock();
  return (request) => {
    const object = objectOf(request);
    const ifMatch = request.headers["if-match"];
    const isNew =
      request.headers["if-none-match"] === "*" && "x-amz-copy-source" in request.headers;
    if (object === undefined) {
      const isBatch = request.method === "POST" && /\?delete\b/.test(request.path);
      return isBatch && request.body.includes("<ETag>")
        ? deleteBatch(request, backend, locked)
        : backend.forward(request);
    }
    return locked(nameOf(object), async () => {
      // Of copies radosgw knows no conditions.
      const isRefused = isNew && (await currentEtag(backend.client, object)) !== undefined;
      if (isRefused) return failure(412, "PreconditionFailed");
      return ifMatch === undefined
        ? await backend.forward(request)
        : await conditional(request, object, backend);
    });
  };
}

interface ObjectName {
  readonly Bucket: string;
  readonly Key: string;
}

function nameOf({ Bucket, Key }: ObjectName): string {
  return `${Bucket}/${Key}`;
}

/** The object a PUT or DELETE writes; undefined for reads, buckets and parts of uploads. */
function objectOf({ method, path }: RequestLine): ObjectName | undefined {
  const [, bucket, key] = /^\/([^/?]+)\/([^?]+)/.exec(path) ?? [];
  const isWrite = (method === "PUT" || method === "DELETE") && !path.includes("uploadId=");
  if (!isWrite || bucket === undefined || key === undefined) return undefined;
  return { Bucket: bucket, Key: decodeURIComponent(key) };
}

async function conditional(
  request: S3Request,
  object: ObjectName,
  { target, client, forward }: Backend,
): Promise<S3Answer> {
  const ifMatch = request.headers["if-match"] ?? "";
  // The forged and the unsigned get radosgw's own refusal.
  const headers = resign(request, { "if-match": unquoted(ifMatch) }, target.secretAccessKey);
  if (headers === undefined) return forward(request);
  const current = await currentEtag(client, object);
  if (current === undefined)
    return failure(
      ifMatch === "*" ? 412 : 404,
      ifMatch === "*" ? "PreconditionFailed" : "NoSuchKey",
    );
  if (ifMatch !== "*" && unquoted(ifMatch) !== current) return failure(412, "PreconditionFailed");
  return forward({ ...request, headers });
}

function unquoted(etag: string): string {
  return etag.replace(/^"(.*)"$/, "$1");
}

async function currentEtag(client: S3Client, object: ObjectName): Promise<string | undefined> {
  try {
    const { ETag = "" } = await client.send(new HeadObjectCommand(object));
    return unquoted(ETag);
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404)
      return undefined;
    throw error;
  }
}

/** DeleteObjects with conditions, one key at a time, since radosgw cannot be told to leave some out. */
async function deleteBatch(
  { path, body, headers, method }: S3Request,
  { target, client }: Backend,
  locked: Lock,
): Promise<S3Answer> {
  const signed = resign({ method, path, headers }, {}, target.secretAccessKey);
  if (signed === undefined) return failure(403, "SignatureDoesNotMatch");
  const Bucket = /^\/([^/?]+)/.exec(path)?.[1] ?? "";
  const items = [...body.toString().matchAll(/<Object>(.*?)<\/Object>/gs)].map(
    ([, item = ""]) => item,
  );
  const results = items.map((item) => {
    const Key = xmlTexts(item, "Key")[0] ?? "";
    const want = xmlTexts(item, "ETag")[0];
    return locked(nameOf({ Bucket, Key }), async () => {
      const isMatch =
        want === undefined || unquoted(want) === (await currentEtag(client, { Bucket, Key }));
      if (isMatch) await client.send(new DeleteObjectCommand({ Bucket, Key }));
      const name = `<Key>${escapeXml(Key)}</Key>`;
      const refusal = "<Code>PreconditionFailed</Code><Message>PreconditionFailed</Message>";
      return isMatch ? `<Deleted>${name}</Deleted>` : `<Error>${name}${refusal}</Error>`;
    });
  });
  const entries = (await Promise.all(results)).join("");
  return xml(200, `<DeleteResult>${entries}</DeleteResult>`);
}

type Lock = <T>(key: string, work: () => Promise<T>) => Promise<T>;

function keyedLock(): Lock {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, turn);
    const forget = () => void (last.get(key) === turn && last.delete(key));
    turn.then(forget, forget);
    return turn;
  };
}
