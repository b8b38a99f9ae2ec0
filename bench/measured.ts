import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { RowsRead } from "./rows-read.ts";

const USAGE = new URL("usage.ts", import.meta.url).href;
const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

/** What one run of the command cost. Servers that it talks to are not in it, but for the wall. */
export interface Cost {
  /** From spawn to exit, Node's own start included. */
  readonly wallSeconds: number;
  /** User and system time. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly rowsRead: RowsRead;
}

/** A cost, and the standard output's lines of JSON. */
export interface Measured extends Cost {
  readonly lines: readonly Record<string, unknown>[];
}

/**
 * Runs `nightbake ARGS` in a process of its own with no settings but `env`.
 * @throws Error with its last words when nothing was published
 */
export async function measured(
  args: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Promise<Measured> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ["--import", USAGE, MAIN, ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const ended = once(child, "exit").then(([code]) => ({ code, at: performance.now() }));
  const streams = [child.stdout, child.stderr, child.stdio[3]] as readonly Readable[];
  const [out = "", err = "", usage = ""] = await Promise.all(streams.map((each) => text(each)));
  const { code, at } = await ended;
  // 1 is for rows that failed: the corpus has some.
  if (code !== 0 && code !== 1)
    throw new Error(`nightbake ${args.join(" ")}: ${code}\n${out}${err}`);
  const used: NodeJS.ResourceUsage & Pick<Cost, "rowsRead"> = JSON.parse(usage);
  const { userCPUTime, systemCPUTime, maxRSS, rowsRead } = used;
  return {
    wallSeconds: (at - startedAt) / 1000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakBytes: maxRSS * 1024,
    rowsRead,
    lines: out.split("\n").flatMap((line) => (line === "" ? [] : JSON.parse(line))),
  };
}
