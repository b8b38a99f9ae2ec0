import type { KeptJob } from "../ledger/ledger.ts";
import { CREW, type CrewTerms, type Wired } from "../pipeline.ts";
import { workerName } from "./holder.ts";
import type { Job } from "./job.ts";
import type { Queue } from "./queue.ts";
import { wake } from "./wake.ts";

/** A worker that is replaced within 15 seconds must have lost its claim by then. */
const LEASE_MS = 10_000;

/** What a worker tells of itself. */
export type WorkerEvent =
  | { readonly event: "started" | "ended"; readonly job: Job }
  /** Other code is current; nothing is taken until this one is, again. */
  | { readonly event: "outdated"; readonly code: string; readonly current: string }
  | { readonly event: "current"; readonly code: string }
  /** What failed outside of any job, and will be tried again. */
  | { readonly event: "trouble"; readonly error: unknown };

/** One worker, as those that work for it see it. */
export interface Worker {
  readonly wired: Wired;
  readonly queue: Queue;
  readonly name: string;
  readonly code: string;
  readonly emit: (event: WorkerEvent) => void;
  /** Aborted when what is in hand is to be handed back. */
  readonly signal: AbortSignal;
  /** See `JobRun`. */
  readonly isTimed?: boolean;
  /** µs */
  readonly now: () => number;
  /** Tells whoever works on the queue of jobs that wait. */
  readonly wake: (jobs: readonly KeptJob[]) => Promise<void>;
  /** A number of its own for each attempt. */
  readonly attempt: () => number;
}

/** What a worker is opened with. */
export interface WorkerParts
  extends Pick<Worker, "wired" | "queue" | "code" | "emit" | "signal" | "isTimed"> {
  /** No other's. */
  readonly name?: string;
  /** Calls others to help; without it they look by themselves. */
  readonly call?: CrewTerms["call"];
}

export function openWorker({ name = workerName(), call, ...parts }: WorkerParts): Worker {
  const { wired, queue, code, emit } = parts;
  let attempts = 0;
  return {
    ...parts,
    wired: { ...wired, code, leaseMs: LEASE_MS, crew: { ...CREW, call } },
    name,
    now: () => Date.now() * 1000,
    wake: (jobs) => wake(queue, jobs, emit),
    attempt() {
      attempts += 1;
      return attempts;
    },
  };
}
