import type { Config } from "../config.ts";
import { type Answering, type Memory, newMemory, openAnswering } from "../control/server.ts";
import { within } from "../control/within.ts";
import type { Job } from "../jobs/job.ts";
import { openJobs } from "../jobs/jobs.ts";
import { jobMessage } from "../jobs/message.ts";
import type { Queue } from "../jobs/queue.ts";
// From its own file: a function that makes no pages does not load the pipeline.
import { checkNames } from "../pipeline/check-names.ts";
import { type OpenedHistory, openHistory } from "../wiring-ledger.ts";
import { openQueue } from "../wiring-queue.ts";
import { tell } from "./log.ts";
import { once } from "./once.ts";
import { openBySettings } from "./settings.ts";

/** A function is frozen when it has answered, so whoever asks waits for the message to be sent, but no longer. */
const WAKE_MS = 3_000;

/** Whether streams wait for what comes; and where others do. */
type DeskOptions = Pick<Config, "requestsPerMinute" | "eventsUrl"> & {
  readonly streams: "open" | "brief";
  readonly memory?: Memory;
};

let memory: Memory | undefined;

/**
 * Opens what answers the HTTP API for one invocation, see {@link deskOf}. It is closed with it, as with the other
 * functions; who asks how often is remembered.
 * @throws PipelineError `config_invalid`, `config_unavailable`, `ledger_unavailable`, `ledger_rejected`
 */
export function openDesk(streams: "open" | "brief"): Promise<Answering> {
  return openBySettings(async (config) => {
    await using parts = new AsyncDisposableStack();
    const opened = parts.use(await openHistory(config));
    memory ??= newMemory(config.requestsPerMinute);
    const queue = async () => open.use(await openQueue(config, opened.ledger));
    const desk = parts.use(await deskOf(opened, queue, { ...config, streams, memory }));
    const open = parts.move();
    return { ...desk, [Symbol.asyncDispose]: () => open.disposeAsync() };
  });
}

/**
 * Answers from the ledger, and opens the queue when something is sent. It makes no pages, so it is neither
 * current nor outdated code.
 */
export async function deskOf(
  { ledger, site }: Pick<OpenedHistory, "ledger" | "site">,
  openQueue: () => Promise<Pick<Queue, "send" | "counts">>,
  options: DeskOptions,
): Promise<Answering> {
  const queue = once(openQueue);
  const wake = async (job: Job) => await (await queue()).send([jobMessage(job, Date.now())]);
  return await openAnswering(
    {
      jobs: openJobs(ledger, { onWaiting: (job) => within(WAKE_MS, wake(job), undefined) }),
      ledger,
      queue: { counts: async () => await (await queue()).counts() },
      checkNames: (names) => checkNames(names, site),
      checks: [{ name: "ledger", look: async () => void (await ledger.release()) }],
      onAnswer: (answered) => tell({ event: "request", ...answered }),
    },
    options,
  );
}
