import type { Raw } from "./decode.ts";

/** Formats of types that a log holds as bytes and a read gives as text, by `data_type`. */
const FORMATS: Readonly<Record<string, (bytes: Buffer) => string>> = { uuid, inet4, inet6 };

/**
 * A value of a row image as a read would give it. `type` is the column's `data_type`, which the log
 * does not tell of MariaDB's types that are kept as bytes.
 */
export function rawOf(value: unknown, type: string | undefined): Raw {
  // An ENUM's value 0, which stands for what was no member of it.
  if (value === undefined) return "";
  if (!Buffer.isBuffer(value)) return value as Raw;
  const format = type === undefined ? undefined : FORMATS[type];
  return format === undefined ? value : format(value);
}

function uuid(bytes: Buffer): string {
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function inet4(bytes: Buffer): string {
  return bytes.join(".");
}

/** As MariaDB writes them: `::` also for a single zero, and IPv4 in dots where it is mapped or compatible. */
function inet6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16));
  const { start, length } = longestZeros(groups);
  if (length === 0) return groups.join(":");
  const isMapped = start === 0 && length === 5 && groups[5] === "ffff";
  const isDotted = isMapped || (start === 0 && length === 6);
  const rest = isDotted
    ? [...groups.slice(length, 6), inet4(bytes.subarray(12))]
    : groups.slice(start + length);
  return `${groups.slice(0, start).join(":")}::${rest.join(":")}`;
}

/** The first of the longest runs of groups that are zero. */
function longestZeros(groups: readonly string[]) {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    const end = groups.findIndex((group, at) => at >= start && group !== "0");
    const length = (end === -1 ? groups.length : end) - start;
    if (length > best.length) best = { start, length };
  }
  return best;
}
