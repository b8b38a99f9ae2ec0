import type { Instant } from "../site.ts";

const ISO = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z$/;

/** Reads `2026-08-15T12:15:58.123456Z`: UTC, at most six decimals. Undefined for anything else. */
export function parseIso(text: string): Instant | undefined {
  const [, date, time] = ISO.exec(text) ?? [];
  return date === undefined ? undefined : parseDateTime(`${date} ${time}`);
}

/**
 * Reads `2026-08-15 12:15:58.123456` as UTC, years 1000-9999, to the microsecond. Undefined when it
 * is no date (`0000-00-00`, 30 February) or when a number cannot hold it exactly (a fraction of a
 * second before 1685 or after 2254).
 */
export function parseDateTime(text: string): Instant | undefined {
  const fields = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text);
  if (fields === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields
    .slice(1, 7)
    .map(Number);
  if (year < 1000 || hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // 30 February would be 2 March.
  if (new Date(ms).getUTCDate() !== day || new Date(ms).getUTCMonth() !== month - 1)
    return undefined;
  const micros = Number((fields[7] ?? "").padEnd(6, "0"));
  const instant = ms * 1000 + micros;
  return micros === 0 || Number.isSafeInteger(instant) ? instant : undefined;
}

/** The first moment that is no date of MySQL's any more: a list's last year may end with it. */
const YEAR_10000 = 253_402_300_800_000_000;

/**
 * Writes `2026-08-15 12:15:58.123456`, as {@link parseDateTime} reads it; what comes after the year
 * 9999 as the last moment of that year.
 */
export function formatDateTime(instant: Instant): string {
  if (instant >= YEAR_10000) return "9999-12-31 23:59:59.999999";
  const micros = ((instant % 1e6) + 1e6) % 1e6;
  const date = new Date((instant - micros) / 1000).toISOString().slice(0, 19).replace("T", " ");
  return `${date}.${String(micros).padStart(6, "0")}`;
}
