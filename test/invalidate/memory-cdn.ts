import { PipelineError } from "../../src/error.ts";
import type { Cdn } from "../../src/invalidate/cdn.ts";

/** A CDN in memory that knows references and limits as CloudFront does, and counts. */
export interface MemoryCdn extends Cdn {
  /** Accepted invalidations by batch id. */
  readonly accepted: ReadonlyMap<string, readonly string[]>;
  /** Most items that were in progress at once. */
  readonly most: { items: number };
  readonly calls: { send: number };
  /** Lets the next calls fail. */
  fail(times: number, error: PipelineError): void;
  /** Completes all that is in progress. */
  complete(): void;
}

export const throttled = new PipelineError("cdn_throttled", "Rate exceeded.");

const MAX_ITEMS = 3000;

export function memoryCdn(batchItems = 1000): MemoryCdn {
  const accepted = new Map<string, readonly string[]>();
  const open = new Set<string>();
  const failures: PipelineError[] = [];
  const [most, calls] = [{ items: 0 }, { send: 0 }];
  const inProgress = () => [...open].flatMap((id) => accepted.get(id) ?? []);
  return {
    name: "memory",
    isCaching: true,
    hasTags: false,
    batchItems,
    accepted,
    most,
    calls,
    fail: (times, error) => void failures.push(...Array(times).fill(error)),
    complete: () => open.clear(),
    async send({ id, items }) {
      calls.send += 1;
      const failure = failures.shift();
      if (failure) throw failure;
      if (accepted.has(id)) return `I-${id}`;
      const wildcards = [...inProgress(), ...items].filter((item) => item.endsWith("*"));
      if (inProgress().length + items.length > MAX_ITEMS || wildcards.length > 15) throw throttled;
      accepted.set(id, items);
      open.add(id);
      most.items = Math.max(most.items, inProgress().length);
      return `I-${id}`;
    },
    isCompleted: async (invalidation) => !open.has(invalidation.slice(2)),
  };
}
