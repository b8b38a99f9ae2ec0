import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openSqliteLedger } from "../src/ledger/sqlite.ts";
import { type FollowedSite, SITE_ARGS } from "./followed-site.ts";

const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

/** A `nightbake follow` of its own. */
export interface Follower extends AsyncDisposable {
  readonly pid: number;
  /** Waits for the next release after this call. */
  nextRelease(): Promise<void>;
  /** Waits until all that the database's log had when it was called is published. */
  caughtUp(): Promise<void>;
}

/**
 * Starts it; it has done the rebuild it begins with, and hears of what is committed from now on.
 * @throws Error when it ends by itself
 */
export async function startFollower(
  { at, ledgerFile }: FollowedSite,
  position: () => Promise<string>,
): Promise<Follower> {
  const child = spawn(process.execPath, [MAIN, "follow", ...SITE_ARGS], {
    cwd: at.cwd,
    env: { PATH: process.env["PATH"] ?? "", ...at.env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines: string[] = [];
  const exited = once(child, "exit");
  const failed = exited.then(([code]): never => {
    throw new Error(`It ended with ${code}:\n${lines.slice(-LAST_LINES).join("\n")}`);
  });
  failed.catch(() => {});
  const ledger = await openSqliteLedger(ledgerFile);
  const waiting: { readonly for: RegExp; readonly resolve: () => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const each of [...waiting]) {
      if (!each.for.test(line)) continue;
      waiting.splice(waiting.indexOf(each), 1);
      each.resolve();
    }
  });
  const said = (text: RegExp) =>
    Promise.race([failed, new Promise<void>((resolve) => waiting.push({ for: text, resolve }))]);
  await Promise.all([said(/is followed from/), said(/"event":"summary"/)]);
  return {
    pid: child.pid ?? 0,
    nextRelease: () => said(/"event":"summary".*"release":/),
    async caughtUp() {
      const until = numberOf(await position());
      const isThere = async () =>
        numberOf((await ledger.toldUpTo()) ?? "") >= until && (await ledger.told(1)).length === 0;
      while (!(await isThere())) await Promise.race([failed, pause(POLL_MS)]);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
      await ledger[Symbol.asyncDispose]();
    },
  };
}

const POLL_MS = 10;
const LAST_LINES = 5;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Of a GTID of MariaDB. */
function numberOf(position: string): number {
  return Number(position.split("-").at(-1));
}
