import type { OutboxOptions } from "../../src/invalidate/outbox.ts";
import type { OutboxBatch } from "../../src/ledger/ledger.ts";

/** The outbox of a ledger, kept in memory, with batch ids that never repeat. */
export interface MemoryOutbox {
  readonly ledger: OutboxOptions["ledger"];
  /** Items that wait for the next freeze. */
  add(...items: readonly string[]): void;
  batches(): readonly OutboxBatch[];
}

export function memoryOutbox(): MemoryOutbox {
  let waiting: string[] = [];
  let frozen: OutboxBatch[] = [];
  return {
    add: (...items) => void waiting.push(...items),
    batches: () => frozen,
    ledger: {
      async freeze(size) {
        const made: OutboxBatch[] = [];
        for (; waiting.length > 0; waiting = waiting.slice(size)) {
          const items = waiting.slice(0, size);
          made.push({ id: crypto.randomUUID(), items, invalidation: undefined });
        }
        frozen = [...frozen, ...made];
        return made;
      },
      outbox: async () => frozen,
      async sent(id, invalidation) {
        frozen = frozen.map((each) => (each.id === id ? { ...each, invalidation } : each));
      },
      async completed(id) {
        frozen = frozen.filter((each) => each.id !== id);
      },
    },
  };
}
