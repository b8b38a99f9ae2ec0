import { describe, expect, test } from "vitest";
import { openJobs } from "../../src/jobs/jobs.ts";
import { runSchedule, scheduled } from "../../src/jobs/schedule.ts";
import { dueTick } from "../../src/jobs/schedule-due.ts";
import { readSchedule, type ScheduleConfig } from "../../src/jobs/schedule-entries.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { encodeKey } from "../../src/site.ts";
import { SITE } from "../pipeline/small-site.ts";
import { virtualClock } from "./schedule-world.ts";

const SECOND = 1000;
const NOON = Date.parse("2026-06-01T12:00Z");
const CONFIG: ScheduleConfig = {
  ...{ scheduleBuild: "off", scheduleVerify: "off", scheduleSweep: "30 4 * * *" },
  ...{ scheduleDue: "on", scheduleTimeZone: "UTC" },
};

/** What a run that read this row leaves behind; without a moment it is due no more. */
async function record(ledger: Ledger, key: number, dueMs?: number): Promise<void> {
  const id = encodeKey([key]);
  const known = { key: id, hash: Buffer.alloc(8), deps: Buffer.alloc(0) };
  const now = { ...known, dueAt: dueMs && dueMs * 1000 };
  await ledger.see("run", [{ table: "posts", key: id, now }]);
  const release = (await ledger.release()) + 1;
  await ledger.finish("run", { id: release, startedAt: 1, finishedAt: 2, report: undefined });
}

/** Seconds after noon at which jobs were asked for, and their lanes, by a clone that runs a while. */
async function asked(
  ledger: Ledger,
  forMs: number,
  events: Readonly<Record<number, () => Promise<void>>> = {},
) {
  const clock = virtualClock(NOON);
  const stop = new AbortController();
  const on = { ledger, schedule: readSchedule(CONFIG, NOON), site: SITE };
  clock.busy = 1;
  const running = runSchedule(on, {
    signal: stop.signal,
    emit: () => undefined,
    sleep: clock.sleep,
    now: () => clock.nowMs,
  });
  for (const [afterMs, happen] of Object.entries(events)) {
    clock.at(NOON + Number(afterMs), async () => {
      clock.busy += 1;
      await happen();
      clock.busy -= 1;
    });
  }
  await clock.runTo(NOON + forMs);
  stop.abort();
  clock.end();
  await running;
  const jobs = await openJobs(ledger).list({ limit: 99 });
  return jobs.map(({ requestedAt, lane }) => [(requestedAt / 1000 - NOON) / SECOND, lane]);
}

/** Ends the job, as a worker would. */
async function end(ledger: Ledger, id: number): Promise<void> {
  await ledger.changeJob(id, (job) => ({
    ...(job && { job: { ...job, state: 2, finishedAt: 1 } }),
    result: 0,
  }));
}

describe("rows that are due", () => {
  test("have a job at their moment, in the lane of live changes", async () => {
    await using ledger = await openSqliteLedger(":memory:");
    await record(ledger, 1, NOON + 61_234);

    const jobs = await asked(ledger, 100 * SECOND);

    expect(jobs).toEqual([[61.234, "live"]]);
    expect(await ledger.ticks("due", 9)).toMatchObject([{ at: (NOON + 61_234) * 1000, job: 1 }]);
  });

  test("that a run finds while the schedule rests are not late by more than the rest", async () => {
    await using ledger = await openSqliteLedger(":memory:");
    await record(ledger, 1, NOON + 3600 * SECOND);
    const soon = () => record(ledger, 2, NOON + 62 * SECOND);

    const jobs = await asked(ledger, 100 * SECOND, { 61000: soon });

    expect(jobs).toHaveLength(1);
    expect(jobs[0]?.[0]).toBeLessThanOrEqual(67);
  });

  test("after others have a job of their own, unless the one before has not begun", async () => {
    await using ledger = await openSqliteLedger(":memory:");
    for (const [key, at] of [10, 11, 30].entries()) await record(ledger, key, NOON + at * SECOND);
    const start = () =>
      ledger.changeJob(1, (job) => ({
        ...(job && { job: { ...job, state: 1 } }),
        result: undefined,
      }));

    await asked(ledger, 40 * SECOND, { 20000: start });

    const ticks = await ledger.ticks("due", 9);
    expect(ticks.map(({ job }) => job)).toEqual([2, 1, 1]);
    expect(ticks.map(({ isJoined }) => isJoined)).toEqual([false, false, false]);
  });

  test("that were due while no clone ran have one job at its start", async () => {
    await using ledger = await openSqliteLedger(":memory:");
    for (const key of [1, 2, 3]) await record(ledger, key, NOON - key * 3600 * SECOND);

    expect(await asked(ledger, 30 * SECOND)).toEqual([[0, "live"]]);
  });

  test("that stay due once their job has ended have more, ever later", async () => {
    await using ledger = await openSqliteLedger(":memory:");
    await record(ledger, 1, NOON + 10 * SECOND);
    const ends = [20, 80, 200, 300].map((at, index) => [at * SECOND, () => end(ledger, index + 1)]);

    const jobs = await asked(ledger, 600 * SECOND, Object.fromEntries(ends));

    const moments = jobs.map(([at]) => at).reverse();
    expect(moments[0]).toBe(10);
    expect(moments.slice(1).map((at, index) => Number(at) - Number(moments[index]))).toEqual([
      60, 60, 120, 240,
    ]);
  });

  test("ask for nothing where SCHEDULE_DUE is off, and are told to whom asks for the list", async () => {
    await using ledger = await openSqliteLedger(":memory:");
    await record(ledger, 1, NOON + 61_000);
    const on = { ledger, schedule: readSchedule(CONFIG, NOON), site: SITE };

    const [sweep, due] = await scheduled(on, NOON);
    const off = readSchedule({ ...CONFIG, scheduleDue: "off" }, NOON);

    expect(off.hasDue).toBe(false);
    expect(sweep).toMatchObject({ name: "sweep", expression: "30 4 * * *", zone: "UTC", last: [] });
    expect(sweep?.next[0]).toBe(Date.parse("2026-06-02T04:30Z") * 1000);
    expect(due).toMatchObject({ name: "due", next: [(NOON + 61_000) * 1000], last: [] });
  });
});

test("a due tick is the moment once, and then again at growing distances", () => {
  const minute = 60_000_000;

  expect(dueTick(undefined, undefined, 9)).toBeUndefined();
  expect(dueTick(5, undefined, 9)).toEqual({ at: 5, isAgain: false });
  expect(dueTick(6, { at: 5 }, 9)).toEqual({ at: 6, isAgain: false });
  expect(dueTick(5, { at: 5 }, 5 + minute - 1)).toBeUndefined();
  expect(dueTick(5, { at: 5 }, 5 + minute)).toEqual({ at: 5 + minute, isAgain: true });
  expect(dueTick(5, { at: 5 + 4 * minute }, 5 + 8 * minute - 1)).toBeUndefined();
});

test("settings that are no schedule are refused, each with its reason", () => {
  const config = { ...CONFIG, scheduleBuild: "0 25 * * *", scheduleSweep: "0 0 1 * 1#2" };

  expect(() => readSchedule(config, NOON)).toThrow(
    expect.objectContaining({
      code: "config_invalid",
      problems: [
        { place: "SCHEDULE_BUILD", message: expect.stringContaining("hour") },
        { place: "SCHEDULE_SWEEP", message: "It names no day that ever comes." },
      ],
    }),
  );
});
