import { memoryQueue } from "../../src/jobs/memory-queue.ts";
import type { Queue } from "../../src/jobs/queue.ts";
import { describeQueue } from "./queue-contract.ts";

describeQueue("memory", async () => {
  let queue: Queue | undefined;
  return {
    // Of one process there is but one view.
    async open(nowMs) {
      if (nowMs !== undefined) return memoryQueue({ nowMs });
      queue ??= memoryQueue();
      return queue;
    },
  };
});
