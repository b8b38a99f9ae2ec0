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
  return packValues(key);
}

/** Gives the values back; whole numbers come as `number` when safe, else as `bigint`. */
export function decodeKey(bytes: Uint8Array): Key {
  return unpackValues(bytes) as Key;
}

/** Encodes values that may be NULL as {@link encodeKey} does keys; NULL sorts first. */
export function packValues(values: readonly (KeyPart | null)[]): Buffer {
  let end = 0;
  for (const each of values) end = each === null ? putByte(NULL, end) : putPart(each, end);
  return Buffer.from(scratch.subarray(0, end));
}

/** What is being encoded: one value after the other, without a buffer for each. */
let scratch = Buffer.alloc(1024);

/** Makes room for so many bytes after `at`. */
function reserve(at: number, size: number): void {
  if (at + size > scratch.length) scratch = Buffer.concat([scratch, Buffer.alloc(at + size)]);
}

function putByte(byte: number, at: number): number {
  reserve(at, 1);
  scratch[at] = byte;
  return at + 1;
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

/** True for the page itself and, with `isBelow`, for those of its kind whose keys begin with its own. */
export function isUnder(page: PageId, own: PageId & { readonly isBelow: boolean }): boolean {
  if (!own.isBelow) return isSamePage(page, own);
  return page.kind === own.kind && hasPrefix(page.key, own.key);
}

/** Orders pages by kind, then key, both by bytes, as the database does. */
export function comparePages(a: PageId, b: PageId): number {
  return Buffer.compare(Buffer.from(a.kind), Buffer.from(b.kind)) || Buffer.compare(a.key, b.key);
}

/** `42` or `scaling,42`: the key as people read it, with `,` and `/` in text percent-encoded. */
export function keyName(key: Key): string {
  return key.map((part) => String(part).replace(/[%,/#\s]/gu, encodeURIComponent)).join(",");
}

function putPart(part: KeyPart, at: number): number {
  return typeof part === "string" ? putText(part, at) : putInt(part, at);
}

function putInt(part: number | bigint, at: number): number {
  if (Number.isSafeInteger(part) && part >= 0) return putNumber(Number(part), at);
  const value = BigInt(part);
  const magnitude = value < 0n ? -value : value;
  const size = value === 0n ? 0 : Math.ceil(magnitude.toString(16).length / 2);
  reserve(at, 1 + size);
  scratch[at] = value < 0n ? INT_ZERO - size : INT_ZERO + size;
  // A negative number is stored as its complement, so that -2 sorts before -1.
  let rest = value < 0n ? (1n << BigInt(8 * size)) - 1n - magnitude : magnitude;
  for (let to = at + size; to > at; to -= 1, rest >>= 8n) scratch[to] = Number(rest & 0xffn);
  return at + 1 + size;
}

/** Most numbers: none needs a `bigint`, which costs ten times as much. */
function putNumber(value: number, at: number): number {
  let size = 0;
  for (let rest = value; rest >= 1; rest = Math.floor(rest / 256)) size += 1;
  reserve(at, 1 + size);
  scratch[at] = INT_ZERO + size;
  for (let rest = value, to = at + size; to > at; to -= 1, rest = Math.floor(rest / 256)) {
    scratch[to] = rest % 256;
  }
  return at + 1 + size;
}

/** Between its type and a zero; a zero in it is followed by 0xff. */
function putText(text: string, at: number): number {
  reserve(at, 2 + 3 * text.length);
  scratch[at] = TEXT;
  let end = at + 1 + scratch.write(text, at + 1, "utf8");
  if (text.includes("\0")) {
    const escaped = [...scratch.subarray(at + 1, end)].flatMap((byte) =>
      byte === 0 ? [0, 0xff] : [byte],
    );
    reserve(at, 2 + escaped.length);
    scratch.set(escaped, at + 1);
    end = at + 1 + escaped.length;
  }
  scratch[end] = 0;
  return end + 1;
}

function readText(bytes: Uint8Array, start: number): { part: string; end: number } {
  const end = bytes.indexOf(0, start);
  if (end >= 0 && bytes[end + 1] !== 0xff) {
    return { part: textOf(bytes.subarray(start, end)), end: end + 1 };
  }
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

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function readInt(bytes: Uint8Array, start: number): { part: number | bigint; end: number } {
  const signed = (bytes[start] ?? INT_ZERO) - INT_ZERO;
  const size = Math.abs(signed);
  if (signed >= 0 && size <= 6) {
    let part = 0;
    for (let at = start + 1; at <= start + size; at += 1) part = part * 256 + (bytes[at] ?? 0);
    return { part, end: start + 1 + size };
  }
  let value = 0n;
  for (let at = start + 1; at <= start + size; at += 1) {
    value = (value << 8n) | BigInt(bytes[at] ?? 0);
  }
  if (signed < 0) value -= (1n << BigInt(8 * size)) - 1n;
  const safe = Number(value);
  return { part: Number.isSafeInteger(safe) ? safe : value, end: start + 1 + size };
}
