import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Job, type Jobs, LANES } from "../../src/jobs/job.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import { jobMessage } from "../../src/jobs/message.ts";
import { openSqs } from "../../src/jobs/sqs-client.ts";
import { sqsQueue } from "../../src/jobs/sqs-queue.ts";
import { type Environment, type Invocation, meetCode } from "../../src/lambda/environment.ts";
import type { BatchAnswer, QueueEvent } from "../../src/lambda/event.ts";
import type { Clock } from "../../src/lambda/hand-on.ts";
import { helpRecords } from "../../src/lambda/help.ts";
import { runRecords } from "../../src/lambda/run.ts";
import type { Wired } from "../../src/pipeline.ts";
import type { Fauxqs, Queues } from "../services/fauxqs.ts";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const VISIBLE_S = 900;

type Told = { readonly event: string } & Readonly<Record<string, unknown>>;

/** The functions of one site, invoked as Lambda does for its queues: by hand, one message at a time. */
export interface Functions extends AsyncDisposable {
  readonly queues: Queues;
  readonly jobs: Jobs;
  readonly told: readonly Told[];
  /** What a function keeps that works with these parts. */
  environment(wired: Wired): Promise<Environment>;
  invocation(clock?: Clock): Invocation;
  /** Invokes the function of a queue with its next message; undefined when there is none. */
  invoke(queue: string, environment: Environment, clock?: Clock): Promise<BatchAnswer | undefined>;
  /** Invokes `run` until the job has ended; gives it. */
  ended(id: string, environment: Environment, clock?: () => Clock): Promise<Job>;
}

/** Lambda's clock, of a function that has just begun. */
export const CALM: Clock = { remainingMs: () => 900_000, alarm: () => () => {} };

export function openFunctions(server: Fauxqs, wired: Wired, helpers = 3): Functions {
  const queues = server.createQueues();
  const sqs = openSqs({ url: queues.url, credentials });
  const queue = sqsQueue({ url: queues.url, credentials });
  const told: Told[] = [];
  const jobs = openJobs(wired.ledger, {
    onWaiting: (job) => queue.send([jobMessage(job, Date.now())]),
  });
  const invocation = (clock = CALM) => ({
    ...{ request: randomUUID(), clock },
    emit: (event: object) => void told.push(event as Told),
  });
  const invoke: Functions["invoke"] = async (name, environment, clock) => {
    const { signal } = new AbortController();
    const of = { waitSeconds: 0, visibleSeconds: VISIBLE_S, signal };
    const received = await sqs.receive(name, of);
    if (received === undefined) return undefined;
    const work = name === "help" ? helpRecords : runRecords;
    const answer = await work(environment, eventOf(received.text), invocation(clock));
    if (answer.batchItemFailures.length === 0) await sqs.delete(name, received.receipt);
    return answer;
  };
  return {
    ...{ queues, jobs, told, invocation, invoke },
    environment: (parts) => meetCode({ wired: parts, queue, helpers }),
    async ended(id, environment, clock = () => CALM) {
      for (;;) {
        const job = await jobs.job(id);
        if (job !== undefined && !["waiting", "running"].includes(job.state)) return job;
        for (const lane of LANES) await invoke(lane, environment, clock());
        await sleep(5);
      }
    },
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      sqs[Symbol.dispose]();
    },
  };
}

/** Messages as Lambda hands them over. */
export function eventOf(...bodies: readonly string[]): QueueEvent {
  return { Records: bodies.map((body, at) => ({ messageId: `message-${at}`, body })) };
}
