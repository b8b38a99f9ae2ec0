import { decodeKey, type Key, type KeyPart } from "../site.ts";

/** An encoded key as JSON, e.g. `["scaling", 42]`; whole numbers that JSON's readers would round are objects. */
export function keyToJson(key: Uint8Array): readonly unknown[] {
  return decodeKey(key).map(toJson);
}

/** The inverse of {@link keyToJson}; undefined for what is no key. */
export function keyFromJson(value: unknown): Key | undefined {
  if (!Array.isArray(value)) return undefined;
  const parts = value.map(fromJson).filter((part) => part !== undefined);
  return parts.length < value.length ? undefined : parts;
}

function toJson(part: KeyPart): unknown {
  return typeof part === "bigint" ? { bigint: String(part) } : part;
}

function fromJson(value: unknown): KeyPart | undefined {
  if (typeof value === "string") return value.isWellFormed() ? value : undefined;
  if (Number.isSafeInteger(value)) return value as number;
  if (typeof value !== "object" || value === null || !("bigint" in value)) return undefined;
  const text = value.bigint;
  return typeof text === "string" && /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}
