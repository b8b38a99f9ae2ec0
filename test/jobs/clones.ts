import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bullmqQueue } from "../../src/jobs/bullmq-queue.ts";
import type { Job, JobEvent, Jobs } from "../../src/jobs/job.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import { jobMessage } from "../../src/jobs/message.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { differences, scratch } from "../pipeline/small-site.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { type Daemon, startDaemon } from "../services/daemon.ts";
import { type RedisServer, startRedis } from "../services/redis.ts";

const CHILD = fileURLToPath(new URL("worker-child.ts", import.meta.url));
const ENDED = ["done", "failed", "cancelled"];

/** A small site in a folder, with worker processes that share a ledger and a Redis. */
export interface Clones extends AsyncDisposable {
  readonly world: World;
  readonly redis: RedisServer;
  readonly jobs: Jobs;
  /** Starts one more worker. */
  start(): void;
  /** The process that runs a job, once it has put something. */
  holderOf(id: string): Promise<Daemon>;
  ended(id: string): Promise<Job>;
  events(id: string): Promise<readonly JobEvent[]>;
  /** How the folder differs from a build of nothing but the rows. */
  differences(): Promise<readonly string[]>;
}

export async function startClones(options: {
  readonly posts: number;
  readonly workers: number;
  readonly pauseMs: number;
}): Promise<Clones> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await smallWorld(options.posts));
  const { dir } = world.site;
  const redis = stack.use(await startRedis());
  const ledger = stack.use(await openSqliteLedger(join(dir, "ledger.db")));
  const queue = stack.use(bullmqQueue({ url: redis.url, name: ledger.id }));
  const workers: Daemon[] = [];
  stack.defer(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
  });
  const jobs = openJobs(ledger, {
    pollMs: 20,
    onWaiting: (job) => queue.send([jobMessage(job, Date.now())]),
  });
  const until = async <T>(found: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const value = await found();
      if (value !== undefined) return value;
      await sleep(20);
    }
  };
  const clones = {
    world,
    redis,
    jobs,
    start() {
      const name = `worker-${workers.length + 1}`;
      const args = [CHILD, dir, redis.url, String(options.pauseMs)];
      workers.push(startDaemon({ name, dir, command: [process.execPath, ...args] }));
    },
    holderOf: (id: string) =>
      until(async () => {
        const { holder = "", state } = (await jobs.job(id)) ?? {};
        if (state !== "running" || (await ledger.intents()).length === 0) return undefined;
        return workers.find(({ pid }) => holder.includes(`-${pid}-`));
      }),
    ended: (id: string) =>
      until(async () => {
        const job = await jobs.job(id);
        return job !== undefined && ENDED.includes(job.state) ? job : undefined;
      }),
    events: (id: string) => Array.fromAsync(jobs.events(id, 0, AbortSignal.abort())),
    async differences() {
      const wanted = await scratch(world.site, Date.now() * 1000);
      const bodies = [...wanted].map(([key, { body }]) => [key, Buffer.from(body).toString()]);
      return differences(await filesBelow(join(dir, "out")), Object.fromEntries(bodies));
    },
  };
  for (let count = 0; count < options.workers; count += 1) clones.start();
  const open = stack.move();
  return { ...clones, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** What readers can see of a folder store. */
async function filesBelow(dir: string): Promise<Record<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith("."));
  const read = files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name);
    return [file.slice(dir.length + 1), await readFile(file, "utf8")] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
