import type { Config } from "./config.ts";
import type { Queue } from "./jobs/queue.ts";
import { readSchedule, type Scheduling } from "./jobs/schedule.ts";
import { openHistory } from "./wiring-ledger.ts";
import { openQueue } from "./wiring-queue.ts";

/**
 * Opens the ledger, and reads the schedule that is kept there.
 * @throws PipelineError `config_invalid` when the settings of the schedule are wrong
 */
export async function openSchedule(config: Config): Promise<Scheduling & AsyncDisposable> {
  const schedule = readSchedule(config, Date.now());
  const { ledger, site, [Symbol.asyncDispose]: close } = await openHistory(config);
  return { ledger, schedule, site, [Symbol.asyncDispose]: close };
}

/** What asks for jobs and wakes who runs them, opened. */
export interface OpenedTick extends AsyncDisposable {
  readonly on: Scheduling;
  readonly queue: Queue;
}

/**
 * Opens the ledger with the schedule, and the queue; nothing that makes pages.
 * @throws PipelineError of the first part that cannot be opened
 */
export async function openTick(config: Config): Promise<OpenedTick> {
  await using parts = new AsyncDisposableStack();
  const on = parts.use(await openSchedule(config));
  const queue = parts.use(await openQueue(config, on.ledger));
  const open = parts.move();
  return { on, queue, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
