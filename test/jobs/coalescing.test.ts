import fc from "fast-check";
import { expect, test } from "vitest";
import { type End, endJob, recoverJob, startJob } from "../../src/jobs/attempt.ts";
import type { JobRequest, Rebuild } from "../../src/jobs/job.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import type { KeptJob, Ledger } from "../../src/ledger/ledger.ts";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";

type Step =
  | { readonly do: "ask"; readonly request: JobRequest }
  | { readonly do: "start"; readonly job: number }
  | { readonly do: "end"; readonly job: number; readonly how: "done" | "back" | "passing" | "dies" }
  | { readonly do: "wait"; readonly ms: number };

const target = fc.constantFrom("a:1", "a:2", "a:3");
const request: fc.Arbitrary<JobRequest> = fc.record({
  lane: fc.constantFrom("editor", "live"),
  work: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        is: fc.constant("rebuild"),
        targets: fc.array(target, { minLength: 1, maxLength: 2 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ is: "build" } as const) },
  ),
  debounceMs: fc.constantFrom(undefined, undefined, 50),
  longestWaitMs: fc.constantFrom(undefined, 100),
}) as fc.Arbitrary<JobRequest>;
const job = fc.integer({ min: 1, max: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: request.map((asked) => ({ do: "ask", request: asked }) as const) },
  { weight: 3, arbitrary: job.map((id) => ({ do: "start", job: id }) as const) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(job, fc.constantFrom("done", "done", "back", "passing", "dies"))
      .map(([id, how]) => ({ do: "end", job: id, how }) as const),
  },
  { weight: 2, arbitrary: fc.constantFrom(1, 60, 2000).map((ms) => ({ do: "wait", ms }) as const) },
);

const ENDS: Readonly<Record<"done" | "back" | "passing", End>> = {
  done: {
    is: "done",
    outcome: {
      ...{ releases: [], candidates: 0, rendered: 0, changed: 0, deleted: 0, failed: 0 },
      ...{ invalidated: 0, bytes: 0, pages: [], seconds: 0 },
    },
  },
  back: { is: "handed back", inMs: 5 },
  passing: { is: "failed", isPassing: true, error: { code: "store_unavailable", message: "x" } },
};

interface Asked {
  readonly request: JobRequest;
  readonly at: number;
  readonly job: string;
}

interface Ran {
  readonly job: string;
  readonly startedAt: number;
  readonly work: string;
}

/** Requests, workers and a clock on a ledger: what was asked, and the runs that ended well. */
function openHistory(ledger: Ledger) {
  let now = 1_000_000;
  const running = new Map<number, { readonly kept: KeptJob; readonly holder: string }>();
  const asked: Asked[] = [];
  const ran: Ran[] = [];
  const jobs = openJobs(ledger, { now: () => now });
  const hold = (id: number, holder: string) => ({ id, holder, code: "" });
  const start = async (id: number) => {
    const holder = `worker ${now}`;
    const kept = await startJob(ledger, hold(id, holder), now);
    if (typeof kept === "object") running.set(id, { kept, holder });
  };
  const end = async (id: number, how: "done" | "back" | "passing" | "dies") => {
    const run = running.get(id);
    if (run === undefined) return;
    running.delete(id);
    if (how === "dies") {
      now += 10_000_000;
      await recoverJob(ledger, id, now);
      return;
    }
    const events = [] as const;
    const ended = await endJob(ledger, hold(id, run.holder), { now, events, end: ENDS[how] });
    if (ended === undefined || how !== "done") return;
    ran.push({ job: String(id), startedAt: run.kept.startedAt ?? 0, work: run.kept.work });
  };
  const act = async (each: Step) => {
    now += 1000;
    if (each.do === "wait") now += each.ms * 1000;
    else if (each.do === "start") await start(each.job);
    else if (each.do === "end") await end(each.job, each.how);
    else {
      const { job: joined } = await jobs.submit(each.request);
      asked.push({ request: each.request, at: now, job: joined.id });
    }
  };
  /** Lets all that waits run. */
  const drain = async () => {
    for (;;) {
      now += 100_000_000;
      for (const id of [...running.keys()]) await end(id, "done");
      const waiting = await ledger.jobsIn(0, 100);
      if (waiting.length === 0) return;
      for (const { id } of waiting) await start(id);
    }
  };
  return { act, drain, asked, ran };
}

/** Whether a run looks at all that was asked for. */
function answers({ work: json }: Ran, { request: { work } }: Asked): boolean {
  const run = JSON.parse(json) as Rebuild | { readonly is: "build" };
  if (work.is !== "rebuild") return run.is === work.is;
  return run.is === "rebuild" && work.targets.every((each) => run.targets.includes(each));
}

async function holds(ledger: Ledger, steps: readonly Step[]): Promise<void> {
  const { act, drain, asked, ran } = openHistory(ledger);
  for (const each of steps) await act(each);
  await drain();
  const failed = new Set((await ledger.jobsIn(3, 100)).map(({ id }) => String(id)));
  for (const each of asked) {
    const own = ran.filter(({ job }) => job === each.job);
    // Too many attempts died: somebody has to look at it.
    if (own.length === 0 && failed.has(each.job)) continue;
    expect(own).toHaveLength(1);
    expect(own[0]?.startedAt).toBeGreaterThan(each.at);
    expect(own.some((run) => answers(run, each))).toBe(true);
  }
  expect(ran.length).toBeLessThanOrEqual(asked.length);
}

const histories = fc.array(step, { minLength: 1, maxLength: 30 });

test("every request is answered by a run that started after it, and there are no more runs than requests", async () => {
  const property = fc.asyncProperty(histories, async (steps) => {
    await using ledger = await openSqliteLedger(":memory:");
    await holds(ledger, steps);
  });
  await fc.assert(property, { numRuns: 150, verbose: fc.VerbosityLevel.Verbose });
});

describeWith("shared-mariadb", "MariaDB", () => {
  test("requests at once are coalesced the same way", async () => {
    const url = await (await sharedMariaDb()).createDatabase();
    await using one = await openMysqlLedger(url);
    await using two = await openMysqlLedger(url);
    const ask = (ledger: Ledger, id: number) =>
      openJobs(ledger).submit({ work: { is: "rebuild", targets: [`a:${id}`] }, lane: "editor" });

    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, id) => ask(id % 2 === 0 ? one : two, id)),
    );
    const hold = (holder: string) => ({ id: 1, holder, code: "" });
    const now = Date.now() * 1000 + 1_000_000;
    const starts = await Promise.all(
      [one, two, one, two].map((ledger, at) => startJob(ledger, hold(`w${at}`), now)),
    );

    expect(asked.filter(({ isNew }) => isNew)).toHaveLength(1);
    const started = starts.filter((each) => typeof each === "object");
    expect(started.map(({ requests }) => requests)).toEqual([20]);
    await holds(one, [
      { do: "ask", request: { work: { is: "rebuild", targets: ["b:1"] }, lane: "live" } },
    ]);
  });
});
