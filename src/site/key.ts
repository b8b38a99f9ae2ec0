import type { Key, KeyPart } from "./table.ts";
import type { PageId } from "./words.ts";

/** Type bytes of the encoding; their order is the order of types. */
const NULL = 0x00;
const TEXT = 0x02;
const INT_ZERO = 0x14;

/**
 * Encodes key values so that `Buffer.compare` of two encodings orders like the values do:
 * numbers by size, text by UTF-8 bytes, tuples part by part (the layout of FoundationDB's tuple
 * layer). `[42]` takes 2 bytes. Reversible with {@link decodeKey}.
 */
export function encodeKey(key: Key): Buffer {
  return Buffer.concat(key.map(encodePart));
}

/** Gives the values back; whole numbers come as `number` when safe, else as `bigint`. */
export function decodeKey(bytes: Uint8Array): Key {
  return unpackValues(bytes) as Key;
}

/** Encodes values that may be NULL as {@link encodeKey} does keys; NULL sorts first. */
export function packValues(values: readonly (KeyPart | null)[]): Buffer {
  return Buffer.concat(values.map((each) => (each === null ? Buffer.of(NULL) : encodePart(each))));
}

/** The inverse of {@link packValues}. */
export function unpackValues(bytes: Uint8Array): readonly (KeyPart | null)[] {
  const parts: (KeyPart | null)[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === NULL) {
      parts.push(null);
      at += 1;
      continue;
    }
    const read = bytes[at] === TEXT ? readText(bytes, at + 1) : readInt(bytes, at);
    parts.push(read.part);
    at = read.end;
  }
  return parts;
}

/** True when `key` begins with all of `prefix`, e.g. the keys of a list's archive with its head's. */
export function hasPrefix(key: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
}

/** Bytes in hexadecimal. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** Equal strings for equal pages and only for them. */
export function pageName({ kind, key }: PageId): string {
  return `${hexOf(key)} ${kind}`;
}

/** True when both name the same page. */
export function isSamePage(a: PageId, b: PageId): boolean {
  return a.kind === b.kind && Buffer.compare(a.key, b.key) === 0;
}

/** `42` or `scaling,42`: the key as people read it, with `,` and `/` in text percent-encoded. */
export function keyName(key: Key): string {
  return key.map((part) => String(part).replace(/[%,/#\s]/gu, encodeURIComponent)).join(",");
}

function encodePart(part: KeyPart): Buffer {
  if (typeof part === "string") return encodeText(part);
  const value = BigInt(part);
  const magnitude = value < 0n ? -value : value;
  const size = value === 0n ? 0 : Math.ceil(magnitude.toString(16).length / 2);
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = value < 0n ? INT_ZERO - size : INT_ZERO + size;
  // A negative number is stored as its complement, so that -2 sorts before -1.
  let rest = value < 0n ? (1n << BigInt(8 * size)) - 1n - magnitude : magnitude;
  for (let at = size; at > 0; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  return bytes;
}

function encodeText(text: string): Buffer {
  const utf8 = Buffer.from(text, "utf8");
  if (!utf8.includes(0)) return Buffer.concat([Buffer.of(TEXT), utf8, Buffer.of(0)]);
  const escaped = [...utf8].flatMap((byte) => (byte === 0 ? [0, 0xff] : [byte]));
  return Buffer.from([TEXT, ...escaped, 0]);
}

function readText(bytes: Uint8Array, start: number): { part: string; end: number } {
  const out: number[] = [];
  let at = start;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) {
      if (bytes[at + 1] !== 0xff) break;
      at += 1;
    }
    out.push(byte);
  }
  return { part: Buffer.from(out).toString("utf8"), end: at + 1 };
}

function readInt(bytes: Uint8Array, start: number): { part: number | bigint; end: number } {
  const signed = (bytes[start] ?? INT_ZERO) - INT_ZERO;
  const size = Math.abs(signed);
  let value = 0n;
  for (let at = start + 1; at <= start + size; at += 1) {
    value = (value << 8n) | BigInt(bytes[at] ?? 0);
  }
  if (signed < 0) value -= (1n << BigInt(8 * size)) - 1n;
  const safe = Number(value);
  return { part: Number.isSafeInteger(safe) ? safe : value, end: start + 1 + size };
}
