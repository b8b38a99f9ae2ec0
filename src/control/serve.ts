import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError } from "../error.ts";
import { codeOf } from "../jobs/code.ts";
import { openJobs } from "../jobs/jobs.ts";
import { jobMessage } from "../jobs/message.ts";
import type { Queue } from "../jobs/queue.ts";
import { runSchedule, type Schedule, type ScheduleOptions } from "../jobs/schedule.ts";
import { type WorkerOptions, work } from "../jobs/worker.ts";
import { checkNames, type Wired } from "../pipeline.ts";
import { type Check, openServer, type ServerOptions, type ServerParts } from "./server.ts";
import { within } from "./within.ts";

/** Whoever asks waits no longer for a queue that does not answer: workers find the job in the ledger. */
const WAKE_MS = 500;

/** What a clone works with. */
interface Opened {
  readonly wired: Wired;
  readonly queue: Queue;
}

export interface ServeOptions extends ServerOptions, Pick<ServerParts, "onAnswer"> {
  /** Ends the server at once, and the worker when what it has in hand is done or handed back. */
  readonly signal: AbortSignal;
  /** It listens at this URL. */
  readonly onListening: (url: string) => void;
  /** Runs jobs, too. */
  readonly worker?: Omit<WorkerOptions, "signal">;
  /** Asks for what is scheduled, too. */
  readonly schedule?: Pick<ScheduleOptions, "emit"> & { readonly schedule: Schedule };
}

/**
 * Serves the HTTP API until the signal, runs jobs and asks for those that are scheduled if it is to. The code of a clone that nobody had
 * before becomes the current one, as a worker's does.
 * @throws PipelineError `config_invalid` when it cannot listen there, `ledger_unavailable`
 */
export async function serve(opened: Opened, options: ServeOptions): Promise<void> {
  const { wired, queue } = opened;
  const { ledger, site } = wired;
  const { signal, worker, schedule } = options;
  const code = codeOf(wired);
  await ledger.meetCode(code, { at: Date.now() * 1000 });
  await using server = await openServer(
    {
      jobs: openJobs(ledger, {
        onWaiting: (job) => within(WAKE_MS, queue.send([jobMessage(job, Date.now())]), undefined),
      }),
      ledger,
      queue,
      checkNames: (names) => checkNames(names, site),
      checks: checksOf(opened, code),
      onAnswer: options.onAnswer,
    },
    options,
  );
  options.onListening(server.url);
  await Promise.all([
    stopped(signal).then(() => server[Symbol.asyncDispose]()),
    worker && work(opened, { ...worker, signal }),
    schedule && runSchedule({ ledger, site, ...schedule }, { signal, sleep: rest, ...schedule }),
  ]);
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** What `/health/ready` looks at. */
function checksOf({ wired, queue }: Opened, code: string): readonly Check[] {
  const { ledger, store } = wired;
  return [
    { name: "ledger", look: async () => void (await ledger.release()) },
    { name: "store", look: () => store.check() },
    { name: "queue", look: async () => void (await queue.counts()) },
    {
      name: "release",
      async look() {
        const current = (await ledger.codes()).find(({ isCurrent }) => isCurrent);
        if (current !== undefined && current.fingerprint !== code) throw outdated();
      },
    },
  ];
}

function outdated(): PipelineError {
  return new PipelineError("release_outdated", "Other code was activated after this.");
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
