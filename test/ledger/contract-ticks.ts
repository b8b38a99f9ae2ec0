import { describe, expect } from "vitest";
import type { KeptJob, Ledger, NewTick } from "../../src/ledger/ledger.ts";
import { encodeKey } from "../../src/site.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const HOUR = 3_600_000_000;
const NIGHTLY = "0 3 * * * UTC";
const NEW: KeptJob = {
  ...{ id: 0, lane: 3, state: 0, work: '{"is":"build"}', attempts: 0, requests: 1 },
  ...{ requestedAt: 5, startAt: 5, latestAt: 6, startedAt: undefined, finishedAt: undefined },
  ...{ holder: undefined, heldUntil: undefined, isStopping: false, code: undefined },
  ...{ progress: undefined, outcome: undefined, error: undefined },
};

/** Asks for a job of its own at an hour. */
function tick(ledger: Ledger, hour: number, parts: Partial<NewTick> = {}, by?: () => never) {
  const at = hour * HOUR;
  const fresh = { entry: "build", at, schedule: NIGHTLY, askedAt: at + 7, isAlone: false };
  const decide = () => by?.() ?? { job: NEW, events: [], result: true };
  return ledger.tick({ ...fresh, ...parts }, { by: "schedule", asked: "a", at }, decide);
}

async function hours(ledger: Ledger, entry = "build"): Promise<readonly number[]> {
  return (await ledger.ticks(entry, 99)).map(({ at }) => at / HOUR);
}

export function describeTicks(test: LedgerTest): void {
  describe("ticks of the schedule", () => {
    test("are kept with their jobs, and told newest first", async (ledger, place) => {
      const first = await tick(ledger, 1);
      await tick(ledger, 2);

      expect(first).toEqual({
        ...{ entry: "build", at: HOUR, schedule: NIGHTLY, askedAt: HOUR + 7 },
        ...{ job: 1, isJoined: false },
      });
      await using other = await place.open();
      const [last, before] = await other.ticks("build", 9);
      expect(before).toEqual({ ...first, state: { ...NEW, id: 1 } });
      expect(last).toMatchObject({ at: 2 * HOUR, job: 2 });
      expect(await other.ticks("build", 1)).toEqual([last]);
      expect(await other.ticks("sweep", 1)).toEqual([]);
    });

    test("ask once, and never again before a later one", async (ledger) => {
      await tick(ledger, 2);

      expect(await tick(ledger, 2)).toBeUndefined();
      expect(await tick(ledger, 1)).toBeUndefined();

      expect(await tick(ledger, 1, { entry: "sweep" })).toBeDefined();
      expect(await hours(ledger)).toEqual([2]);
      expect(await ledger.keptJobs({ limit: 9 })).toHaveLength(2);
    });

    test("of many clones at once ask once", async (_, place) => {
      const clones = await Promise.all([1, 2, 3].map(() => place.open()));

      const asked = clones.flatMap((each) => [tick(each, 1), tick(each, 2)]);
      const kept = (await Promise.all(asked)).filter((each) => each !== undefined);

      const ats = kept.map(({ at }) => at / HOUR).sort();
      expect(ats).toEqual([...new Set(ats)]);
      expect(ats).toContain(2);
      await using ledger = await place.open();
      expect(await ledger.keptJobs({ limit: 9 })).toHaveLength(ats.length);
      await Promise.all(clones.map((each) => each[Symbol.asyncDispose]()));
    });

    test("are not kept when their request is not", async (ledger) => {
      const failing = tick(ledger, 1, {}, () => {
        throw new Error("killed");
      });

      await expect(failing).rejects.toThrow("killed");
      expect(await ledger.ticks("build", 9)).toEqual([]);
      expect(await tick(ledger, 1)).toMatchObject({ job: 1 });
    });

    test("that are alone get the job of the one before until it ends", async (ledger) => {
      await tick(ledger, 1);
      const alone = { isAlone: true };
      expect(await tick(ledger, 2, alone)).toMatchObject({ job: 1, isJoined: true });
      const running = { ...NEW, id: 1, state: 1, startedAt: 8 };
      await ledger.changeJob(1, () => ({ job: running, result: 0 }));
      expect(await tick(ledger, 3, alone)).toMatchObject({ job: 1, isJoined: true });

      await ledger.changeJob(1, () => ({ job: { ...running, finishedAt: 9 }, result: 0 }));

      expect(await tick(ledger, 4, alone)).toMatchObject({ job: 2, isJoined: false });
      await ledger.forgetJobs(99, 9);
      expect((await ledger.ticks("build", 9)).map(({ state }) => state?.id)).toEqual([
        2,
        undefined,
        undefined,
        undefined,
      ]);
    });

    test("are forgotten a month later", async (ledger) => {
      const month = 30 * 24;
      for (const hour of [1, 2, month + 2]) await tick(ledger, hour);

      expect(await hours(ledger)).toEqual([month + 2, 2]);
    });

    test("of a new schedule count from the moment at which it is first seen", async (ledger) => {
      const begun = await ledger.lastTick("build", NIGHTLY, 5 * HOUR);
      expect(begun).toMatchObject({ at: 5 * HOUR + 1, job: undefined });
      expect(await ledger.lastTick("build", NIGHTLY, 9 * HOUR)).toEqual(begun);
      expect(await ledger.ticks("build", 9)).toEqual([]);

      const other = "0 4 * * * UTC";
      expect(await ledger.lastTick("build", other, 7 * HOUR - 1)).toMatchObject({
        at: 7 * HOUR - 1,
      });
      expect(await ledger.lastTick("build", NIGHTLY, 9 * HOUR)).toEqual(begun);

      const kept = await tick(ledger, 6);
      expect(await ledger.lastTick("build", NIGHTLY, 9 * HOUR)).toEqual(kept);
      expect(await ledger.lastTick("build", other, 9 * HOUR)).toMatchObject({ at: 7 * HOUR - 1 });
    });
  });

  describe("moments at which rows are due", () => {
    const seen = (table: string, key: number, dueAt: number) => ({
      ...{ table, key: encodeKey([key]) },
      now: { key: encodeKey([key]), hash: Buffer.alloc(8), deps: Buffer.alloc(0), dueAt },
    });

    test("are the last that is over and the first to come, of the tables asked for", async (ledger) => {
      expect(await ledger.dueMoments(15, ["posts"])).toEqual({ over: undefined, next: undefined });
      const rows = [seen("posts", 1, 5), seen("posts", 2, 15), seen("posts", 3, 25)];
      await ledger.see("run", [...rows, seen("gone", 1, 16), seen("notes", 1, 35)]);
      await ledger.finish("run", { id: 1, startedAt: 1, finishedAt: 2, report: undefined });

      expect(await ledger.dueMoments(15, ["posts"])).toEqual({ over: 15, next: 25 });
      expect(await ledger.dueMoments(14, ["notes", "posts"])).toEqual({ over: 5, next: 15 });
      expect(await ledger.dueMoments(25, ["notes", "posts"])).toEqual({ over: 25, next: 35 });
      expect(await ledger.dueMoments(25, [])).toEqual({ over: undefined, next: undefined });
    });
  });
}
