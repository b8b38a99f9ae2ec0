import { digest, encodeKey, type Key, type KeyPart, keyName } from "../site.ts";

/** Bytes of a read's name in the ledger. Two reads that share one only cost a needless check. */
const NAME_BYTES = 5;
/** A trace gives a name's length one byte, and an index of MySQL has room for few long ones. */
const MAX_NAME_BYTES = 255;

/** The name under which the ledger finds the pages that have a shared read, e.g. `row:users/ann`. */
export function readName(key: string): Buffer {
  return digest(key).subarray(0, NAME_BYTES);
}

/** The name of a page's own place among its neighbours: names of one partition order like places. */
export function placeName(list: string, part: unknown, order: readonly unknown[]): Buffer {
  const prefix = readName(`around:${list}/${partName(part)}`);
  return Buffer.concat([prefix, encodeKey(order as Key)]).subarray(0, MAX_NAME_BYTES);
}

/** Before and after all places of a partition. */
export function placeBounds(list: string, part: unknown): { from: Buffer; to: Buffer } {
  const prefix = readName(`around:${list}/${partName(part)}`);
  return { from: prefix, to: Buffer.concat([prefix, Buffer.of(0xff)]) };
}

/** The name of the newest entries of a partition, however many are read. */
export function newestName(list: string, part: unknown): Buffer {
  return readName(`newest:${list}/${partName(part)}`);
}

/** The name of the number of a partition's entries. */
export function countName(list: string, part: unknown): Buffer {
  return readName(`count:${list}/${partName(part)}`);
}

/** The name of the archive of a partition, which its head page lists. */
export function archiveName(kind: string, part: unknown): Buffer {
  return readName(`archive:${kind}/${partName(part)}`);
}

/** The name of a route's existence. */
export function routeName(route: string): Buffer {
  return readName(`page:${route}`);
}

/** The part of a list's name that says which partition; empty for a list that is one. */
export function partName(part: unknown): string {
  return part === undefined || part === null ? "" : keyName([part as KeyPart]);
}
