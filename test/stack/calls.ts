import type { S3Request } from "../services/s3-faults.ts";

/** A request as it came to a server of AWS's. */
type Asked = S3Request;

/**
 * What a request asks of AWS, in the words of its API and with what matters to permissions:
 * `s3 PutObject If-Match`, `sqs SendMessageBatch editor`, `cloudfront CreateInvalidation`.
 * @throws Error of a request that it does not know
 */
export function callOf(request: Asked): string {
  const target = String(request.headers["x-amz-target"] ?? "");
  if (target.startsWith("AmazonSQS.")) return `sqs ${target.slice(10)} ${queueOf(request)}`;
  if (target.startsWith("AmazonSSM.")) return `ssm ${target.slice(10)}`;
  if (request.path.startsWith("/2020-05-31/")) return `cloudfront ${cloudfrontCall(request)}`;
  return `s3 ${s3Call(request)}`;
}

/** What follows the last `-` of the queue's name: its lane. */
function queueOf({ body }: Asked): string {
  return String(JSON.parse(body.toString()).QueueUrl).split("-").at(-1) ?? "";
}

function cloudfrontCall({ method, path }: Asked): string {
  if (method === "POST" && /\/invalidation$/.test(path)) return "CreateInvalidation";
  if (method === "GET" && /\/invalidation\/\w+$/.test(path)) return "GetInvalidation";
  if (method === "GET" && /\/config$/.test(path)) return "GetDistributionConfig";
  throw new Error(`CloudFront's ${method} ${path} is not known here.`);
}

function s3Call({ method, path, headers, body }: Asked): string {
  const { pathname, searchParams } = new URL(path, "http://s3");
  const isObject = /^\/[^/]+\/./.test(pathname);
  const of = searchParams.has("versionId") ? " of a version" : "";
  const condition =
    "if-match" in headers ? " If-Match" : "if-none-match" in headers ? " If-None-Match" : "";
  if (isObject && method === "GET") return `GetObject${of}`;
  if (isObject && method === "HEAD") return `HeadObject${of}`;
  if (isObject && method === "DELETE") return `DeleteObject${of}${condition}`;
  if (isObject && method === "PUT") {
    const source = headers["x-amz-copy-source"];
    if (source === undefined) return `PutObject${condition}`;
    return `CopyObject${/\?versionId=/.test(String(source)) ? " of a version" : ""}${condition}`;
  }
  if (method === "POST" && searchParams.has("delete")) {
    const text = body.toString();
    const one = /<VersionId>/.test(text) ? " of versions" : "";
    return `DeleteObjects${one}${/<ETag>/.test(text) ? " If-Match" : ""}`;
  }
  if (method === "GET" && searchParams.has("versions")) return "ListObjectVersions";
  if (method === "GET" && searchParams.has("versioning")) return "GetBucketVersioning";
  if (method === "GET" && searchParams.has("list-type")) return "ListObjectsV2";
  throw new Error(`S3's ${method} ${path} is not known here.`);
}
