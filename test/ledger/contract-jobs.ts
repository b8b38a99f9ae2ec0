import { describe, expect } from "vitest";
import type { KeptJob, Ledger } from "../../src/ledger/ledger.ts";
import { article, intent, livePage } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const NEW: KeptJob = {
  ...{ id: 0, lane: 1, state: 0, work: '{"is":"build"}', attempts: 0, requests: 1 },
  ...{ requestedAt: 5, startAt: 5, latestAt: 6, startedAt: undefined, finishedAt: undefined },
  ...{ holder: undefined, heldUntil: undefined, isStopping: false, code: undefined },
  ...{ progress: undefined, outcome: undefined, error: undefined },
};
const FULL: KeptJob = {
  ...NEW,
  ...{ lane: 3, state: 3, attempts: 2, startedAt: 7, finishedAt: 9, holder: "w é", heldUntil: 8 },
  ...{ isStopping: true, code: "c", progress: "{}", outcome: "{1}", error: '{"message":"é"}' },
};
const queued = { at: 5, event: "queued", data: "{}" };

/** Makes a job of its own of each. */
async function add(ledger: Ledger, ...jobs: readonly Partial<KeptJob>[]): Promise<void> {
  for (const each of jobs) {
    const decide = () => ({ job: { ...NEW, ...each }, events: [queued], result: 0 });
    await ledger.request({ asked: "a", at: 5 }, decide);
  }
}

