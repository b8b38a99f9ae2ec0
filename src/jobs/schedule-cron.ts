import { createTask, validateDetailed } from "node-cron";

/** An expression of cron, understood; it knows nothing of zones. */
export interface Cron {
  /** As it was written: `0 3 * * *`. */
  readonly expression: string;
  /** It names every hour of the day. */
  readonly isHourly: boolean;
  /** Wall-clock times of a day, as milliseconds since its midnight, ascending; at least one. */
  readonly times: readonly number[];
  /** Whether it names this day, given as the midnight in UTC that begins the day of that date. */
  isOn(dayMs: number): boolean;
}

const MINUTE = 60_000;
const HOURS = 24;

/**
 * Reads an expression of five fields, or a name such as `@daily`. Day and weekday must both fit
 * (node-cron's rule, where crontab lets either do).
 * @returns the reason, a full sentence, when it is none
 */
export function readCron(expression: string): Cron | string {
  const { fields, errors } = validateDetailed(expression);
  if (fields === undefined) return `It is no expression of cron: ${errors[0]?.message}.`;
  if (!expression.startsWith("@") && expression.trim().split(/\s+/).length !== 5) {
    return "It must have five fields: minute, hour, day of the month, month, weekday.";
  }
  // Never started: it only tells days. In UTC each day has all of its times.
  const task = createTask(expression, () => undefined, { timezone: "UTC" });
  // node-cron keeps a list of all tasks.
  void task.destroy();
  const [hours, minutes] = [ascending(fields.hour), ascending(fields.minute)];
  const times = hours.flatMap((hour) => minutes.map((minute) => (hour * 60 + minute) * MINUTE));
  const first = times[0] ?? 0;
  return {
    expression,
    isHourly: hours.length === HOURS,
    times,
    isOn: (dayMs) => task.match(new Date(dayMs + first)),
  };
}

function ascending(values: readonly number[]): readonly number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
