import type { Config } from "./config.ts";
import { readSchedule, type Scheduling } from "./jobs/schedule.ts";
import { openHistory } from "./wiring-ledger.ts";

/**
 * Opens the ledger, and reads the schedule that is kept there.
 * @throws PipelineError `config_invalid` when the settings of the schedule are wrong
 */
export async function openSchedule(config: Config): Promise<Scheduling & AsyncDisposable> {
  const schedule = readSchedule(config, Date.now());
  const { ledger, site, [Symbol.asyncDispose]: close } = await openHistory(config);
  return { ledger, schedule, site, [Symbol.asyncDispose]: close };
}
