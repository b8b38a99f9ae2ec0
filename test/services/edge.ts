import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { onFreePort, removeFolder, startDaemon, temporaryFolder, untilReady } from "./daemon.ts";

/** The bucket behind the cache, read without a signature. */
export interface EdgeOrigin {
  /** `http://127.0.0.1:40123` */
  readonly endpoint: string;
  readonly bucket: string;
  /** Folder of the site in the bucket, without slashes at its ends. Default: the bucket's root. */
  readonly prefix?: string;
}

/** A private Varnish that caches as our CloudFront distribution does. */
export interface Edge extends AsyncDisposable {
  /** Where viewers ask. */
  readonly url: string;
  /** Evicts everything that the items name; `/path`, `/path*` or `#tag`. */
  evict(items: readonly string[]): Promise<void>;
}

/** A header of 32 kB would be cut; patterns are sent in parts of this many characters. */
const MAX_BAN_CHARS = 16_000;

/** CloudFront ignores the tags of an object after the fiftieth. */
const MAX_TAGS = 50;

const LIMITS = [
  "-p",
  "http_req_hdr_len=32k",
  "-p",
  "http_req_size=64k",
  "-p",
  "workspace_client=192k",
];

/** Starts Varnish on a free port. It compiles its configuration, so it needs a C compiler. */
export function startEdge(origin: EdgeOrigin, errorTtlSeconds: number): Promise<Edge> {
  const secret = randomBytes(12).toString("hex");
  return onFreePort((port) =>
    startVarnish(port, { secret, vcl: vcl(origin, errorTtlSeconds, secret) }),
  );
}

async function startVarnish(
  port: number,
  { secret, vcl }: { secret: string; vcl: string },
): Promise<Edge> {
  const dir = temporaryFolder("varnish");
  const file = join(dir, "edge.vcl");
  writeFileSync(file, vcl);
  const place = ["-F", "-j", "none", "-n", join(dir, "work"), "-T", "none", "-f", file] as const;
  // Compressed variants would be Varnish's own doing; CloudFront passes what the bucket holds.
  const cache = ["-s", "malloc,128m", "-p", "http_gzip_support=off", ...LIMITS];
  const listen = ["-a", `127.0.0.1:${port}`];
  const daemon = startDaemon({
    name: "varnishd",
    dir,
    command: ["varnishd", ...place, ...cache, ...listen],
  });
  const url = `http://127.0.0.1:${port}`;
  const ban = async (expression: string) => {
    const headers = { "x-secret": secret, "x-ban": expression };
    const response = await fetch(url, { method: "BAN", headers });
    if (!response.ok) throw new Error(`Varnish refused the ban ${expression.slice(0, 200)}.`);
  };
  const dispose = async () => {
    await daemon.kill();
    await removeFolder(dir);
  };
  // Only our own Varnish knows the secret, so another server on this port cannot pass for it.
  await untilReady(daemon, () => ban("obj.status == 0").then(() => true)).catch(async (error) => {
    await dispose();
    throw error;
  });
  const evict = async (items: readonly string[]) => {
    for (const expression of bans(items)) await ban(expression);
  };
  return { url, evict, [Symbol.asyncDispose]: dispose };
}

/**
 * An object goes when the viewer's URL that brought it here, or the rewritten one it is cached under, equals the item.
 * Varnish does not unquote: a quoted pattern is accepted and matches nothing, so there are no quotes and no spaces.
 */
function bans(items: readonly string[]): string[] {
  const paths = items.filter((item) => item.startsWith("/")).map(pathPattern);
  const tags = items
    .filter((item) => item.startsWith("#"))
    .map((item) => escapeRegex(item.slice(1)));
  return [
    ...parts(paths).flatMap((any) => [
      `obj.http.X-Viewer ~ ^(${any})$`,
      `obj.http.X-Key ~ ^(${any})$`,
    ]),
    ...parts(tags).map(
      (any) =>
        `obj.http.x-amz-meta-cache-tag ~ (?i)^([^,]*,){0,${MAX_TAGS - 1}}\\s*(${any})\\s*(,|$)`,
    ),
  ];
}

function pathPattern(path: string): string {
  return path.endsWith("*") ? `${escapeRegex(path.slice(0, -1))}.*` : escapeRegex(path);
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Joins alternatives to as few patterns as the header limit allows. */
function parts(alternatives: readonly string[]): string[] {
  const joined: string[] = [];
  for (const alternative of alternatives) {
    const last = joined.at(-1);
    if (last !== undefined && last.length + alternative.length < MAX_BAN_CHARS) {
      joined[joined.length - 1] = `${last}|${alternative}`;
    } else {
      joined.push(alternative);
    }
  }
  return joined;
}

/** What our distribution does: index rewriting, 403 and 404 shown as the site's own 404 page, short-lived errors. */
function vcl(
  { endpoint, bucket, prefix }: EdgeOrigin,
  errorTtlSeconds: number,
  secret: string,
): string {
  const { hostname, port } = new URL(endpoint);
  const folder = prefix ? `/${bucket}/${prefix}` : `/${bucket}`;
  return `vcl 4.1;
import std;
backend s3 { .host = "${hostname}"; .port = "${port}"; }
sub vcl_recv {
  if (req.method == "BAN") {
    if (req.http.X-Secret != "${secret}") { return (synth(403)); }
    if (std.ban(req.http.X-Ban)) { return (synth(200)); }
    return (synth(400, std.ban_error()));
  }
  if (req.method != "GET" && req.method != "HEAD") { return (synth(403)); }
  unset req.http.Cookie;
  unset req.http.Authorization;
  set req.url = regsub(req.url, "\\?.*$", "");
  set req.http.X-Viewer = req.url;
  if (req.url ~ "/$") { set req.url = req.url + "index.html"; }
  set req.http.X-Key = req.url;
  return (hash);
}
sub vcl_hash {
  hash_data(req.url);
  return (lookup);
}
sub vcl_backend_fetch {
  set bereq.http.Host = "${hostname}:${port}";
  set bereq.url = {"${folder}"} + bereq.http.X-Key;
  if (bereq.retries > 0) { set bereq.url = {"${folder}/404.html"}; }
}
sub vcl_backend_response {
  if (bereq.retries == 0 && (beresp.status == 403 || beresp.status == 404)) { return (retry); }
  set beresp.http.X-Viewer = bereq.http.X-Viewer;
  set beresp.http.X-Key = bereq.http.X-Key;
  set beresp.grace = 0s;
  set beresp.keep = 0s;
  if (bereq.retries > 0) {
    set beresp.status = 404;
    unset beresp.http.x-amz-meta-cache-tag;
  }
  if (beresp.status >= 400) {
    set beresp.ttl = ${errorTtlSeconds}s;
    return (deliver);
  }
  if (beresp.http.Cache-Control !~ "max-age|no-cache|no-store|private") { set beresp.ttl = 24h; }
}
sub vcl_deliver {
  if (obj.hits > 0) { set resp.http.X-Cache = "Hit"; } else { set resp.http.X-Cache = "Miss"; }
  unset resp.http.X-Viewer;
  unset resp.http.X-Key;
  unset resp.http.x-amz-meta-cache-tag;
}
`;
}
