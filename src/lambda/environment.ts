import { codeOf } from "../jobs/code.ts";
import { openWorker, type Worker } from "../jobs/open-worker.ts";
import type { Queue } from "../jobs/queue.ts";
import type { Wired } from "../pipeline.ts";
import { openWork } from "../wiring.ts";
import type { Context } from "./event.ts";
import { type Clock, clockOf } from "./hand-on.ts";
import { tell, telling } from "./log.ts";
import { openBySettings } from "./settings.ts";

/** What functions that publish work with. */
export interface Environment {
  readonly wired: Wired;
  readonly queue: Queue;
  /** Fingerprint of all that makes pages beside rows, see `code.ts`. */
  readonly code: string;
  /** Functions that may be called to help one run. */
  readonly helpers: number;
}

/** What is of one invocation alone. */
export interface Invocation {
  /** Its id, as logs have it. */
  readonly request: string;
  readonly clock: Clock;
  readonly emit: (event: object) => void;
}

/** Does the work of one invocation, in an environment of its own. */
export function withEnvironment<Answer>(
  context: Context,
  work: (opened: Environment, invocation: Invocation) => Promise<Answer>,
): Promise<Answer> {
  return telling(async () => {
    await using opened = await openEnvironment();
    const { awsRequestId: request } = context;
    return await work(opened, { request, clock: clockOf(context), emit: tell });
  });
}

/**
 * Opens what one invocation works with. It is closed at the end of each: Lambda lets functions freeze and
 * vanish without a word, and databases would keep their connections for hours.
 */
function openEnvironment(): Promise<Environment & AsyncDisposable> {
  return openBySettings(async (config) => {
    await using parts = new AsyncDisposableStack();
    const { wired, queue } = parts.use(await openWork(config));
    const met = await meetCode({ wired, queue, helpers: config.helpers });
    const open = parts.move();
    return { ...met, [Symbol.asyncDispose]: () => open.disposeAsync() };
  });
}

/** Code that nobody had is the current one from now on, as with any worker. */
export async function meetCode(parts: Omit<Environment, "code">): Promise<Environment> {
  const code = codeOf(parts.wired);
  await parts.wired.ledger.meetCode(code, { at: Date.now() * 1000 });
  return { ...parts, code };
}

/** The worker of one invocation, whose time the signal is. */
export function workerOf(
  { wired, queue, code, helpers }: Environment,
  { request, emit }: Invocation,
  signal: AbortSignal,
): Worker {
  const call = async (open: number, held: number) => {
    const missing = Math.min(helpers, open) - held;
    if (missing <= 0) return;
    await queue.call?.(missing).catch((error: unknown) => emit({ event: "trouble", error }));
  };
  const name = `lambda-${request}`;
  return openWorker({ wired, queue, code, emit, signal, name, call, isTimed: true });
}
