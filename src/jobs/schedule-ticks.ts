import type { Cron } from "./schedule-cron.ts";
import type { Zone } from "./schedule-zone.ts";

/** When an expression's ticks are, in a time zone. */
export interface Times {
  readonly cron: Cron;
  readonly zone: Zone;
  /** The ticks of a day of the zone; some may fall just outside of it where the clock changes. */
  on(dayMs: number): readonly number[];
}

const DAY = 86_400_000;
/** Days whose ticks are remembered. */
const KEPT_DAYS = 8;
/** 29 February on a given weekday comes every 28 years, and every 40 around 2100. */
const LONGEST_DAYS = 41 * 366;

/** Brings an expression and a zone together. */
export function timesOf(cron: Cron, zone: Zone): Times {
  const kept = new Map<number, readonly number[]>();
  return {
    cron,
    zone,
    on(dayMs) {
      const known = kept.get(dayMs);
      if (known !== undefined) return known;
      if (kept.size === KEPT_DAYS) kept.clear();
      const ticks = ticksOn(cron, zone, dayMs);
      kept.set(dayMs, ticks);
      return ticks;
    },
  };
}

/**
 * The first tick after a moment, both in milliseconds since 1970; undefined when there is none within
 * 41 years. Each wall-clock time comes once: at its first moment where the clock is set back over it,
 * and at the moment of the change where the clock skips it. An expression that names every hour goes by
 * real hours: it ticks in both of a doubled one.
 */
export function nextTick(times: Times, afterMs: number): number | undefined {
  const today = dayOf(times.zone.wall(afterMs));
  for (let day = today; day < today + LONGEST_DAYS * DAY; day += DAY) {
    const next = ticksAround(times, day).find((ms) => ms > afterMs);
    if (next !== undefined) return next;
  }
  return undefined;
}

/** The last tick that is after `afterMs` and not after `upToMs`; undefined when there is none. */
export function lastTick(times: Times, afterMs: number, upToMs: number): number | undefined {
  const first = dayOf(times.zone.wall(afterMs));
  for (let day = dayOf(times.zone.wall(upToMs)); day >= first; day -= DAY) {
    const last = ticksAround(times, day).findLast((ms) => ms <= upToMs);
    if (last !== undefined) return last > afterMs ? last : undefined;
  }
  return undefined;
}

/** Every tick that is after `fromMs` and not after `toMs`, ascending. */
export function* ticksBetween(times: Times, fromMs: number, toMs: number): Generator<number> {
  let tick = nextTick(times, fromMs);
  while (tick !== undefined && tick <= toMs) {
    yield tick;
    tick = nextTick(times, tick);
  }
}

/** A clock that is set back at midnight comes to the day before again: three days are looked at. */
const AROUND = [-DAY, 0, DAY];

function ticksAround(times: Times, day: number): readonly number[] {
  const all = AROUND.flatMap((by) => times.on(day + by));
  return [...new Set(all)].sort((a, b) => a - b);
}

function ticksOn(cron: Cron, zone: Zone, day: number): readonly number[] {
  if (!cron.isOn(day)) return [];
  const ahead = zone.steadyOffset(day);
  if (ahead !== undefined) return cron.times.map((time) => day + time - ahead);
  return cron.times.flatMap((time) => {
    const moments = zone.moments(day + time);
    return cron.isHourly ? moments : moments.slice(0, 1);
  });
}

function dayOf(wallMs: number): number {
  return Math.floor(wallMs / DAY) * DAY;
}
