import { expect, test } from "vitest";
import { merged } from "../../src/jobs/coalesce.ts";
import type { JobRequest, Work } from "../../src/jobs/job.ts";
import { STATES } from "../../src/jobs/job.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";

const SECOND = 1_000_000;
const rebuild = (...targets: readonly string[]): JobRequest => ({
  work: { is: "rebuild", targets },
  lane: "editor",
});

/** Jobs of a new ledger, with a clock that is set by hand. */
async function opened() {
  const ledger = await openSqliteLedger(":memory:");
  const clock = { now: 1000 * SECOND };
  const woken: string[] = [];
  const jobs = openJobs(ledger, {
    now: () => clock.now,
    pollMs: 5,
    async onWaiting({ id }) {
      woken.push(id);
    },
  });
  return { ledger, jobs, clock, woken };
}

/** What a worker would write. */
async function become(ledger: Ledger, id: string, state: (typeof STATES)[number]): Promise<void> {
  await ledger.changeJob(Number(id), (job) => ({
    ...(job && { job: { ...job, state: STATES.indexOf(state), attempts: 1 } }),
    events: [{ at: 1, event: state === "running" ? "started" : state, data: "{}" }],
    result: 0,
  }));
}

test("a request becomes a job, of which a worker is told", async () => {
  const { jobs, woken } = await opened();

  const { job, isNew } = await jobs.submit({ ...rebuild("article:1"), by: "ann" });

  expect(isNew).toBe(true);
  expect(job).toMatchObject({
    id: "1",
    lane: "editor",
    state: "waiting",
    requests: 1,
    attempts: 0,
  });
  expect(job).toMatchObject({ requestedAt: 1000 * SECOND, startAt: 1000 * SECOND });
  expect(await jobs.job("1")).toEqual(job);
  expect(woken).toEqual(["1"]);
});

test("requests join the job of their lane that waits, and none that runs", async () => {
  const { ledger, jobs } = await opened();
  await jobs.submit(rebuild("article:1"));
  const joined = await jobs.submit({ ...rebuild("article:2", "article:1"), by: "bob" });
  await jobs.submit({ ...rebuild("article:3"), lane: "live" });
  expect(joined).toMatchObject({ isNew: false, job: { id: "1", requests: 2 } });
  expect(joined.job.work).toEqual({ is: "rebuild", targets: ["article:1", "article:2"] });

  await become(ledger, "1", "running");
  const next = [await jobs.submit(rebuild("article:1")), await jobs.submit(rebuild("article:1"))];

  expect(next.map(({ job, isNew }) => [job.id, isNew])).toEqual([
    ["3", true],
    ["3", false],
  ]);
});

test("works that are not alike, or name too much, do not join", () => {
  const build: Work = { is: "build" };
  const many = Array.from({ length: 300 }, (_, at) => `article:${at}`);
  const others = many.map((each) => `${each}0`);
  const of = (targets: readonly string[]): Work => ({ is: "rebuild", targets });

  expect(merged(build, { is: "build", allowDeletes: false })).toEqual(build);
  expect(merged(build, { is: "build", allowDeletes: true })).toBeUndefined();
  expect(merged(build, of([]))).toBeUndefined();
  expect(merged(of(many), of(others))).toBeUndefined();
  expect(merged(of(many), of(many))).toEqual(of(many));
  expect(
    merged(
      { is: "rebuild", targets: ["a:1"], kinds: ["x"], at: ["p"] },
      { is: "rebuild", targets: [], everything: true, kinds: ["y"] },
    ),
  ).toEqual({ is: "rebuild", targets: ["a:1"], kinds: ["x", "y"], everything: true, at: ["p"] });
});

test("a job waits for the last request and its debounce, but no longer than was said", async () => {
  const { jobs, clock } = await opened();
  const asked = { ...rebuild("article:1"), debounceMs: 2000, longestWaitMs: 5000 };
  const starts: number[] = [];
  for (const second of [0, 1, 2, 3, 4]) {
    clock.now = (1000 + second) * SECOND;
    starts.push((await jobs.submit(asked)).job.startAt / SECOND - 1000);
  }

  expect(starts).toEqual([2, 3, 4, 5, 5]);
  const { job } = await jobs.submit(rebuild("article:2"));
  expect(job.startAt).toBe(clock.now);
  const unbounded = { ...rebuild("article:1"), lane: "live" as const, debounceMs: 1000 };
  await jobs.submit(unbounded);
  clock.now += 20 * SECOND;
  expect((await jobs.submit(unbounded)).job.startAt).toBe(clock.now - 10 * SECOND);
});

