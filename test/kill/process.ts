import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Asked } from "./asked.ts";
import type { Bundle } from "./bundle.ts";

/** How a process ended. */
export interface Ended {
  /** `done`, `killed`, or the code of the error that ended it. */
  readonly as: string;
  /** From its first word to its end. */
  readonly ms: number;
}

/** Runs a command in a process of its own; it is killed so many ms after it began, or when a promise is kept. */
export async function runChild(
  { file, cache }: Bundle,
  asked: Asked,
  killAt?: number | Promise<void>,
): Promise<Ended> {
  const child = spawn(process.execPath, [file, JSON.stringify(asked)], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = text(child.stderr);
  const ended = new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject).once("close", (_, signal) => resolve(signal));
  });
  await Promise.race([new Promise((resolve) => child.stdout.once("data", resolve)), ended]);
  const begunMs = performance.now();
  if (killAt !== undefined) {
    await Promise.race([typeof killAt === "number" ? sleep(killAt) : killAt, ended]);
    child.kill("SIGKILL");
  }
  const signal = await ended;
  const ms = performance.now() - begunMs;
  if (signal === "SIGKILL") return { as: "killed", ms };
  const problem = signal ?? (await said);
  return { as: child.exitCode === 0 ? "done" : problem, ms };
}
