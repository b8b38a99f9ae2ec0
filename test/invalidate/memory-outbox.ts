import type { OutboxOptions } from "../../src/invalidate/outbox.ts";
import { TERMS } from "../../src/invalidate/terms.ts";
import type { OutboxBatch } from "../../src/ledger/ledger.ts";

/** The outbox of a ledger, kept in memory, with batch ids that never repeat. */
export interface MemoryOutbox {
  readonly ledger: OutboxOptions["ledger"];
  /** Items that wait for the next freeze, as an older release left them. */
  add(...items: readonly string[]): void;
  batches(): readonly OutboxBatch[];
  /** Makes a batch of all that waits. */
  freeze(): Promise<OutboxBatch>;
  /** When each batch was accepted. */
  readonly times: ReadonlyMap<string, number>;
}

/** What a drain needs beside the outbox and the CDN. */
export const PRICED = { terms: TERMS, run: "run", now: () => 0 };

export function memoryOutbox(): MemoryOutbox {
  let waiting: string[] = [];
  let frozen: OutboxBatch[] = [];
  const times = new Map<string, number>();
  const change = (id: string, parts: Partial<OutboxBatch>) => {
    frozen = frozen.map((each) => (each.id === id ? { ...each, ...parts } : each));
  };
  const ledger: OutboxOptions["ledger"] = {
    waiting: async () => ({ changes: 0, last: 0, items: waiting }),
    changes: async () => [],
    countsOf: async () => ({ live: 0, tagged: new Map(), below: new Map() }),
    spentItems: async () => 0,
    async freeze({ batches }) {
      const none = { invalidation: undefined, sentAt: undefined, refusal: undefined, cover: 1 };
      const made = batches.map((items) => ({ id: crypto.randomUUID(), items, ...none }));
      frozen = [...frozen, ...made];
      waiting = [];
      return true;
    },
    outbox: async () => frozen,
    async sent(id, invalidation, at) {
      times.set(id, at);
      change(id, { invalidation, sentAt: at });
    },
    refused: async (id, refusal) => change(id, { refusal }),
    async completed(id) {
      frozen = frozen.filter((each) => each.id !== id);
    },
    covers: async () => [],
    closed: async () => {},
    recall: async () => {},
    note: async () => undefined,
    setNote: async () => {},
  };
  return {
    add: (...items) => void waiting.push(...items),
    batches: () => frozen,
    async freeze() {
      const all = { ...(await ledger.waiting()), batches: [waiting] };
      await ledger.freeze({ ...all, run: "run", madeAt: 0, report: "{}" });
      return frozen.at(-1) as OutboxBatch;
    },
    ledger,
    times,
  };
}
