import { createHash } from "node:crypto";
import { readFile, realpath } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join, relative, sep } from "node:path";
import { objectHeaders } from "../render/headers.ts";
import type { KindHeaders } from "../site.ts";
import { folderKey, requestedKey } from "./preview-key.ts";

/** The site's own page for what is not there. */
const NOT_FOUND = "404.html";

/** What one request got, for the log. */
export interface Served {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** Why not 200, or what would have worked. */
  readonly hint: string | undefined;
}

/** A folder, and what the kind of the page under a key says of its headers. */
export interface Previewed {
  readonly folder: string;
  readonly kindOf: (key: string) => Promise<KindHeaders | undefined>;
}

/**
 * Serves a folder the way the CDN serves the bucket: index documents for "/", the site's own 404
 * page, the headers that `put` gives each object. Not started; nothing outside `folder` is read.
 */
export function previewServer(previewed: Previewed, log: (served: Served) => void): Server {
  return createServer((request, response) => {
    answer(previewed, request)
      .catch((error: unknown) => failure(error))
      .then((reply) => {
        send(request, response, reply);
        const { method = "", url: target = "" } = request;
        log({ method, target, status: response.statusCode, hint: reply.hint });
      })
      .catch(() => response.destroy());
  });
}

interface Reply {
  readonly status: number;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly hint?: string;
}

async function answer(previewed: Previewed, request: IncomingMessage): Promise<Reply> {
  const { folder } = previewed;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plainReply(405, "Only GET and HEAD are served.", { allow: "GET, HEAD" });
  }
  const { key, refused } = requestedKey(request.url ?? "/");
  if (key === undefined) return await notFound(previewed, refused);
  const body = await readObject(folder, key);
  if (body !== undefined) {
    return { status: 200, body, headers: await headersOf(previewed, key, body) };
  }
  const withSlash = folderKey(key);
  const isFolder = withSlash !== undefined && (await readObject(folder, withSlash)) !== undefined;
  return await notFound(previewed, isFolder ? 'There is a page with "/" at the end.' : undefined);
}

/** The bytes of the file whose name is exactly `key`; undefined for folders and what links lead to. */
async function readObject(folder: string, key: string): Promise<Uint8Array | undefined> {
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, key));
    // Also where the file system ignores case: there the real name differs from the key.
    if (relative(root, file).split(sep).join("/") !== key) return undefined;
    return await readFile(file);
  } catch (error) {
    if (ABSENT.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

const ABSENT = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG"]);

async function notFound(previewed: Previewed, hint: string | undefined): Promise<Reply> {
  const body = await readObject(previewed.folder, NOT_FOUND);
  const reply =
    body === undefined
      ? plainReply(404, "There is no such page, and the site has no 404.html.", {})
      : { status: 404, body, headers: await headersOf(previewed, NOT_FOUND, body) };
  return hint === undefined ? reply : { ...reply, hint };
}

async function headersOf(
  { kindOf }: Previewed,
  key: string,
  body: Uint8Array,
): Promise<Record<string, string>> {
  const { contentType, cacheControl, contentLanguage } = objectHeaders(key, await kindOf(key));
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
  const language = contentLanguage === undefined ? {} : { "content-language": contentLanguage };
  return { "content-type": contentType, "cache-control": cacheControl, ...language, etag };
}

function plainReply(status: number, text: string, headers: Record<string, string>): Reply {
  const body = Buffer.from(`${text}\n`);
  return { status, body, headers: { "content-type": "text/plain; charset=utf-8", ...headers } };
}

function failure(error: unknown): Reply {
  const hint = error instanceof Error ? error.message : String(error);
  return { ...plainReply(500, "The file could not be read.", {}), hint };
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const { status, body, headers } = reply;
  if (status === 200 && isKnown(request.headers["if-none-match"], headers["etag"])) {
    const { "content-type": _, ...rest } = headers;
    response.writeHead(304, rest).end();
    return;
  }
  response.writeHead(status, { ...headers, "content-length": body.byteLength });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** RFC 9110, If-None-Match: a list of tags, compared weakly, or "*". */
function isKnown(ifNoneMatch: string | undefined, etag: string | undefined): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
  return etag !== undefined && (tags.includes(etag) || tags.includes("*"));
}
