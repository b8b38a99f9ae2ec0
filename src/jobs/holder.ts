import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

/** A name for this worker, e.g. `web1-4711-0a1b2c`; its attempts add their numbers. */
export function workerName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
}

/** True when the holder is a process of this machine that lives: one that is busy is not dead. */
export function livesHere(holder: string): boolean {
  const own = `${hostname()}-`;
  const pid = holder.startsWith(own) ? /^\d+/.exec(holder.slice(own.length))?.[0] : undefined;
  if (pid === undefined) return false;
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    // It is there, and another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
