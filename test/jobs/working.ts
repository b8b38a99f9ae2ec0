import { setTimeout as sleep } from "node:timers/promises";
import type { Job, JobRequest, Jobs } from "../../src/jobs/job.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import { memoryQueue } from "../../src/jobs/memory-queue.ts";
import { jobMessage } from "../../src/jobs/message.ts";
import type { Queue } from "../../src/jobs/queue.ts";
import { type WorkerEvent, type WorkerOptions, work } from "../../src/jobs/worker.ts";
import type { Wired } from "../../src/pipeline.ts";

/** A worker in this process. */
export interface Working extends AsyncDisposable {
  readonly jobs: Jobs;
  readonly events: readonly WorkerEvent[];
  /** Submits and waits for the end; gives the job. */
  done(request: JobRequest): Promise<Job>;
  /** Waits until a job's state is another one. */
  ended(id: string): Promise<Job>;
  /** As by SIGTERM; ends when the worker has. */
  stop(): Promise<void>;
}

/** Starts a worker over a pipeline that is already open; it ends with the result. */
export function startWorking(
  wired: Wired,
  options: Partial<WorkerOptions> & { readonly queue?: Queue } = {},
): Working {
  const { queue = memoryQueue(), ...own } = options;
  const abort = new AbortController();
  const events: WorkerEvent[] = [];
  const working = work(
    { wired, queue },
    {
      ...{ concurrency: 2, graceMs: 0, sweepMs: 50, signal: abort.signal },
      emit: (event) => events.push(event),
      ...own,
    },
  );
  const jobs = openJobs(wired.ledger, {
    pollMs: 10,
    onWaiting: (job) => queue.send([jobMessage(job, Date.now())]),
  });
  const ended = async (id: string) => {
    for (;;) {
      const job = await jobs.job(id);
      if (job !== undefined && !["waiting", "running"].includes(job.state)) return job;
      await Promise.race([sleep(10), working]);
    }
  };
  const stop = async () => {
    abort.abort();
    await working;
  };
  return {
    jobs,
    events,
    ended,
    async done(request) {
      return await ended((await jobs.submit(request)).job.id);
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await queue[Symbol.asyncDispose]();
    },
  };
}
