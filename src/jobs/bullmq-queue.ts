import { Queue as BullQueue, Worker as BullWorker, DelayedError, type Job } from "bullmq";
import { Redis } from "ioredis";
import { PipelineError } from "../error.ts";
import { LANES, type Lane } from "./job.ts";
import {
  AGED_MS,
  FAILED_MS,
  type Handled,
  impatient,
  type Message,
  type Queue,
  type Workable,
} from "./queue.ts";

/** A worker that does not renew its lock for so long is taken for dead, and its messages go to others. */
const LOCK_MS = 6_000;
/** How often each worker looks for such messages. */
const STALLED_MS = 3_000;
/** A message may be lost by any number of workers: whether it is to be given up, its handler says. */
const MAX_STALLED = 1_000_000;
/** Redis that does not answer for so long is out of reach; what is sent then is found in the ledger. */
const SEND_MS = 3_000;
/** Between two tries to work on while Redis is away; BullMQ waits 15 seconds unless it is told. */
const RETRY_MS = 1_000;
/** Delayed messages that are counted by lane. */
const MOST_COUNTED = 1_000;

type Data = Pick<Message, "lane" | "body">;
type Bull = BullQueue<Data, undefined, "message">;

/**
 * A queue in Redis, for any number of workers anywhere; those of one `name` share it. Redis may be
 * emptied or restarted at any time.
 */
export function bullmqQueue(options: {
  /** `redis://…` */
  readonly url: string;
  readonly name: string;
  readonly nowMs?: () => number;
}): Queue {
  const { url, name, nowMs = () => Date.now() } = options;
  // In braces, so that a cluster keeps all keys of one queue on one node.
  const where = { prefix: `{nightbake-${name}}`, skipVersionCheck: true };
  const client = connect(url, { maxRetriesPerRequest: 1 });
  const queue: Bull = new BullQueue("messages", { connection: client, ...where });
  queue.on("error", () => {});
  const age = openAgeing({ queue, client, key: `${where.prefix}:aged`, nowMs });
  return {
    async send(messages) {
      const jobs = messages.map(({ id, lane, body, delayMs = 0 }) => ({
        name: "message" as const,
        data: { lane, body },
        opts: {
          ...{ jobId: id, priority: priorityOf(lane), delay: delayMs, timestamp: nowMs() },
          ...{ removeOnComplete: true, removeOnFail: true },
        },
      }));
      await answered(queue.addBulk(jobs));
    },
    async work(handle, workable) {
      await age().catch(() => undefined);
      const connection = connect(url, { maxRetriesPerRequest: null });
      await workUntil(
        { connection, ...where },
        workable,
        async (job, token) => {
          const { id = "", data } = job;
          const handled = await handle({ id, ...data }).catch(() => ({ againMs: FAILED_MS }));
          await age().catch(() => undefined);
          await handBack(job, token, handled);
        },
        age,
      );
      connection.disconnect();
    },
    counts: () => answered(countsOf(queue)),
    async [Symbol.asyncDispose]() {
      await queue.close().catch(() => undefined);
      client.disconnect();
    },
  };
}

function connect(url: string, options: { readonly maxRetriesPerRequest: number | null }): Redis {
  const client = new Redis(url, {
    ...options,
    retryStrategy: (tries) => Math.min(tries * 100, 1000),
  });
  // It connects again by itself.
  return client.on("error", () => {});
}

/** Works until the signal, then until the last message is handled. */
async function workUntil(
  where: {
    readonly connection: Redis;
    readonly prefix: string;
    readonly skipVersionCheck: boolean;
  },
  { concurrency, signal }: Workable,
  handle: (job: Job<Data>, token: string | undefined) => Promise<void>,
  age: () => Promise<void>,
): Promise<void> {
  if (signal.aborted) return;
  const worker = new BullWorker<Data>("messages", handle, {
    ...{ ...where, concurrency, runRetryDelay: RETRY_MS },
    ...{ lockDuration: LOCK_MS, stalledInterval: STALLED_MS, maxStalledCount: MAX_STALLED },
  });
  worker.on("error", () => {});
  const timer = setInterval(() => void age().catch(() => undefined), AGED_MS);
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  clearInterval(timer);
  await worker.close();
}

async function handBack(job: Job<Data>, token: string | undefined, handled: Handled) {
  if (handled === undefined) return;
  await job.moveToDelayed(Date.now() + handled.againMs, token);
  throw new DelayedError();
}

/** Lets a message that waited too long go before all others, now and then, whoever asks. */
function openAgeing(of: {
  readonly queue: Bull;
  readonly client: Redis;
  readonly key: string;
  readonly nowMs: () => number;
}): () => Promise<void> {
  const { queue, client, key, nowMs } = of;
  let askedMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = nowMs();
    if (now - askedMs < AGED_MS) return;
    askedMs = now;
    if (now - Number((await client.get(key)) ?? 0) < AGED_MS) return;
    const firsts = await firstsOf(queue);
    const waits = new Map([...firsts].map(([lane, { timestamp }]) => [lane, now - timestamp]));
    const lane = impatient(waits);
    if (lane === undefined) return;
    await client.set(key, now);
    // BullMQ takes those without a priority first.
    await firsts.get(lane)?.changePriority({ priority: 0 });
  };
}

/** Of each lane the message that was sent first. */
async function firstsOf(queue: Bull): Promise<ReadonlyMap<Lane, Job<Data>>> {
  const counts = await queue.getCountsPerPriority(LANES.map(priorityOf));
  const firsts = new Map<Lane, Job<Data>>();
  let before = 0;
  for (const lane of LANES) {
    const count = counts[priorityOf(lane)] ?? 0;
    const [first] = count === 0 ? [] : await queue.getJobs(["prioritized"], before, before, true);
    if (first !== undefined) firsts.set(lane, first as Job<Data>);
    before += count;
  }
  return firsts;
}

async function countsOf(queue: Bull): Promise<Readonly<Record<Lane, number>>> {
  const [prioritized, others] = await Promise.all([
    queue.getCountsPerPriority(LANES.map(priorityOf)),
    queue.getJobs(["delayed", "waiting"], 0, MOST_COUNTED),
  ]);
  const of = (lane: Lane) =>
    (prioritized[priorityOf(lane)] ?? 0) + others.filter(({ data }) => data.lane === lane).length;
  return {
    takedown: of("takedown"),
    editor: of("editor"),
    live: of("live"),
    nightly: of("nightly"),
  };
}

/** BullMQ's smallest goes first; 0 is none. */
function priorityOf(lane: Lane): number {
  return LANES.indexOf(lane) + 1;
}

/** @throws PipelineError `queue_unavailable` when there is no answer in time */
async function answered<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${SEND_MS} ms`)), SEND_MS);
  });
  try {
    return await Promise.race([asked, late]);
  } catch (cause) {
    // What comes later is nobody's any more.
    asked.catch(() => undefined);
    const message = "Redis does not answer.";
    const hint = "Check REDIS_URL; jobs are kept in the ledger, and workers find them there.";
    throw new PipelineError("queue_unavailable", message, { hint, cause });
  } finally {
    clearTimeout(timer);
  }
}
