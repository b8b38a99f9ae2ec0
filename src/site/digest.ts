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
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `{"bigint":"${value}"}`;
  if (value === undefined || typeof value === "function") return '{"undefined":true}';
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `{"bytes":"${Buffer.from(value).toString("hex")}"}`;
  return Array.isArray(value) ? jsonOfArray(value) : jsonOfObject(value as Row);
}

type Row = Readonly<Record<string, unknown>>;

// Loops: with map and join, hashing what pages read takes twice as long.
function jsonOfArray(values: readonly unknown[]): string {
  let json = "[";
  for (let at = 0; at < values.length; at += 1) {
    json += (at === 0 ? "" : ",") + canonicalJson(values[at]);
  }
  return `${json}]`;
}

function jsonOfObject(object: Row): string {
  let json = "{";
  for (const name of Object.keys(object).sort()) {
    json += `${json.length === 1 ? "" : ","}${JSON.stringify(name)}:${canonicalJson(object[name])}`;
  }
  return `${json}}`;
}