export function describeJobs(test: LedgerTest): void {
  describe("jobs", () => {
    test("are kept as they are written, numbered from 1", async (ledger, place) => {
      await add(ledger, FULL, NEW);

      await using other = await place.open();
      expect(await other.keptJob(1)).toEqual({ ...FULL, id: 1 });
      expect(await other.keptJob(2)).toEqual({ ...NEW, id: 2 });
      expect(await other.keptJob(3)).toBeUndefined();
    });

    test("a request is decided on the jobs that wait, oldest first, and may join one", async (ledger) => {
      await add(ledger, NEW, FULL, NEW);

      const { job, result } = await ledger.request({ asked: "b", at: 9 }, ({ waiting, same }) => {
        const [first] = waiting;
        if (first === undefined) throw new Error("Nothing waits.");
        return { job: { ...first, requests: 2 }, result: [waiting.map(({ id }) => id), same] };
      });

      expect(result).toEqual([[1, 3], undefined]);
      expect(job).toEqual({ ...NEW, id: 1, requests: 2 });
      expect(await ledger.keptJob(1)).toEqual(job);
    });

    test("a request under a key is found again by the same asker alone", async (ledger) => {
      const ask = (by: string, key: string) =>
        ledger.request({ by, key, asked: `${by} asked`, at: 5 }, ({ same }) =>
          same === undefined ? { job: NEW, result: "new" } : { result: same.asked },
        );
      expect((await ask("ann", "k")).result).toBe("new");
      expect((await ask("bob", "k")).result).toBe("new");

      const again = await ask("ann", "k");

      expect(again).toEqual({ result: "ann asked", job: { ...NEW, id: 1 } });
      expect(await ledger.keptJobs({ limit: 9 })).toHaveLength(2);
    });

    test("are listed newest first, by state and lane, and counted", async (ledger) => {
      await add(ledger, { lane: 0 }, { lane: 1 }, { lane: 1, state: 2 }, { lane: 1 });
      const ids = async (query: Partial<Parameters<Ledger["keptJobs"]>[0]>) =>
        (await ledger.keptJobs({ limit: 9, ...query })).map(({ id }) => id);

      expect(await ids({})).toEqual([4, 3, 2, 1]);
      expect(await ids({ before: 4, limit: 2 })).toEqual([3, 2]);
      expect(await ids({ lane: 1, state: 0 })).toEqual([4, 2]);
      expect((await ledger.jobsIn(0, 2)).map(({ id }) => id)).toEqual([1, 2]);
      expect(await ledger.jobCounts()).toEqual([
        { lane: 0, state: 0, jobs: 1 },
        { lane: 1, state: 0, jobs: 2 },
        { lane: 1, state: 2, jobs: 1 },
      ]);
    });

    test("change with events numbered without a gap, whoever writes them", async (ledger, place) => {
      await add(ledger, NEW, NEW);
      const others = await Promise.all([place.open(), place.open()]);
      const note = (data: string) => ({ at: 9, event: "note", data });

      const results = await Promise.all(
        [ledger, ...others].flatMap((each) =>
          ["x", "y"].map((text) =>
            each.changeJob(1, (job, current) => ({
              ...(job && { job: { ...job, attempts: job.attempts + 1 } }),
              events: [note(text), note(text)],
              result: current,
            })),
          ),
        ),
      );

      expect(results).toEqual(new Array(6).fill(undefined));
      const events = await ledger.jobEvents(1, 0, 99);
      expect(events.map(({ id }) => id)).toEqual(Array.from({ length: 13 }, (_, at) => at + 1));
      expect(events[0]).toEqual({ id: 1, ...queued });
      expect((await ledger.jobEvents(1, 11, 1)).map(({ id }) => id)).toEqual([12]);
      expect((await ledger.keptJob(1))?.attempts).toBe(6);
      expect(await ledger.jobEvents(2, 0, 9)).toEqual([{ id: 1, ...queued }]);
      expect(await ledger.changeJob(7, (job) => ({ result: job }))).toBeUndefined();
      await Promise.all(others.map((each) => each[Symbol.asyncDispose]()));
    });

    test("a decision that throws changes nothing", async (ledger) => {
      await add(ledger, NEW);
      const refuse = () => {
        throw new Error("no");
      };

      await expect(ledger.changeJob(1, refuse)).rejects.toThrow("no");
      await expect(ledger.request({ asked: "", at: 1 }, refuse)).rejects.toThrow("no");

      expect(await ledger.keptJobs({ limit: 9 })).toEqual([{ ...NEW, id: 1 }]);
    });

    test("of those that ended long ago all is forgotten but the newest's number", async (ledger) => {
      const ended = { state: 2, finishedAt: 10 };
      await add(ledger, ended, NEW, { ...ended, finishedAt: 30 }, ended);

      expect(await ledger.forgetJobs(20, 9)).toBe(1);

      expect((await ledger.keptJobs({ limit: 9 })).map(({ id }) => id)).toEqual([4, 3, 2]);
      expect(await ledger.jobEvents(1, 0, 9)).toEqual([]);
      await add(ledger, NEW);
      expect(await ledger.forgetJobs(40, 1)).toBe(1);
      expect((await ledger.keptJobs({ limit: 9 })).map(({ id }) => id)).toEqual([5, 4, 2]);
    });

    test("code that nobody has had is current at once, other code when somebody says so", async (ledger) => {
      expect(await ledger.meetCode("old", { at: 1 })).toBe("old");
      expect(await ledger.meetCode("new", { at: 2 })).toBe("new");
      expect(await ledger.meetCode("old", { at: 3 })).toBe("new");
      await add(ledger, NEW);
      expect(await ledger.changeJob(1, (_, current) => ({ result: current }))).toBe("new");

      expect(await ledger.meetCode("old", { at: 4, isActivated: true })).toBe("old");
      expect(await ledger.meetCode("old", { at: 5, isActivated: true })).toBe("old");

      expect(await ledger.codes()).toEqual([
        { fingerprint: "old", firstSeenAt: 1, activatedAt: 4, isCurrent: true },
        { fingerprint: "new", firstSeenAt: 2, activatedAt: 2, isCurrent: false },
      ]);
    });

    test("a run whose code is not the current one begins nothing, and ends what it began", async (ledger) => {
      const claim = { release: 0, nowMs: 0, leaseMs: 10 };
      const outdated = expect.objectContaining({ code: "release_outdated" });
      await ledger.claim("run", { ...claim, code: "a" });
      await ledger.meetCode("a", { at: 1 });
      await ledger.claim("run", { ...claim, code: "a" });
      await ledger.intend("run", [intent()], []);

      await ledger.meetCode("b", { at: 2 });

      await expect(ledger.claim("run", { ...claim, code: "a" })).rejects.toEqual(outdated);
      await expect(ledger.intend("run", [intent(article(2))], [])).rejects.toEqual(outdated);
      await ledger.confirm("run", [livePage()]);
      expect(await ledger.intents()).toEqual([]);
      await ledger.claim("run", claim);
      await ledger.intend("run", [intent(article(2))], []);
    });
  });
}
