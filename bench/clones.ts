import { mkdirSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bullmqQueue } from "../src/jobs/bullmq-queue.ts";
import { openJobs } from "../src/jobs/jobs.ts";
import { jobMessage } from "../src/jobs/message.ts";
import { openSqliteLedger } from "../src/ledger/sqlite.ts";
import { openSqliteTarget } from "../src/source/sqlite-target.ts";
import {
  type Daemon,
  removeFolder,
  startDaemon,
  temporaryFolder,
} from "../test/services/daemon.ts";
import { startRedis } from "../test/services/redis.ts";
import { bulkLoad } from "./bulk-load.ts";
import { corpusTimes } from "./data-sets.ts";

const HELP = `Builds the corpus by workers that share a ledger file, a folder and a Redis, while one of them is killed with
-9, one is stopped by SIGTERM, and Redis is restarted and emptied. Tells how long each was felt, and compares at the end.

  node bench/clones.ts [--copies N] [--workers N]

  --copies   of the corpus (default 5)
  --workers  processes (default 3); a killed one is started again
`;
const SITE = fileURLToPath(new URL("../site.config.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
/** Pages of the corpus. */
const PAGES = 6_700;

const { values } = parseArgs({
  options: {
    copies: { type: "string", default: "5" },
    workers: { type: "string", default: "3" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main(Number(values.copies), Number(values.workers));

async function main(copies: number, workerCount: number): Promise<void> {
  const dir = temporaryFolder("clones");
  try {
    await measure(dir, copies, workerCount);
  } finally {
    await removeFolder(dir);
  }
}

async function measure(dir: string, copies: number, workerCount: number): Promise<void> {
  const home = join(dir, "home");
  mkdirSync(home);
  await using redis = await startRedis();
  const target = await openSqliteTarget(join(home, "source.db"));
  await bulkLoad(SITE, target, corpusTimes(copies));
  await target[Symbol.asyncDispose]();
  const env = { NIGHTBAKE_HOME: home, OUT_DIR: join(dir, "out"), REDIS_URL: redis.url };
  await using ledger = await openSqliteLedger(join(home, "ledger.db"));
  await using queue = bullmqQueue({ url: redis.url, name: ledger.id });
  const onWaiting = (job: Parameters<typeof jobMessage>[0]) =>
    queue.send([jobMessage(job, Date.now())]);
  const jobs = openJobs(ledger, { onWaiting });

  const workers: Daemon[] = [];
  const start = () => {
    const args = ["worker", "--grace", "2", "--config", SITE, "--json"];
    const name = `worker-${workers.length}`;
    workers.push(startDaemon({ name, dir, env, command: [process.execPath, MAIN, ...args] }));
  };
  for (let count = 0; count < workerCount; count += 1) start();
  const startedMs = Date.now();
  const { job } = await jobs.submit({ work: { is: "build", allowDeletes: true }, lane: "nightly" });
  const say = (text: string) => {
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
    console.log(`${seconds.padStart(7)} s  load ${loadavg()[0]?.toFixed(0)}  ${text}`);
  };
  const live = () => ledger.countLive();
  const isOver = async () => (await jobs.job(job.id))?.finishedAt !== undefined;
  const untilLive = async (pages: number) => {
    while ((await live()) < pages && !(await isOver())) await sleep(100);
  };
  const holder = async () => {
    for (;;) {
      const { holder: name = "", state } = (await jobs.job(job.id)) ?? {};
      const found = workers.find(({ pid }) => state === "running" && name.includes(`-${pid}-`));
      if (found !== undefined) return found;
      await sleep(50);
    }
  };
  /** How long it takes until somebody else runs the job, and until another page is live. */
  const replaced = async (what: string, before: Daemon) => {
    const atMs = Date.now();
    const pages = await live();
    while ((await holder()) === before) await sleep(50);
    const ran = (Date.now() - atMs) / 1000;
    while ((await live()) === pages) await sleep(50);
    say(
      `${what}: another ran the job after ${ran.toFixed(1)} s, published after ${((Date.now() - atMs) / 1000).toFixed(1)} s`,
    );
  };
  const goesOn = async (what: string) => {
    const [atMs, pages] = [Date.now(), await live()];
    while ((await live()) === pages && !(await isOver())) await sleep(50);
    say(`${what}: the next page was live after ${((Date.now() - atMs) / 1000).toFixed(1)} s`);
  };
  const all = PAGES * copies;

  await untilLive(all * 0.15);
  const killed = await holder();
  await killed.kill();
  await replaced("kill -9", killed);
  start();
  await untilLive(all * 0.4);
  const stopped = await holder();
  process.kill(stopped.pid, "SIGTERM");
  await replaced("SIGTERM", stopped);
  start();
  await untilLive(all * 0.6);
  await redis.kill();
  await sleep(2000);
  await redis.start();
  await goesOn("Redis away for 2 s");
  await untilLive(all * 0.8);
  await redis.flush();
  await goesOn("Redis emptied");
  while (!(await isOver())) await sleep(100);
  const { outcome, state, attempts } = (await jobs.job(job.id)) ?? {};
  say(`${state} in ${attempts} attempts: ${await live()} pages live, ${outcome?.failed} failed`);
  if (state !== "done") for (const worker of workers) console.log(worker.log().slice(-800));
  await Promise.all(workers.map((worker) => worker.kill()));

  for (const args of [
    ["build", "--verify"],
    ["verify", "--sample", "all"],
  ]) {
    const command = [process.execPath, MAIN, ...args, "--config", SITE] as const;
    const check = startDaemon({ name: args[0] ?? "", dir, env, command });
    const code = await check.ended();
    // Copies of the corpus have pages that fail: then it is 1 though nothing differs.
    say(`nightbake ${args.join(" ")}: exit code ${code}\n${check.log().slice(-300)}`);
  }
  say(`releases: ${await ledger.release()}`);
}
