import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../test/services/daemon.ts";
import { type MariaDb, startMariaDb } from "../test/services/mariadb.ts";

/** Enough for the rows of a million articles. */
const ROOM = ["--innodb-buffer-pool-size=8G", "--innodb-log-file-size=2G"];

/** A MariaDB whose data stays in `dir` when it is ended, and is there the next time. */
export async function startKeptMariaDb(
  dir: string,
  args: readonly string[] = [],
): Promise<MariaDb> {
  const [data, pid] = [join(dir, "data"), join(dir, "pid")];
  if (!existsSync(join(data, "mysql"))) await install(dir, data);
  // The last word counts.
  const own = [`--datadir=${data}`, `--pid-file=${pid}`];
  const server = await startMariaDb({ args: [...ROOM, ...own, ...args] });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      // What is in memory is written before it ends.
      await server.query("SHUTDOWN");
      while (existsSync(pid)) await sleep(100);
      await server[Symbol.asyncDispose]();
    },
  };
}

async function install(dir: string, data: string): Promise<void> {
  rmSync(data, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  const flags = ["--auth-root-authentication-method=normal", "--skip-test-db", ...user];
  const command = ["mariadb-install-db", "--no-defaults", `--datadir=${data}`, ...flags] as const;
  await run({ name: "install", dir, command });
}
