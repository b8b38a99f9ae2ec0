import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { LivePage, Past } from "../ledger/ledger.ts";
import { bytesTag } from "../publish/bytes-tag.ts";
import type { StoredObject } from "../publish/store.ts";
import { storedArtifact } from "../render/render.ts";
import { address, digestOf, type PageId } from "../site.ts";
import type { Run, Wired } from "./run.ts";

/** Bytes of an object that is compressed, see `kept-body.ts`. */
const LARGE = 4096;
/** The first byte says what the others are. */
const [PLAIN, ZSTD] = [0, 1];

/**
 * Keeps what the store has of pages that this run is about to replace or delete, unless it keeps
 * versions by itself. Call it before whatever does. An object that is not what the ledger says is
 * left out: nobody is to get it again.
 */
export async function keepBodies(
  run: Run,
  pages: readonly (LivePage | undefined)[],
): Promise<void> {
  const { kept, store, slots } = run.wired;
  // What this release put was not there before it; of a put that was cut off the first try kept it.
  const going = pages
    .filter((page) => page !== undefined)
    .filter(({ hash, release }) => hash !== undefined && release < run.release);
  if (kept === undefined || going.length === 0 || (await run.keepsVersions())) return;
  const take = run.rebuilt === undefined ? slots.builds : slots.editors;
  const objects = await Promise.all(
    going.map(({ route }) => take(() => store.get(address(route).key))),
  );
  const entries = going.flatMap((page, at) => {
    const object = objects[at];
    if (object === undefined || !isAsKnown(page, object)) return [];
    return [{ key: keptName(run.release, page), value: encodeObject(object) }];
  });
  await kept.set(entries);
}

/** What was kept of a page that a release replaced or deleted; undefined when nothing was, or is no more. */
export async function keptOf(
  { kept }: Pick<Wired, "kept">,
  past: Past,
): Promise<StoredObject | undefined> {
  const [bytes] = (await kept?.get([keptName(past.until, past)])) ?? [];
  const object = bytes && decodeObject(bytes);
  return object !== undefined && isAsKnown(past, object) ? object : undefined;
}

/** The name under which it is kept what a page was before a release. */
export function keptName(until: number, { kind, key }: PageId): Uint8Array {
  return digestOf([until, kind, key]);
}

/** A folder keeps no headers, so there the bytes have to do, or of old pages their number. */
function isAsKnown(
  { route, hash, etag, bytes }: Omit<Past, "until" | "reason">,
  { body, ...headers }: StoredObject,
): boolean {
  if (headers.contentType === undefined) {
    return etag === undefined ? body.length === bytes : bytesTag(body) === etag;
  }
  return hash !== undefined && storedArtifact(address(route).key, body, headers).hash.equals(hash);
}

/** An object as bytes: its headers as one line of JSON, then its body. */
function encodeObject({
  body,
  contentType,
  cacheControl,
  contentLanguage,
  metadata,
}: StoredObject) {
  const headers = { contentType, cacheControl, contentLanguage, metadata };
  const plain = Buffer.concat([Buffer.from(`${JSON.stringify(headers)}\n`), body]);
  if (plain.length < LARGE) return Buffer.concat([Buffer.of(PLAIN), plain]);
  return Buffer.concat([Buffer.of(ZSTD), zstdCompressSync(plain)]);
}

function decodeObject(bytes: Uint8Array): StoredObject | undefined {
  try {
    const rest = Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1);
    const plain = bytes[0] === ZSTD ? zstdDecompressSync(rest) : rest;
    const end = plain.indexOf("\n");
    return { ...JSON.parse(plain.subarray(0, end).toString()), body: plain.subarray(end + 1) };
  } catch {
    return undefined;
  }
}
