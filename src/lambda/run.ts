import { PipelineError } from "../error.ts";
import type { Worker } from "../jobs/open-worker.ts";
import type { Handled } from "../jobs/queue.ts";
import { runMessage } from "../jobs/run-message.ts";
import { type SentMessage, sentMessage } from "../jobs/sqs-message.ts";
import { eachRecord } from "./batch.ts";
import { type Environment, type Invocation, withEnvironment, workerOf } from "./environment.ts";
import type { BatchAnswer, Context, QueueEvent } from "./event.ts";
import { HAND_ON_MS, openTime } from "./hand-on.ts";

/** Before a message comes again for which there was no time at all, lest functions do nothing else. */
const SHORT_MS = 60_000;

/** One invocation of the function `run`. */
export function runEvent(event: QueueEvent, context: Context): Promise<BatchAnswer> {
  return withEnvironment(context, (opened, invocation) => runRecords(opened, event, invocation));
}

/**
 * Runs the jobs that messages name, as far as there is time; what is left is sent again for the next
 * invocation. Names the messages that are none of ours, or whose job could not be looked at.
 */
export async function runRecords(
  opened: Environment,
  event: QueueEvent,
  invocation: Invocation,
): Promise<BatchAnswer> {
  const { clock, emit } = invocation;
  using time = openTime(clock);
  const isShort = time.signal.aborted;
  if (isShort) emit({ event: "trouble", error: tooShort() });
  const worker = workerOf(opened, invocation, time.signal);
  return await eachRecord(event, emit, async ({ body }) => {
    const sent = sentMessage(body);
    const handled = isShort ? { againMs: SHORT_MS } : await handle(worker, sent);
    if (handled === undefined) return;
    await opened.queue.send([{ ...sent.message, delayMs: handled.againMs }]);
  });
}

async function handle(worker: Worker, { message, readyMs }: SentMessage): Promise<Handled> {
  const earlyMs = readyMs - Date.now();
  if (earlyMs > 0) return { againMs: earlyMs };
  let isOutdated = false;
  const onOutdated = () => {
    isOutdated = true;
  };
  const handled = await runMessage(worker, message, onOutdated);
  if (!isOutdated) return handled;
  // Functions with the current code find the job when the next minute's tick sends it.
  worker.emit({ event: "trouble", error: outdated(worker.code) });
  return undefined;
}

function tooShort(): PipelineError {
  const message = `The function has less than the ${HAND_ON_MS / 1000} seconds that it needs to hand on.`;
  return new PipelineError("config_invalid", message, {
    hint: "Set its timeout to 900 seconds, or at least to several minutes.",
  });
}

function outdated(code: string): PipelineError {
  const message = "Other code than this function's is the current one.";
  return new PipelineError("release_outdated", message, {
    hint: "Deploy what is current, or let this be: `nightbake code activate CODE`, see `nightbake code`.",
    at: { code },
  });
}
