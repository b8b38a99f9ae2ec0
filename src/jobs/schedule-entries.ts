import type { Config } from "../config.ts";
import { PipelineError, type Problem } from "../error.ts";
import type { Lane, Work } from "./job.ts";
import { readCron } from "./schedule-cron.ts";
import { nextTick, type Times, timesOf } from "./schedule-ticks.ts";
import { zoneOf } from "./schedule-zone.ts";

/** A job that is asked for again and again. */
export interface Entry {
  readonly name: string;
  readonly work: Work;
  readonly lane: Lane;
  readonly times: Times;
  /** Expression and zone: `0 3 * * * Europe/Berlin`. */
  readonly schedule: string;
}

/** What is asked for by the clock. */
export interface Schedule {
  readonly entries: readonly Entry[];
  /** The zone's name. */
  readonly zone: string;
  /** Also when the clock shows or hides a row. */
  readonly hasDue: boolean;
}

/** The settings that make it. */
export type ScheduleConfig = Pick<
  Config,
  "scheduleBuild" | "scheduleVerify" | "scheduleSweep" | "scheduleDue" | "scheduleTimeZone"
>;

const ENTRIES = [
  ["build", "SCHEDULE_BUILD", "scheduleBuild"],
  ["verify", "SCHEDULE_VERIFY", "scheduleVerify"],
  ["sweep", "SCHEDULE_SWEEP", "scheduleSweep"],
] as const;

/**
 * Reads the settings of the schedule.
 * @throws PipelineError `config_invalid` with every expression that is none, or never comes
 */
export function readSchedule(config: ScheduleConfig, nowMs: number): Schedule {
  const zone = zoneOf(config.scheduleTimeZone);
  if (zone === undefined)
    throw refused([{ place: "SCHEDULE_TIME_ZONE", message: "No such zone." }]);
  const problems: Problem[] = [];
  const entries = ENTRIES.flatMap(([name, place, field]): readonly Entry[] => {
    const expression = config[field];
    if (expression === "off") return [];
    const cron = readCron(expression);
    const times = typeof cron === "string" ? undefined : timesOf(cron, zone);
    if (times !== undefined && nextTick(times, nowMs) !== undefined) {
      const schedule = `${expression} ${zone.name}`;
      return [{ name, work: { is: name }, lane: "nightly", times, schedule }];
    }
    const message = typeof cron === "string" ? cron : "It names no day that ever comes.";
    problems.push({ place, message });
    return [];
  });
  if (problems.length > 0) throw refused(problems);
  return { entries, zone: zone.name, hasDue: config.scheduleDue === "on" };
}

function refused(problems: readonly Problem[]): PipelineError {
  return new PipelineError("config_invalid", "The schedule cannot be read.", {
    hint: "An expression has five fields: minute, hour, day of the month, month, weekday; off is never.",
    problems,
  });
}
