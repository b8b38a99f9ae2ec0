import { expect, test } from "vitest";
import { serve } from "../../src/control/serve.ts";
import type { RunEvent } from "../../src/events.ts";
import { memoryQueue } from "../../src/jobs/memory-queue.ts";
import { readSchedule } from "../../src/jobs/schedule.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { openSmall, smallSite } from "../pipeline/small-site.ts";

test("a server asks for what was missed on the schedule, and ends with its signal", async () => {
  await using site = await smallSite();
  await using wired = await openSmall(site, { ledger: "ledger.db", store: memoryStore() });
  await using queue = memoryQueue();
  const never = { scheduleBuild: "off", scheduleVerify: "off", scheduleDue: "off" };
  const settings = { ...never, scheduleSweep: "* * * * *", scheduleTimeZone: "UTC" };
  const schedule = readSchedule(settings, Date.now());
  const began = (Date.now() - 120_000) * 1000;
  await wired.ledger.lastTick("sweep", schedule.entries[0]?.schedule ?? "", began);
  const stop = new AbortController();
  const told: RunEvent[] = [];
  const emit = (event: RunEvent) => {
    told.push(event);
    stop.abort();
  };

  const at = { host: "127.0.0.1", port: 0, requestsPerMinute: 1 };
  const quiet = { onListening: () => undefined, onAnswer: () => undefined };
  await serve(
    { wired, queue },
    { ...at, ...quiet, signal: stop.signal, schedule: { schedule, emit } },
  );

  expect(told).toMatchObject([{ event: "note", message: expect.stringContaining("sweep") }]);
  expect(await wired.ledger.ticks("sweep", 9)).toHaveLength(1);
});
