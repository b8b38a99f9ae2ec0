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

/** A body as bytes: one line of JSON that cuts up the text after it, compressed. */
export function encodeBody({ parts, isPlaced }: Body): Uint8Array {
  const cut: KeptPart[] = parts.map((part) => (typeof part === "string" ? part.length : part));
  const text = parts.filter((part) => typeof part === "string").join("");
  return zstdCompressSync(`${JSON.stringify([isPlaced, cut])}\n${text}`);
}

/** The inverse of {@link encodeBody}; undefined for other bytes. */
export function decodeBody(bytes: Uint8Array): Body | undefined {
  try {
    const kept = zstdDecompressSync(bytes).toString("utf8");
    let at = kept.indexOf("\n") + 1;
    const [isPlaced, cut] = JSON.parse(kept.slice(0, at)) as [boolean, readonly KeptPart[]];
    const parts = cut.map((part) => {
      if (typeof part !== "number") return part;
      at += part;
      return kept.slice(at - part, at);
    });
    return bodyOf(parts, isPlaced);
  } catch {
    return undefined;
  }
}
