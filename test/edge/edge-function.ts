import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

/** The function as CloudFront gets it. */
export const SOURCE = readFileSync(
  new URL("../../src/edge/viewer-request.js", import.meta.url),
  "utf8",
);

/** What it makes of objects that cannot be. */
export const MISSING = "/index.html/index.html";

interface EdgeRequest {
  readonly uri: string;
  readonly querystring: Readonly<Record<string, { readonly value: string }>>;
}

// Two modules' worth of isolation: it sees none of Node's names.
const handler = runInNewContext(`${SOURCE};handler`) as (event: {
  readonly request: EdgeRequest;
}) => EdgeRequest;

/** The path that the edge caches and asks the bucket for, for a request line's target. */
export function edgePath(target: string): string {
  // CloudFront takes the query apart before; fragments never reach it.
  const [uri = ""] = target.split(/[?#]/, 1);
  const querystring = { y: { value: "/z/" } };
  const request = handler({ request: { uri, querystring } });
  if (request.querystring !== querystring) throw new Error("The query string was touched.");
  return request.uri;
}

/** The object that the bucket is asked for; undefined where the answer is the site's 404 page. */
export function edgeKey(target: string): string | undefined {
  const path = edgePath(target);
  return path === MISSING ? undefined : decodeURIComponent(path.slice(1));
}
