/** A time zone's clock. Moments are milliseconds since 1970, wall times the same as if in UTC. */
export interface Zone {
  /** `Europe/Berlin` */
  readonly name: string;
  /** What its clock shows at a moment. */
  wall(ms: number): number;
  /**
   * Moments at which its clock shows a wall time, ascending: two where it is set back over that time.
   * Of a time that it skips, the moment at which it does.
   */
  moments(wallMs: number): readonly number[];
  /** How far its clock is ahead of UTC all through a day; undefined when it may change that day. */
  steadyOffset(dayMs: number): number | undefined;
}

const DAY = 86_400_000;
const MINUTE = 60_000;

/** A zone of the IANA database by its name; undefined when there is none. */
export function zoneOf(name: string): Zone | undefined {
  const format = formatOf(name);
  if (format === undefined) return undefined;
  const wall = (ms: number) => ms + offset(format, ms);
  return {
    name,
    wall,
    moments(wallMs) {
      // No zone changes its clock twice in three days.
      const [before, after] = [offset(format, wallMs - DAY), offset(format, wallMs + DAY)];
      const possible = [...new Set([wallMs - before, wallMs - after])].sort((a, b) => a - b);
      const real = possible.filter((ms) => wall(ms) === wallMs);
      const [from = 0, to = 0] = possible;
      return real.length > 0 ? real : [changeBetween(from, to, format)];
    },
    steadyOffset(dayMs) {
      const ahead = offset(format, dayMs - DAY);
      return offset(format, dayMs + 2 * DAY) === ahead ? ahead : undefined;
    },
  };
}

/** The first moment after `from`, on a full minute, that has the offset of `to`. */
function changeBetween(from: number, to: number, format: Intl.DateTimeFormat): number {
  const wanted = offset(format, to);
  let [low, high] = [from, to];
  while (high - low > MINUTE) {
    const middle = low + Math.ceil((high - low) / 2 / MINUTE) * MINUTE;
    if (offset(format, middle) === wanted) high = middle;
    else low = middle;
  }
  return high;
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  } catch {
    return undefined;
  }
}

/** How far the clock is ahead of UTC, in milliseconds; Intl says `GMT-03:30`, or `GMT` for none. */
function offset(format: Intl.DateTimeFormat, ms: number): number {
  const text = format.formatToParts(ms).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours = 0, minutes = 0] = /([+-])(\d\d):(\d\d)/.exec(text) ?? [];
  const size = (Number(hours) * 60 + Number(minutes)) * MINUTE;
  return sign === "-" ? -size : size;
}