test("an idempotency key repeats its request, even when the job is done", async () => {
  const { ledger, jobs } = await opened();
  const asked = { ...rebuild("article:1"), by: "ann", idempotencyKey: "k" };
  await jobs.submit(asked);
  await become(ledger, "1", "done");

  const again = await jobs.submit({ ...asked, work: { targets: ["article:1"], is: "rebuild" } });

  expect(again).toMatchObject({ isNew: false, job: { id: "1", state: "done", requests: 1 } });
  expect((await jobs.submit({ ...asked, by: "bob" })).isNew).toBe(true);
  await expect(jobs.submit({ ...asked, ...rebuild("article:2") })).rejects.toMatchObject({
    code: "request_conflict",
  });
});

test("a job that waits is cancelled at once, one that runs is told to stop; both can be retried", async () => {
  const { ledger, jobs, woken } = await opened();
  await jobs.submit(rebuild("article:1"));
  expect(await jobs.cancel("1")).toMatchObject({ state: "cancelled", finishedAt: 1000 * SECOND });
  await jobs.submit(rebuild("article:1"));
  await become(ledger, "2", "running");

  expect(await jobs.cancel("2")).toMatchObject({ state: "running", isStopping: true });
  expect(await jobs.retry("2")).toMatchObject({ state: "running", isStopping: true });
  await become(ledger, "2", "failed");
  expect(await jobs.cancel("2")).toMatchObject({ state: "failed" });

  expect(await jobs.retry("2")).toMatchObject({ state: "waiting", attempts: 0, isStopping: false });
  expect(await jobs.retry("1")).toMatchObject({ state: "waiting" });
  expect(woken).toEqual(["1", "2", "2", "1"]);
  for (const id of ["7", "x", "0", "01"]) {
    expect([await jobs.job(id), await jobs.cancel(id), await jobs.retry(id)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  }
});

test("events are told from anywhere on until the job has ended", async () => {
  const { ledger, jobs } = await opened();
  const { signal } = new AbortController();
  await jobs.submit(rebuild("article:1"));
  const heard = async (after: number) =>
    (await Array.fromAsync(jobs.events("1", after, signal))).map(({ id, event }) => [id, event]);

  const listening = [heard(0), heard(2)];
  await become(ledger, "1", "running");
  await become(ledger, "1", "done");

  const all = [
    [1, "queued"],
    [2, "started"],
    [3, "done"],
  ];
  expect(await Promise.all(listening)).toEqual([all, all.slice(2)]);
  expect(await heard(3)).toEqual([]);
  expect(await Array.fromAsync(jobs.events("9", 0, signal))).toEqual([]);
});

test("whoever listens to a job that waits stops with the signal", async () => {
  const { jobs } = await opened();
  await jobs.submit(rebuild("article:1"));
  const stop = new AbortController();
  const events: string[] = [];

  for await (const { event } of jobs.events("1", 0, stop.signal)) {
    events.push(event);
    setTimeout(() => stop.abort(), 20);
  }

  expect(events).toEqual(["queued"]);
});

test("jobs are listed newest first, and counted by lane and state", async () => {
  const { ledger, jobs } = await opened();
  for (const lane of ["editor", "live", "nightly"] as const)
    await jobs.submit({ ...rebuild("article:1"), lane });
  await become(ledger, "2", "done");
  const ids = async (of: object) => (await jobs.list({ limit: 9, ...of })).map(({ id }) => id);

  expect(await ids({})).toEqual(["3", "2", "1"]);
  expect(await ids({ state: "waiting" })).toEqual(["3", "1"]);
  expect(await ids({ lane: "live" })).toEqual(["2"]);
  expect(await ids({ before: "3", limit: 1 })).toEqual(["2"]);
  expect(await ids({ before: "not an id" })).toEqual([]);
  expect(await jobs.counts()).toEqual([
    { lane: "editor", state: "waiting", jobs: 1 },
    { lane: "live", state: "done", jobs: 1 },
    { lane: "nightly", state: "waiting", jobs: 1 },
  ]);
});
