import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import {
  onFreePort,
  removeFolder,
  run,
  startDaemon,
  temporaryFolder,
  untilReady,
} from "./daemon.ts";

/** A process of its own that starts a program which has a child, tells their pids and waits. */
const OWNER = `
  import { startDaemon, temporaryFolder } from "${new URL("daemon.ts", import.meta.url)}";
  const dir = temporaryFolder("owner");
  const daemon = startDaemon({ name: "sleeper", dir, command: ["sleep", "300"] });
  console.log(JSON.stringify({ dir, pid: daemon.pid }));
  setInterval(() => {}, 1000);
`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)(
  "a program and its folder go when their owner ends by %s",
  async (signal) => {
    const args = ["--input-type=module-typescript", "-e", OWNER];
    const owner = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await owner.stdout.take(1).toArray();
    const { dir, pid } = JSON.parse(String(line));
    expect(isAlive(pid)).toBe(true);

    owner.kill(signal);

    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 5000);
    await vi.waitFor(() => expect(existsSync(dir)).toBe(false), 5000);
  },
);

test("kill ends a program with its children and leaves no guard", async () => {
  const dir = temporaryFolder("family");
  const command = ["sh", "-c", "sleep 300 & sleep 300"] as const;
  const daemon = startDaemon({ name: "family", dir, command });

  await daemon.kill();

  await vi.waitFor(async () => {
    const { stdout } = await promisify(execFile)("ps", ["-eo", "pgid=,stat="]);
    const left = stdout.split("\n").filter((line) => line.trim().startsWith(`${daemon.pid} `));
    expect(left.filter((line) => !line.includes("Z"))).toEqual([]);
  });
  await removeFolder(dir);
});

test("a program that fails shows its last words", async () => {
  const dir = temporaryFolder("failing");
  const command = ["sh", "-c", "echo no such disk; exit 3"] as const;

  await expect(run({ name: "failing", dir, command })).rejects.toThrow(
    /ended with 3:\nno such disk/,
  );
  const daemon = startDaemon({ name: "failing", dir, command });
  await expect(untilReady(daemon, async () => false)).rejects.toThrow(/no such disk/);
  await removeFolder(dir);
});

test("a start is tried again on another port when its own was taken", async () => {
  const tried: number[] = [];

  const server = await onFreePort(async (port) => {
    tried.push(port);
    if (tried.length < 3) throw new Error("bind: Address already in use");
    return createServer().listen(port, "127.0.0.1");
  });

  expect(new Set(tried).size).toBe(3);
  server.close();
});
