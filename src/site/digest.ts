import { hash } from "node:crypto";

/** Bytes of a digest: 128 bits. */
const DIGEST_BYTES = 16;

/** The 128-bit digest of bytes or text: SHA-256, cut. 16 bytes. */
export function digest(content: string | Uint8Array): Buffer {
  return hash("sha256", content, "buffer").subarray(0, DIGEST_BYTES);
}

/** The digest of a value: equal for equal values, whatever the order of object members. */
export function digestOf(value: unknown): Buffer {
  return digest(canonicalJson(value));
}

/**
 * JSON with sorted object members and no white space. `bigint` becomes `{"bigint":"…"}` and
 * `undefined` becomes `{"undefined":true}`, so that no two different values read the same.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "bigint") return `{"bigint":"${value}"}`;
  if (value === undefined || typeof value === "function") return '{"undefined":true}';
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `{"bytes":"${Buffer.from(value).toString("hex")}"}`;
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonicalJson(each)}`).join(",")}}`;
}
