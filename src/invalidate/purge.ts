import type { Ledger } from "../ledger/ledger.ts";
import { drainOutbox, type OutboxOptions } from "./outbox.ts";

export interface PurgeOptions extends Omit<OutboxOptions, "ledger"> {
  readonly ledger: OutboxOptions["ledger"] & Pick<Ledger, "urgent">;
}

/**
 * Sends the urgent batches of the outbox, whatever else waits there, and returns when the CDN has
 * completed them. Safe to repeat, also while another process drains the outbox.
 * @throws PipelineError as `drainOutbox` does
 */
export async function purge({ ledger, ...options }: PurgeOptions): Promise<void> {
  if (!options.cdn.isCaching) return;
  const urgent = (await ledger.urgent()).map((batch) => ({ ...batch, invalidation: undefined }));
  if (urgent.length === 0) return;
  const only = { freeze: async () => [], outbox: async () => urgent };
  const { sent, completed } = ledger;
  await drainOutbox({ ...options, ledger: { ...only, sent, completed } });
}
