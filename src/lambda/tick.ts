import { askOnce } from "../jobs/schedule.ts";
import { sweepJobs } from "../jobs/sweep-jobs.ts";
import { wake } from "../jobs/wake.ts";
import { type OpenedTick, openTick } from "../wiring-schedule.ts";
import { tell, telling } from "./log.ts";
import { openBySettings } from "./settings.ts";

/** One invocation of the function `tick`. */
export function tickEvent(): Promise<void> {
  return telling(async () => {
    await using opened = await openBySettings(openTick);
    await tickOnce(opened, { emit: tell });
  });
}

/**
 * Asks for what the schedule and the clock make due, each once whoever else does so; then sends what
 * waits, and what a function that died had in hand.
 * @throws PipelineError `ledger_unavailable`, `ledger_rejected`
 */
export async function tickOnce(
  { on, queue }: Pick<OpenedTick, "on" | "queue">,
  { emit, now = Date.now }: { readonly emit: (event: object) => void; readonly now?: () => number },
): Promise<void> {
  await askOnce(on, { emit, now });
  const sweeping = {
    ...{ ledger: on.ledger, emit },
    now: () => now() * 1000,
    wake: (jobs: Parameters<typeof wake>[1]) => wake(queue, jobs, emit),
  };
  await sweepJobs(sweeping, { isForgetting: true });
}
