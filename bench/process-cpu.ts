import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Linux counts in hundredths. */
const TICKS_PER_SECOND = 100;

/** User and system time of a process until now. Linux only. */
export function cpuSecondsOf(pid: number): number {
  const [, fields = ""] = readFileSync(join("/proc", `${pid}`, "stat"), "utf8").split(") ");
  const [user, system] = fields.split(" ").slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND;
}
