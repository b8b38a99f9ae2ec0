import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError } from "../error.ts";
import type { KeptJob } from "../ledger/ledger.ts";
import { CREW, helpOut, type Wired } from "../pipeline.ts";
import { codeOf } from "./code.ts";
import { workerName } from "./holder.ts";
import type { Job } from "./job.ts";
import { jobOf } from "./kept.ts";
import { jobMessage } from "./message.ts";
import type { Queue } from "./queue.ts";
import { runMessage } from "./run-message.ts";
import { sweepJobs } from "./sweep-jobs.ts";

/** Between two looks at the ledger for what no message came for. */
const SWEEP_MS = 1_000;
/** A worker that is replaced within 15 seconds must have lost its claim by then. */
const LEASE_MS = 10_000;
/** Of so many sweeps one also forgets old jobs. */
const FORGETTING = 600;

/** What a worker tells of itself. */
export type WorkerEvent =
  | { readonly event: "started" | "ended"; readonly job: Job }
  /** Other code is current; nothing is taken until this one is, again. */
  | { readonly event: "outdated"; readonly code: string; readonly current: string }
  | { readonly event: "current"; readonly code: string }
  /** What failed outside of any job, and will be tried again. */
  | { readonly event: "trouble"; readonly error: unknown };

export interface WorkerOptions {
  readonly concurrency: number;
  /** Takes nothing more; what is in hand has `graceMs` to end, then it is handed back. */
  readonly signal: AbortSignal;
  readonly graceMs: number;
  /** Makes this code the current one, whatever was activated after it. */
  readonly isActivated?: boolean;
  readonly emit: (event: WorkerEvent) => void;
  /** For tests. */
  readonly sweepMs?: number;
}

/** One worker, as those that work for it see it. */
export interface Worker {
  readonly wired: Wired;
  readonly queue: Queue;
  readonly name: string;
  readonly code: string;
  readonly emit: WorkerOptions["emit"];
  /** Aborted when what is in hand is to be handed back. */
  readonly signal: AbortSignal;
  /** µs */
  readonly now: () => number;
  /** Tells whoever works on the queue of jobs that wait. */
  readonly wake: (jobs: readonly KeptJob[]) => Promise<void>;
  /** A number of its own for each attempt. */
  readonly attempt: () => number;
  /** Does what a message says; meanwhile it is in hand. */
  readonly hold: <T>(work: Promise<T>) => Promise<T>;
  readonly inHand: () => number;
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
  const worker = openWorker({ wired, queue }, options, back.signal);
  await wired.ledger.meetCode(worker.code, { at: worker.now(), isActivated });
  const begin = () => setTimeout(() => back.abort(), graceMs).unref();
  signal.addEventListener("abort", begin, { once: true });
  const sweeping = sweepUntil(worker, signal, sweepMs);
  const helping = helpUntil(worker, signal, sweepMs);
  while (!signal.aborted) await workWhileCurrent(worker, options);
  await Promise.all([sweeping, helping]);
}

function openWorker(
  { wired, queue }: { readonly wired: Wired; readonly queue: Queue },
  { emit }: WorkerOptions,
  signal: AbortSignal,
): Worker {
  const code = codeOf(wired);
  let attempts = 0;
  let inHand = 0;
  return {
    wired: { ...wired, code, leaseMs: LEASE_MS, crew: CREW },
    queue,
    name: workerName(),
    code,
    emit,
    signal,
    now: () => Date.now() * 1000,
    async wake(jobs) {
      const messages = jobs.map((job) => jobMessage(jobOf(job), Date.now()));
      await queue.send(messages).catch((error: unknown) => emit({ event: "trouble", error }));
    },
    attempt() {
      attempts += 1;
      return attempts;
    },
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
async function workWhileCurrent(worker: Worker, { signal, concurrency }: WorkerOptions) {
  const outdated = new AbortController();
  const either = AbortSignal.any([signal, outdated.signal]);
  const onOutdated = () => outdated.abort();
  await worker.queue.work((message) => worker.hold(runMessage(worker, message, onOutdated)), {
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
async function helpUntil(worker: Worker, signal: AbortSignal, ms: number): Promise<void> {
  const { wired, emit } = worker;
  const onTrouble = (error: unknown) => {
    const isOther = error instanceof PipelineError && error.code === "release_outdated";
    if (!isOther) emit({ event: "trouble", error });
  };
  while (!signal.aborted) {
    if (worker.inHand() === 0) await helpOut(wired, { signal, emit: () => {} }).catch(onTrouble);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}

async function sweepUntil(worker: Worker, signal: AbortSignal, ms: number): Promise<void> {
  for (let turn = 0; !signal.aborted; turn = (turn + 1) % FORGETTING) {
    await sweepJobs(worker, { isForgetting: turn === 0 }).catch((error: unknown) =>
      worker.emit({ event: "trouble", error }),
    );
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}
