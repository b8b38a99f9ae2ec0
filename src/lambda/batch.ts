import type { BatchAnswer, QueueEvent, QueueRecord } from "./event.ts";

/** Does each record of an event, one after the other; those that fail are named, and spoil no other. */
export async function eachRecord(
  { Records }: QueueEvent,
  emit: (event: object) => void,
  work: (record: QueueRecord) => Promise<void>,
): Promise<BatchAnswer> {
  const failed: string[] = [];
  for (const record of Records) {
    try {
      await work(record);
    } catch (error) {
      failed.push(record.messageId);
      emit({ event: "refused", messageId: record.messageId, error });
    }
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
