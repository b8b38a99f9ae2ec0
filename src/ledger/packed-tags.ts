import { ownTagOf, type PageId, tagDigest } from "../site.ts";

/** What a copy of a page at the edge carries, with numbers for names. */
interface Copy {
  /** Number of its kind. */
  readonly kind: number;
  /** Of the page's key: what its own tag is made of. 8 bytes. */
  readonly own: Uint8Array;
  /** Numbers of its other tags, as {@link packNumbers} gives them. */
  readonly tags: Uint8Array;
  /** The page is live at another route now. */
  readonly livesOn: boolean;
}

/** A copy of which nobody knows the tags. */
export const UNKNOWN = Buffer.alloc(0);

/** Whole numbers from 0 on, each in 7 bits a byte: one byte up to 127, two up to 16,383. */
export function packNumbers(numbers: Iterable<number>): Buffer {
  const bytes: number[] = [];
  for (const number of numbers) {
    let rest = number;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  }
  return Buffer.from(bytes);
}

/** The inverse of {@link packNumbers}. */
export function unpackNumbers(bytes: Uint8Array): readonly number[] {
  const numbers: number[] = [];
  let [number, factor] = [0, 1];
  for (const byte of bytes) {
    number += (byte & 127) * factor;
    factor *= 128;
    if (byte > 127) continue;
    numbers.push(number);
    [number, factor] = [0, 1];
  }
  return numbers;
}

/** `author-` and 16 digits: most tags are so. */
const HASHED = /^([^\0]*)-([0-9a-f]{16})$/;

/** A tag as bytes: what of it is hexadecimal takes half of them, after a zero. */
export function packName(tag: string): Buffer {
  const [, name, value] = HASHED.exec(tag) ?? [];
  if (name === undefined || value === undefined) return Buffer.from(tag);
  return Buffer.concat([Buffer.from(`${name}\0`), Buffer.from(value, "hex")]);
}

/** The inverse of {@link packName}. */
export function unpackName(bytes: Buffer): string {
  const at = bytes.indexOf(0);
  if (at === -1) return bytes.toString("utf8");
  return `${bytes.toString("utf8", 0, at)}-${bytes.toString("hex", at + 1)}`;
}

/**
 * A copy in one column: the kind's number, doubled, plus one if the page lives on; 8 bytes of the
 * own tag; the other tags. `tags` is null when nobody knows them.
 */
export function packCopy(
  { key }: Pick<PageId, "key">,
  { kind, tags, livesOn }: Pick<Copy, "kind" | "livesOn"> & { readonly tags: Uint8Array | null },
): Buffer {
  if (tags === null) return UNKNOWN;
  const head = packNumbers([kind * 2 + (livesOn ? 1 : 0)]);
  return Buffer.concat([head, tagDigest(key), tags]);
}

/** The inverse of {@link packCopy}; undefined when nobody knows the tags. */
export function unpackCopy(bytes: Uint8Array): Copy | undefined {
  if (bytes.length === 0) return undefined;
  const end = bytes.findIndex((byte) => byte < 128) + 1;
  const [head = 0] = unpackNumbers(bytes.subarray(0, end));
  const own = bytes.subarray(end, end + OWN_BYTES);
  const tags = bytes.subarray(end + OWN_BYTES);
  return { kind: head >> 1, own, tags, livesOn: head % 2 === 1 };
}

const OWN_BYTES = tagDigest("").length;

/** The tags that a copy carries, its page's own first. */
export function tagsOf(
  { kind, own, tags }: Copy,
  names: {
    readonly kind: (number: number) => string;
    readonly tag: (number: number) => string | undefined;
  },
): readonly string[] {
  const others = unpackNumbers(tags).flatMap((number) => names.tag(number) ?? []);
  return [ownTagOf(names.kind(kind), own), ...others];
}
