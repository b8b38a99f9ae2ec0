import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));

/** What a process tells, see `child.ts`. */
export type Told = Readonly<Record<string, unknown>> & { readonly event: string };

/** A process that publishes or helps. */
export interface Member extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly told: readonly Told[];
  /** Fulfilled when it has told this event so many times. @throws Error when it ends before */
  heard(event: string, times?: number): Promise<void>;
  /** Fulfilled when the process has ended. */
  readonly ended: Promise<void>;
}

/** Starts a process; it is killed when disposed. */
export function startMember(role: "build" | "help", env: Readonly<Record<string, string>>): Member {
  const child = spawn(process.execPath, [CHILD, role], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told: Told[] = [];
  const waiting = new Set<() => void>();
  const look = () => {
    for (const each of waiting) each();
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    told.push(JSON.parse(line) as Told);
    look();
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve())).then(look);
  return {
    child,
    told,
    ended,
    heard: (event, times = 1) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const isHeard = told.filter((each) => each.event === event).length >= times;
          const isOver = child.exitCode !== null || child.signalCode !== null;
          if (isHeard) resolve();
          else if (isOver) reject(new Error(`It ended before it told ${event}.`));
          else return;
          waiting.delete(check);
        };
        waiting.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
