import { setTimeout as sleep } from "node:timers/promises";
import type { BatchAnswer } from "../../src/lambda/event.ts";
import type { Random } from "../services/random.ts";
import type { LocalMessage, LocalQueue } from "./local-queues.ts";

/** How messages come to a function. */
export interface Delivering {
  readonly call: (event: unknown) => Promise<unknown>;
  /** Invocations at once. */
  readonly most: number;
  readonly signal: AbortSignal;
  readonly random: Random;
  /** Share of the messages that are given to two invocations at once. */
  readonly twice: number;
  /** Messages are held back for up to so long, so that they overtake each other. */
  readonly heldMs: number;
}

/** Between two looks at an empty queue. */
const POLL_MS = 50;

/**
 * Gives a queue's messages to a function until the signal, and deletes those that it does not name as
 * failed. What it fails, and what it dies of, comes again.
 */
export async function deliver(queue: LocalQueue, options: Delivering): Promise<void> {
  const { most, signal, random, heldMs } = options;
  const inHand = new Set<Promise<void>>();
  const begin = (message: LocalMessage) => {
    const work = sleep(random() * heldMs)
      .then(() => give(queue, message, options))
      .catch(() => undefined)
      .finally(() => inHand.delete(work));
    inHand.add(work);
  };
  while (!signal.aborted) {
    const messages = inHand.size < most ? await queue.receive().catch(() => []) : [];
    for (const message of messages) begin(message);
    if (messages.length === 0) await sleep(POLL_MS);
  }
  await Promise.all(inHand);
}

async function give(
  queue: LocalQueue,
  message: LocalMessage,
  { call, random, twice }: Delivering,
): Promise<void> {
  const event = { Records: [{ ...message, eventSource: "aws:sqs" }] };
  const calls = Array.from({ length: random() < twice ? 2 : 1 }, () => call(event));
  const answers = (await Promise.all(calls)) as readonly BatchAnswer[];
  const isFailed = answers.some(({ batchItemFailures }) => batchItemFailures.length > 0);
  if (!isFailed) await queue.delete(message);
}
