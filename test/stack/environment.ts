import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("environment-child.ts", import.meta.url));

/** An event for a function, on its way to the process. */
export interface Asked {
  readonly id: string;
  /** Of the function, as the bundle exports it. */
  readonly name: string;
  readonly event: unknown;
  /** Until it is killed. */
  readonly remainingMs: number;
}

export interface Invocation {
  /** @throws Error when the function threw, died or took too long */
  readonly answer: Promise<unknown>;
  /** Ends the process at once, in the middle of whatever it does. */
  kill(): void;
}

export interface FunctionOptions {
  readonly name: string;
  /** Where the bundle is. */
  readonly folder: string;
  readonly env: () => Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Hears what the function logs, line by line. */
  readonly onLog: (line: string) => void;
}

/** A function and the environments that it runs in: as many as there are invocations at once. */
export interface LocalFunction extends AsyncDisposable {
  invoke(event: unknown): Invocation;
}

/** Runs a function as Lambda does: an environment has one invocation at a time and is used again. */
export function localFunction(options: FunctionOptions): LocalFunction {
  const all = new Set<ChildProcess>();
  const idle: ChildProcess[] = [];
  const start = () => {
    const child = fork(CHILD, {
      cwd: options.folder,
      env: { PATH: process.env["PATH"], ...options.env() },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream
        ?.setEncoding("utf8")
        .on("data", (text: string) => text.split("\n").forEach(options.onLog));
    }
    all.add(child);
    child.once("close", () => all.delete(child));
    return child;
  };
  return {
    invoke(event) {
      const child = idle.pop() ?? start();
      const asked = { id: randomUUID(), name: options.name, event, remainingMs: options.timeoutMs };
      const answer = answerOf(child, asked).finally(() => {
        if (child.connected && !child.killed) idle.push(child);
      });
      return { answer, kill: () => void child.kill("SIGKILL") };
    },
    async [Symbol.asyncDispose]() {
      const ends = [...all].map((child) => once(child, "close"));
      for (const child of all) child.kill("SIGKILL");
      await Promise.all(ends);
    },
  };
}

async function answerOf(child: ChildProcess, asked: Asked): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const hear = (told: { id: string; answer?: unknown; error?: string }) => {
    if (told.id === "ready") child.send(asked);
    if (told.id !== asked.id) return;
    if (told.error === undefined) resolve(told.answer);
    else reject(new Error(told.error));
  };
  const die = () => reject(new Error("The function died."));
  const late = setTimeout(() => child.kill("SIGKILL"), asked.remainingMs);
  child.on("message", hear).once("close", die);
  // One that is used again has told long ago that it is ready.
  if (used.has(child)) child.send(asked);
  used.add(child);
  return await promise.finally(() => {
    clearTimeout(late);
    child.off("message", hear).off("close", die);
  });
}

/** Environments that have answered before. */
const used = new WeakSet<ChildProcess>();
