import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** The parts of a request that Signature Version 4 covers. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Signs a request again after headers were changed, under the scope and header list of its first signature; a
 * changed date is the scope's, too.
 * Gives undefined when the first signature was not made with this secret: then nobody may repair it.
 * Source: "Create a signed AWS API request" in the IAM User Guide.
 */
export function resign(
  request: SignedRequest,
  changed: IncomingHttpHeaders,
  secret: string,
): IncomingHttpHeaders | undefined {
  const { authorization = "" } = request.headers;
  const [, scope = "", names = "", given] =
    /Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)/.exec(authorization) ?? [];
  const parts = { scope, names, secret };
  if (given === undefined || signature(request, parts) !== given) return undefined;
  const headers = { ...request.headers, ...changed };
  const today = scope.replace(/^\d+/, String(headers["x-amz-date"]).slice(0, 8));
  const renewed = signature({ ...request, headers }, { ...parts, scope: today });
  const signed = authorization.replace(scope, today).replace(given, renewed);
  return { ...headers, authorization: signed };
}

/** When a request says it was signed, ms; NaN when it does not say so. */
export function dateOf({ headers }: Pick<SignedRequest, "headers">): number {
  const date = String(headers["x-amz-date"]);
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)/, "$1-$2-$3:$4:"));
}

interface SignatureParts {
  /** `20261123/us-east-1/s3/aws4_request` */
  readonly scope: string;
  /** `host;if-match;x-amz-date` */
  readonly names: string;
  readonly secret: string;
}

function signature(
  { method, path, headers }: SignedRequest,
  { scope, names, secret }: SignatureParts,
) {
  const [pathname = "", query = ""] = path.split("?", 2);
  const value = (name: string) =>
    String(headers[name] ?? "")
      .trim()
      .replace(/ +/g, " ");
  const canonical = [
    method,
    pathname,
    query.split("&").map(withEquals).sort().join("&"),
    ...names.split(";").map((name) => `${name}:${value(name)}`),
    "",
    names,
    value("x-amz-content-sha256"),
  ].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const toSign = ["AWS4-HMAC-SHA256", value("x-amz-date"), scope, digest].join("\n");
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, toSign).toString("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** `?delete` is signed as `delete=`. */
function withEquals(parameter: string): string {
  return parameter === "" || parameter.includes("=") ? parameter : `${parameter}=`;
}
