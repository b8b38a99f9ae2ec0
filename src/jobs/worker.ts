import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError } from "../error.ts";
import { helpOut, type Wired } from "../pipeline.ts";
import { codeOf } from "./code.ts";
import { openWorker, type Worker } from "./open-worker.ts";
import type { Queue } from "./queue.ts";
import { runMessage } from "./run-message.ts";
import { sweepJobs } from "./sweep-jobs.ts";

export type { WorkerEvent } from "./open-worker.ts";

/** Between two looks at the ledger for what no message came for. */
const SWEEP_MS = 1_000;
/** Of so many sweeps one also forgets old jobs. */
const FORGETTING = 600;

export interface WorkerOptions {
  readonly concurrency: number;
  /** Takes nothing more; what is in hand has `graceMs` to end, then it is handed back. */
  readonly signal: AbortSignal;
  readonly graceMs: number;
  /** Makes this code the current one, whatever was activated after it. */
  readonly isActivated?: boolean;
  readonly emit: Worker["emit"];
  /** For tests. */
  readonly sweepMs?: number;
}

/**
 * Works until the signal: takes messages, runs the jobs they name, finds in the ledger those that no
 * message came for, and those whose worker died. Any number of workers may do so, anywhere.
 * @throws PipelineError `ledger_unavailable`, `ledger_rejected` when it cannot begin
 */
export async function work(
  { wired, queue }: { readonly wired: Wired; readonly queue: Queue },
  options: WorkerOptions,
): Promise<void> {
  const { signal, graceMs, isActivated = false, sweepMs = SWEEP_MS } = options;
  const back = new AbortController();
  const { emit } = options;
  const worker = openWorker({ wired, queue, code: codeOf(wired), emit, signal: back.signal });
  const hands = openHands();
  await wired.ledger.meetCode(worker.code, { at: worker.now(), isActivated });
  const begin = () => setTimeout(() => back.abort(), graceMs).unref();
  signal.addEventListener("abort", begin, { once: true });
  const isFull = () => hands.inHand() >= options.concurrency;
  const sweeping = sweepUntil(worker, isFull, { signal, ms: sweepMs });
  const helping = helpUntil(worker, hands, { signal, ms: sweepMs });
  while (!signal.aborted) await workWhileCurrent(worker, hands, options);
  await Promise.all([sweeping, helping]);
}

/** What a worker has in hand. */
interface Hands {
  /** Does what a message says; meanwhile it is in hand. */
  readonly hold: <T>(work: Promise<T>) => Promise<T>;
  readonly inHand: () => number;
}

function openHands(): Hands {
  let inHand = 0;
  return {
    async hold(work) {
      inHand += 1;
      return await work.finally(() => {
        inHand -= 1;
      });
    },
    inHand: () => inHand,
  };
}

/** Takes messages until the code is outdated, then waits until it is current again. */
async function workWhileCurrent(
  worker: Worker,
  { hold }: Hands,
  { signal, concurrency }: WorkerOptions,
) {
  const outdated = new AbortController();
  const either = AbortSignal.any([signal, outdated.signal]);
  const onOutdated = () => outdated.abort();
  await worker.queue.work((message) => hold(runMessage(worker, message, onOutdated)), {
    concurrency,
    signal: either,
  });
  if (!signal.aborted) await untilCurrent(worker, signal);
}

async function untilCurrent({ wired, code, now, emit }: Worker, signal: AbortSignal) {
  for (let isTold = false; !signal.aborted; isTold = true) {
    const current = await wired.ledger.meetCode(code, { at: now() }).catch(() => undefined);
    if (current === code) return emit({ event: "current", code });
    if (!isTold && current !== undefined) emit({ event: "outdated", code, current });
    await sleep(SWEEP_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Works on shards of the run that publishes, while this worker has no job in hand itself. */
async function helpUntil(
  worker: Worker,
  { inHand }: Hands,
  { signal, ms }: { readonly signal: AbortSignal; readonly ms: number },
): Promise<void> {
  const { wired, emit } = worker;
  const onTrouble = (error: unknown) => {
    const isOther = error instanceof PipelineError && error.code === "release_outdated";
    if (!isOther) emit({ event: "trouble", error });
  };
  while (!signal.aborted) {
    if (inHand() === 0) await helpOut(wired, { signal, emit: () => {} }).catch(onTrouble);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}

/** Sends only what this worker can take: others look themselves, and engines that know no ids keep all. */
async function sweepUntil(
  worker: Worker,
  isFull: () => boolean,
  { signal, ms }: { readonly signal: AbortSignal; readonly ms: number },
): Promise<void> {
  const wake: Worker["wake"] = async (jobs) => {
    if (!isFull()) await worker.wake(jobs);
  };
  const sweeping = { ...worker, wake, ledger: worker.wired.ledger };
  for (let turn = 0; !signal.aborted; turn = (turn + 1) % FORGETTING) {
    await sweepJobs(sweeping, { isForgetting: turn === 0 }).catch((error: unknown) =>
      worker.emit({ event: "trouble", error }),
    );
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}
