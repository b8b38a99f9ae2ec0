import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Longest time any server may take until it answers. */
const START_TIMEOUT_MS = 60_000;

/**
 * Runs beside each server and waits for the end of a pipe that only our process holds. However we end, kill -9
 * included, the pipe closes: the server is killed and its folder removed. The server keeps the shell's own pid.
 */
const GUARD = `exec 3<&0
( read -r _ <&3; kill -KILL "$$"; sleep 0.2; rm -rf -- "$0" ) >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-`;

/** One running program of a test server. */
export interface Daemon {
  readonly pid: number;
  /** Exit code, undefined while it runs; 128 after a signal. */
  readonly exitCode: number | undefined;
  /** Waits for the program's end, however it comes, and gives the exit code. */
  ended(): Promise<number>;
  /** The last 4 kB of what it wrote, for messages about a failed start. */
  log(): string;
  /** Ends it and its children like a power cut (SIGKILL). Safe to repeat. */
  kill(): Promise<void>;
}

/** What to run: `name` is the log's file name, `dir` the private folder that goes when we do. */
export interface DaemonOptions {
  readonly name: string;
  readonly dir: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a program that cannot outlive this process. Debian's server folders are on its PATH, and its temporary
 * files stay in `dir`.
 */
export function startDaemon({ name, dir, command, env }: DaemonOptions): Daemon {
  const logFile = join(dir, `${name}.log`);
  const log = openSync(logFile, "a");
  const path = `${process.env["PATH"]}:/usr/local/sbin:/usr/sbin:/sbin`;
  const child = spawn("/bin/sh", ["-c", GUARD, dir, ...command], {
    cwd: dir,
    env: { ...process.env, TMPDIR: dir, ...env, PATH: path },
    stdio: ["pipe", log, log],
    detached: true,
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`No shell could be started for ${name}.`);
  // Neither the pipe nor the program keeps our process alive.
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  let exitCode: number | undefined;
  const exited = new Promise<number>((resolve) => {
    child.once("exit", (code) => {
      exitCode = code ?? 128;
      killGroup(pid);
      resolve(exitCode);
    });
  });
  return {
    pid,
    get exitCode() {
      return exitCode;
    },
    log: () => readFileSync(logFile, "utf8").slice(-4096),
    async ended() {
      child.ref();
      return exited;
    },
    async kill() {
      killGroup(pid);
      await this.ended();
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * Runs a program to its end under the same guard as a server.
 * @throws Error with the log's end unless it exits with 0.
 */
export async function run(options: DaemonOptions): Promise<void> {
  const daemon = startDaemon(options);
  const code = await daemon.ended();
  if (code !== 0)
    throw new Error(`${options.command.join(" ")} ended with ${code}:\n${daemon.log()}`);
}

/**
 * Asks every 25 ms until `isReady` holds; what it throws counts as no.
 * @throws Error with the log's end when the program exits first or the time is up.
 */
export async function untilReady(daemon: Daemon, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let last: unknown;
  while (Date.now() < deadline) {
    if (daemon.exitCode !== undefined) {
      throw new Error(`The server ended with ${daemon.exitCode}:\n${daemon.log()}`);
    }
    const ready = await isReady().catch((error: unknown) => {
      last = error;
      return false;
    });
    if (ready) return;
    await sleep(25);
  }
  throw new Error(`The server does not answer:\n${daemon.log()}`, { cause: last });
}

/** Makes a private folder under the system's temporary one, e.g. `/tmp/nightbake-varnish-x7Kq2a`. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `nightbake-${name}-`));
}

/** Removes a folder that a killed program may still be writing to. */
export async function removeFolder(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** Finds a free port of 127.0.0.1. Another process may take it first, so pair it with `onFreePort`. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}

/** Starts something up to three times, as long as it fails because its port was taken meanwhile. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === 3 || !/in use|EADDRINUSE|unable to bind|bind error/i.test(String(error)))
        throw error;
    }
  }
}
