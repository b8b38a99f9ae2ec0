import { setTimeout as sleep } from "node:timers/promises";
import { LANES, type Lane } from "./job.ts";
import { AGED_MS, FAILED_MS, type Handled, impatient, type Message, type Queue } from "./queue.ts";
import { openSqs, type Received, type SqsAddress, type SqsQueues } from "./sqs-client.ts";
import { delaySeconds, type SentMessage, sentMessage, textOf } from "./sqs-message.ts";

/** A worker that does not say for so long that it lives loses its messages to others. */
const VISIBLE_S = 30;
/** SQS lets nobody wait for longer for a message. */
const WAIT_S = 20;
/** Before SQS is asked again that was away. */
const RETRY_MS = 1_000;
/** Whom coordinators call. */
const HELP_QUEUE = "help";
/** What they are told: the ledger knows the rest. */
const CALL = JSON.stringify({ is: "help" });

/** A message that this worker has, and nobody else. */
type Taken = SentMessage & Received;

interface Of {
  readonly sqs: SqsQueues;
  readonly nowMs: () => number;
  readonly visibleSeconds: number;
}

/**
 * Standard queues of SQS, one a lane, which are there already and give what comes too often to their
 * dead letters. SQS keeps no order within a lane, and two messages of one id are two.
 */
export function sqsQueue({
  nowMs = () => Date.now(),
  visibleSeconds = VISIBLE_S,
  ...address
}: SqsAddress & {
  readonly nowMs?: () => number;
  /** For tests. */
  readonly visibleSeconds?: number;
}): Queue & { readonly call: NonNullable<Queue["call"]> } {
  const sqs = openSqs(address);
  const of: Of = { sqs, nowMs, visibleSeconds };
  return {
    async send(messages) {
      const sentMs = nowMs();
      for (const lane of LANES) {
        const sent = messages
          .filter((each) => each.lane === lane)
          .map(({ delayMs = 0, ...message }) => ({ message, sentMs, readyMs: sentMs + delayMs }));
        await sqs.send(
          lane,
          sent.map((each) => sendable(each, sentMs)),
        );
      }
    },
    async work(handle, { concurrency, signal }) {
      const inHand = new Set<Promise<void>>();
      const stock = openStock(of, signal);
      while (!signal.aborted) {
        if (inHand.size === concurrency) {
          await stock.giveBack();
          if (inHand.size === concurrency) await stock.change([...inHand]);
          continue;
        }
        const next = await stock.take();
        if (next === undefined) await stock.come([...inHand]);
        else {
          const handling = hand(of, next, handle).finally(() => inHand.delete(handling));
          inHand.add(handling);
        }
      }
      await Promise.all(inHand);
      await stock.giveBack();
    },
    async counts() {
      const counts = await Promise.all(LANES.map(async (lane) => [lane, await sqs.count(lane)]));
      return Object.fromEntries(counts) as Record<Lane, number>;
    },
    async call(helpers) {
      await sqs.send(
        HELP_QUEUE,
        Array.from({ length: helpers }, () => ({ text: CALL, delaySeconds: 0 })),
      );
    },
    async [Symbol.asyncDispose]() {
      sqs[Symbol.dispose]();
    },
  };
}

function sendable(each: SentMessage, nowMs: number) {
  return { text: textOf(each), delaySeconds: delaySeconds(each, nowMs) };
}

/**
 * What a worker has received and not begun, at most one of each lane. SQS shows nobody what waits, so
 * to see which lane has waited for too long one has to take the first of each, now and then.
 */
function openStock(of: Of, signal: AbortSignal) {
  const { sqs, nowMs, visibleSeconds } = of;
  const stash = new Map<Lane, Taken>();
  const asked = new Map<Lane, Promise<void>>();
  let lookedMs = Number.NEGATIVE_INFINITY;
  const receive = async (lane: Lane, waitSeconds: number) => {
    try {
      const received = await sqs.receive(lane, { waitSeconds, visibleSeconds, signal });
      const taken = received && (await taking(of, lane, received));
      if (taken !== undefined) stash.set(lane, taken);
    } catch {
      if (waitSeconds > 0) await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  const ask = async (lane: Lane, waitSeconds: number) => {
    if (stash.has(lane) || asked.has(lane)) return;
    const asking = receive(lane, waitSeconds).finally(() => asked.delete(lane));
    asked.set(lane, asking);
    await asking;
  };
  const waits = () => new Map([...stash].map(([lane, { sentMs }]) => [lane, nowMs() - sentMs]));
  return {
    /** The next message, if there is one now. */
    async take(): Promise<Taken | undefined> {
      const isLook = nowMs() - lookedMs >= AGED_MS;
      for (const lane of LANES) {
        await ask(lane, 0);
        if (stash.has(lane) && !isLook) break;
      }
      if (isLook) lookedMs = nowMs();
      const aged = isLook ? impatient(waits()) : undefined;
      const lane = aged ?? LANES.find((each) => stash.has(each));
      const taken = lane && stash.get(lane);
      if (taken !== undefined) stash.delete(taken.message.lane);
      return taken;
    },
    /** Waits until one of these has ended, or a message came that was waited for. */
    change: (inHand: readonly Promise<void>[]) => Promise.race([...inHand, ...asked.values()]),
    /** The same, once there is no message: waits for one of each lane. */
    async come(inHand: readonly Promise<void>[]) {
      for (const lane of LANES) void ask(lane, WAIT_S);
      await Promise.race([...inHand, ...asked.values()]);
    },
    /** Lets others have what this worker cannot begin yet. */
    async giveBack() {
      const all = [...stash.values()];
      stash.clear();
      await Promise.all(all.map((taken) => again(of, taken, taken.readyMs).catch(() => undefined)));
    },
  };
}

/** A message that may be handed out; what was delayed for as long as SQS can is delayed on. */
async function taking(of: Of, lane: Lane, received: Received): Promise<Taken | undefined> {
  try {
    const taken = { ...received, ...sentMessage(received.text) };
    if (taken.readyMs <= of.nowMs()) return taken;
    await again(of, taken, taken.readyMs);
  } catch {
    // What is none of ours comes until SQS puts it to the dead letters.
    await of.sqs.keep(lane, received.receipt, 1);
  }
  return undefined;
}

/** Sends it anew: that it comes again is no failure of it, which SQS would count. */
async function again({ sqs, nowMs }: Of, taken: Taken, readyMs: number): Promise<void> {
  const { lane } = taken.message;
  await sqs.send(lane, [sendable({ ...taken, readyMs }, nowMs())]);
  await sqs.delete(lane, taken.receipt);
}

async function hand(
  of: Of,
  taken: Taken,
  handle: (message: Message) => Promise<Handled>,
): Promise<void> {
  const { sqs, visibleSeconds, nowMs } = of;
  const { message, receipt } = taken;
  const keep = (seconds: number) => sqs.keep(message.lane, receipt, seconds);
  const renew = () => void keep(visibleSeconds).catch(() => undefined);
  const timer = setInterval(renew, (visibleSeconds * 1000) / 3);
  try {
    const handled = await handle(message).catch(() => "failed" as const);
    if (handled === "failed") await keep(Math.ceil(FAILED_MS / 1000));
    else if (handled === undefined) await sqs.delete(message.lane, receipt);
    else await again(of, taken, nowMs() + handled.againMs);
  } catch {
    // It comes again by itself.
  } finally {
    clearInterval(timer);
  }
}
