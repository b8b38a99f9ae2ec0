import type { Ledger } from "../ledger/ledger.ts";
import { type SendOptions, sendBatches } from "./outbox.ts";

export interface PurgeOptions extends SendOptions {
  readonly ledger: SendOptions["ledger"] & Pick<Ledger, "urgent">;
}

/**
 * Sends the urgent batches of the outbox, whatever else waits there, and returns when the CDN has
 * completed them. Safe to repeat, also while another process drains the outbox.
 * @throws PipelineError as `sendBatches` does
 */
export async function purge(options: PurgeOptions): Promise<void> {
  if (!options.cdn.isCaching) return;
  const urgent = await options.ledger.urgent();
  if (urgent.length > 0) await sendBatches(urgent, options);
}
