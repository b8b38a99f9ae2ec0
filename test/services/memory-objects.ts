import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { failure, type S3Answer, xml } from "./s3-faults.ts";
import { escapeXml, xmlTexts } from "./xml.ts";

/** An object as a GET answers it, entity tag included. */
export interface S3Object {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type Objects = Map<string, S3Object>;

/** Headers of a PUT that come back with the object; all of `x-amz-meta-` do, too. */
const KEPT =
  /^(?:content-(?:type|language|encoding|disposition)|cache-control|expires|x-amz-meta-.*)$/;
/** Keys in one answer to ListObjectsV2. */
const MAX_KEYS = 1000;

/** A PUT, or a DELETE without a body. Conditions: "Conditional requests" in the S3 User Guide. */
export function objectWrite(
  objects: Objects,
  {
    key,
    headers,
    body,
  }: {
    readonly key: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: Buffer | undefined;
  },
  wrote: (key: string) => void,
): S3Answer {
  const found = objects.get(key);
  const [match, noneMatch] = [headers["if-match"], headers["if-none-match"]];
  if (noneMatch !== undefined && found !== undefined) return failure(412, "PreconditionFailed");
  if (match !== undefined && found === undefined) return failure(404, "NoSuchKey");
  if (match !== undefined && match !== "*" && match !== found?.headers["etag"]) {
    return failure(412, "PreconditionFailed");
  }
  if (body === undefined) return remove(objects, key, wrote);
  const etag = `"${createHash("md5").update(body).digest("hex")}"`;
  const kept = Object.entries(headers).filter(([name]) => KEPT.test(name));
  const own = { etag, "last-modified": new Date().toUTCString() };
  objects.set(key, {
    headers: { ...(Object.fromEntries(kept) as S3Object["headers"]), ...own },
    body,
  });
  wrote(key);
  return { status: 200, headers: { etag }, body: Buffer.alloc(0) };
}

/** DeleteObjects; a key whose `<ETag>` is not the object's stays. */
export function deletedKeys(
  objects: Objects,
  body: string,
  wrote: (key: string) => void,
): S3Answer {
  const items = [...body.matchAll(/<Object>(.*?)<\/Object>/gs)].map(([, item = ""]) => item);
  const results = items.map((item) => {
    const [[key = ""], [want]] = [xmlTexts(item, "Key"), xmlTexts(item, "ETag")];
    const name = `<Key>${escapeXml(key)}</Key>`;
    if (want !== undefined && want !== objects.get(key)?.headers["etag"]) {
      return `<Error>${name}<Code>PreconditionFailed</Code><Message>PreconditionFailed</Message></Error>`;
    }
    remove(objects, key, wrote);
    return `<Deleted>${name}</Deleted>`;
  });
  return xml(200, `<DeleteResult>${results.join("")}</DeleteResult>`);
}

/** ListObjectsV2, in the order of the keys' bytes. */
export function listing(objects: Objects, query: URLSearchParams): S3Answer {
  const [prefix, token] = [query.get("prefix") ?? "", query.get("continuation-token")];
  const after = token === null ? query.get("start-after") : Buffer.from(token, "hex").toString();
  const all = [...objects]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const left = after === null ? all : all.filter(([key]) => isAfter(key, after));
  const page = left.slice(0, Math.min(MAX_KEYS, Number(query.get("max-keys") ?? MAX_KEYS)));
  const contents = page.map(([key, { headers, body }]) => {
    const modified = new Date(headers["last-modified"] ?? 0).toISOString();
    return `<Contents><Key>${escapeXml(key)}</Key><LastModified>${modified}</LastModified><ETag>${escapeXml(headers["etag"] ?? "")}</ETag><Size>${body.length}</Size></Contents>`;
  });
  const isCut = page.length < left.length;
  const next = Buffer.from(page.at(-1)?.[0] ?? "").toString("hex");
  const rest = isCut ? `<NextContinuationToken>${next}</NextContinuationToken>` : "";
  return xml(
    200,
    `<ListBucketResult><IsTruncated>${isCut}</IsTruncated><KeyCount>${page.length}</KeyCount>${contents.join("")}${rest}</ListBucketResult>`,
  );
}

function isAfter(key: string, after: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
}

function remove(objects: Objects, key: string, wrote: (key: string) => void): S3Answer {
  if (objects.delete(key)) wrote(key);
  return { status: 204, headers: {}, body: Buffer.alloc(0) };
}
