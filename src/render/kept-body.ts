import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { digestOf } from "../site.ts";
import { type Body, bodyOf, type Slot } from "./safe-html.ts";

/** The names under which a body may be kept: for every page of its site, or for its own route. */
export interface BodyKeys {
  readonly anywhere: Uint8Array;
  readonly atRoute: Uint8Array;
}

/**
 * Names a body by all it is made from: its source (by digest), the site's origin, and `engine`,
 * the digest of our code and the libraries. Its page's route counts only for a body that `isPlaced`.
 */
export function bodyKeys(from: {
  readonly engine: Uint8Array;
  readonly origin: string;
  readonly route: string;
  readonly source: Uint8Array;
}): BodyKeys {
  const { engine, origin, route, source } = from;
  return {
    anywhere: digestOf([engine, origin, source]),
    atRoute: digestOf([engine, origin, source, route]),
  };
}

/** A part of a body as it is kept: how much of the text it is, or a slot. */
type KeptPart = number | Slot;

/** Bytes of a body that is compressed: below, zstd costs more than reading and writing. */
const LARGE = 4096;
/** The first byte says what the others are. */
const [PLAIN, ZSTD] = [0, 1];

/** A body as bytes: one line of JSON that cuts up the text after it; compressed when it is large. */
export function encodeBody({ parts, isPlaced }: Body): Uint8Array {
  const cut: KeptPart[] = parts.map((part) => (typeof part === "string" ? part.length : part));
  const text = parts.filter((part) => typeof part === "string").join("");
  const plain = Buffer.from(`\0${JSON.stringify([isPlaced, cut])}\n${text}`);
  if (plain.length < LARGE) return plain;
  return Buffer.concat([Buffer.of(ZSTD), zstdCompressSync(plain.subarray(1))]);
}

/** The inverse of {@link encodeBody}; undefined for other bytes. */
export function decodeBody(bytes: Uint8Array): Body | undefined {
  try {
    const rest = Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1);
    const kept = (bytes[0] === PLAIN ? rest : zstdDecompressSync(rest)).toString("utf8");
    let at = kept.indexOf("\n") + 1;
    const [isPlaced, cut] = JSON.parse(kept.slice(0, at)) as [boolean, readonly KeptPart[]];
    const parts = cut.map((part) => {
      if (typeof part !== "number") return part;
      at += part;
      return kept.slice(at - part, at);
    });
    return at === kept.length ? bodyOf(parts, isPlaced) : undefined;
  } catch {
    return undefined;
  }
}
