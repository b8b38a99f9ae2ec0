import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { canonical } from "../../src/jobs/coalesce.ts";
import type { JobRequest } from "../../src/jobs/job.ts";
import { STATES } from "../../src/jobs/job.ts";
import { memoryQueue } from "../../src/jobs/memory-queue.ts";
import type { Queue } from "../../src/jobs/queue.ts";
import { sweepJobs } from "../../src/jobs/sweep-jobs.ts";
import type { Wired } from "../../src/pipeline.ts";
import { differences } from "../pipeline/small-site.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { startWorking } from "./working.ts";

const BUILD: JobRequest = { work: { is: "build", allowDeletes: true }, lane: "nightly" };
const rebuild = (...targets: readonly string[]): JobRequest => ({
  work: { is: "rebuild", targets },
  lane: "editor",
});

/** The world's pipeline, which puts only when it is told to. */
function holding(wired: Wired) {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let puts = 0;
  const store: Wired["store"] = {
    ...wired.store,
    async put(...of) {
      puts += 1;
      await gate;
      return await wired.store.put(...of);
    },
  };
  return { wired: { ...wired, store }, open, puts: () => puts };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

/** The builds of workers are of now. */
async function expectExact(world: World): Promise<void> {
  world.now = Date.now() * 1000;
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
}

test("a job is run, its events tell how, and done means that all is live", async () => {
  await using world = await smallWorld(6);
  await world.with(async (wired) => {
    await using working = startWorking(wired);
    await working.done(BUILD);
    world.edit(2, "title", "Edited");

    const job = await working.done({ ...rebuild("posts:2", "topics:x,2"), by: "ann" });

    await expectExact(world);
    expect(job).toMatchObject({ state: "done", attempts: 1, holder: undefined, error: undefined });
    const { outcome } = job;
    expect(outcome).toMatchObject({ releases: [2], failed: 0, changed: outcome?.pages.length });
    const urls = outcome?.pages.map(({ url }) => url) ?? [];
    expect(urls).toContain("https://small.example/notes/2/");
    expect(urls).not.toContain("https://small.example/notes/1/");
    expect(outcome?.seconds).toBeGreaterThan(0);
    const { signal } = new AbortController();
    const events = await Array.fromAsync(working.jobs.events(job.id, 0, signal));
    const names = events.map(({ event }) => event);
    expect(names.filter((name) => name !== "progress" && name !== "note")).toEqual([
      ...["queued", "started", "planned", "published", "live", "done"],
    ]);
    expect(events[0]?.data).toMatchObject({ by: "ann", lane: "editor" });
    expect(events.find(({ event }) => event === "live")?.data).toEqual(outcome);
    expect(working.events.map(({ event }) => event)).toEqual([
      ...["started", "ended", "started", "ended"],
    ]);
  });
});

test("does each kind of work; pages that fail are told", async () => {
  await using world = await smallWorld(4);
  await world.with(async (wired) => {
    await using working = startWorking(wired);
    await working.done(BUILD);
    world.edit(1, "title", "throw");
    const due = await working.done({ work: { is: "due" }, lane: "live" });
    expect(due).toMatchObject({ state: "done", outcome: { releases: [], changed: 0 } });

    const kinds = { is: "rebuild", targets: [], kinds: ["post", "all"] } as const;
    const job = await working.done({ work: kinds, lane: "live" });

    expect(job.outcome).toMatchObject({ failed: 1, releases: [2, 3] });
    const { signal } = new AbortController();
    const events = await Array.fromAsync(working.jobs.events(job.id, 0, signal));
    expect(events.find(({ event }) => event === "failed-row")?.data).toMatchObject({
      ...{ kind: "post", key: "1", code: "template_failed" },
    });
    const everything = { is: "rebuild", targets: ["posts:2"], everything: true } as const;
    expect(await working.done({ work: everything, lane: "editor" })).toMatchObject({
      ...{ state: "done", outcome: { failed: 1 } },
    });
    const verify = await working.done({ work: { is: "verify" }, lane: "nightly" });
    expect(verify).toMatchObject({ state: "done", outcome: { failed: 0 } });
    expect((await working.done({ work: { is: "sweep" }, lane: "nightly" })).state).toBe("done");
  });
});

test("what will not pass is a dead letter with its reason; it can be retried", async () => {
  await using world = await smallWorld(2);
  await world.with(async (wired) => {
    await using working = startWorking(wired);

    const job = await working.done(rebuild("nothing:1"));

    expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code: "input_invalid" } });
    expect(job.error?.message).toContain("nothing");
    await working.jobs.retry(job.id);
    expect(await working.ended(job.id)).toMatchObject({ state: "failed", attempts: 1 });
  });
});

test("what may pass is tried again after a while, and given up in the end", async () => {
  await using world = await smallWorld(2);
  await world.with(async (wired) => {
    let failures = 1;
    const check = async () => {
      failures -= 1;
      if (failures >= 0) throw new PipelineError("store_unavailable", "Asked for.");
    };
    await using working = startWorking({ ...wired, store: { ...wired.store, check } });

    const job = await working.done(BUILD);

    expect(job).toMatchObject({ state: "done", attempts: 2, error: undefined });
    const { signal } = new AbortController();
    const events = await Array.fromAsync(working.jobs.events(job.id, 0, signal));
    expect(events.find(({ event }) => event === "again")?.data).toEqual({
      ...{ code: "store_unavailable", message: "Asked for.", inMs: 1000 },
    });
    failures = 1;
    const { job: last } = await working.jobs.submit({ ...rebuild("posts:1"), debounceMs: 500 });
    await wired.ledger.changeJob(Number(last.id), (kept) => ({
      ...(kept && { job: { ...kept, attempts: 5 } }),
      result: 0,
    }));
    expect(await working.ended(last.id)).toMatchObject({
      ...{ state: "failed", attempts: 6, error: { code: "store_unavailable" } },
    });
  });
});

test("a job that runs is cancelled in time, and what it began is completed by the next", async () => {
  await using world = await smallWorld(4);
  await world.with(async (opened) => {
    const held = holding(opened);
    await using working = startWorking(held.wired);
    const { job } = await working.jobs.submit(BUILD);
    await until(() => held.puts() > 0);

    expect(await working.jobs.cancel(job.id)).toMatchObject({ state: "running", isStopping: true });
    await sleep(700);
    held.open();

    expect(await working.ended(job.id)).toMatchObject({ state: "cancelled" });
    expect((await working.done(BUILD)).state).toBe("done");
    await expectExact(world);
  });
});

test("a worker that is stopped hands its job back, and another ends it", async () => {
  await using world = await smallWorld(4);
  await world.with(async (opened) => {
    const held = holding(opened);
    const first = startWorking(held.wired, { graceMs: 50 });
    const { job } = await first.jobs.submit(BUILD);
    await until(() => held.puts() > 0);
    const stopping = first.stop();
    await sleep(100);
    held.open();
    await stopping;
    expect(await first.jobs.job(job.id)).toMatchObject({ state: "waiting", attempts: 0 });

    await using second = startWorking(opened);

    expect(await second.ended(job.id)).toMatchObject({ state: "done", attempts: 1 });
    await expectExact(world);
  });
});

test("a worker that is stopped ends what ends in time", async () => {
  await using world = await smallWorld(4);
  await world.with(async (opened) => {
    const held = holding(opened);
    const working = startWorking(held.wired, { graceMs: 60_000 });
    const { job } = await working.jobs.submit(BUILD);
    await until(() => held.puts() > 0);

    const stopping = working.stop();
    held.open();
    await stopping;

    expect(await working.jobs.job(job.id)).toMatchObject({ state: "done" });
  });
});

test("a job whose worker was not heard of is found in the ledger, again and again, and given up", async () => {
  await using world = await smallWorld(2);
  await world.with(async (wired) => {
    const lost = async (attempts: number, holder = "gone") => {
      await using idle = startWorking(wired, { concurrency: 1 });
      await idle.stop();
      const { job } = await idle.jobs.submit({ ...BUILD, lane: "live" });
      await wired.ledger.changeJob(Number(job.id), (kept) => ({
        ...(kept && {
          job: {
            ...{ ...kept, attempts, state: STATES.indexOf("running") },
            ...{ holder, heldUntil: Date.now() * 1000 - 1 },
          },
        }),
        result: 0,
      }));
      return job.id;
    };
    const ids = [await lost(1), await lost(6)];
    const busy = await lost(1, `${hostname()}-${process.pid}-busy-1`);

    await using working = startWorking(wired);

    expect(await working.ended(ids[0] ?? "")).toMatchObject({ state: "done", attempts: 2 });
    expect(await working.ended(ids[1] ?? "")).toMatchObject({
      ...{ state: "failed", attempts: 6, error: { code: "worker_lost" } },
    });
    // Its process lives, and this one knows it.
    expect(await working.jobs.job(busy)).toMatchObject({ state: "running", attempts: 1 });
  });
});

test("a request that comes while its job runs makes one more job, which runs after it", async () => {
  await using world = await smallWorld(4);
  await world.with(async (opened) => {
    const held = holding(opened);
    await using working = startWorking(held.wired);
    await working.jobs.submit(BUILD);
    await until(() => held.puts() > 0);
    world.edit(1, "title", "Late");

    const asked = [await working.jobs.submit(BUILD), await working.jobs.submit(BUILD)];
    held.open();

    expect(asked.map(({ job, isNew }) => [job.id, isNew])).toEqual([
      ["2", true],
      ["2", false],
    ]);
    const [one, two] = [await working.ended("1"), await working.ended("2")];
    expect(two.startedAt).toBeGreaterThanOrEqual(one.finishedAt ?? Number.POSITIVE_INFINITY);
    expect(two).toMatchObject({ requests: 2, attempts: 1 });
    await expectExact(world);
  });
});

test("a worker that has its hands full sends nothing that waits", async () => {
  await using world = await smallWorld(2);
  await world.with(async (wired) => {
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let looks = 0;
    const slow: Wired = {
      ...wired,
      source: {
        ...wired.source,
        async read(...of) {
          begun.resolve();
          await gate.promise;
          return await wired.source.read(...of);
        },
      },
      ledger: {
        ...wired.ledger,
        async jobsIn(...of) {
          looks += 1;
          return await wired.ledger.jobsIn(...of);
        },
      },
    };
    const queue = memoryQueue();
    let sent = 0;
    const counting: Queue = {
      ...queue,
      async send(messages) {
        sent += messages.length;
        await queue.send(messages);
      },
    };
    const options = { queue: counting, concurrency: 1, sweepMs: 1 };
    await using working = startWorking(slow, options);
    await working.jobs.submit(BUILD);
    await begun.promise;
    const { job } = await working.jobs.submit(BUILD);
    const [before, from] = [sent, looks];

    await until(() => looks > from + 10);

    const after = sent;
    gate.resolve();
    expect(after).toBe(before);
    expect(await working.ended(job.id)).toMatchObject({ state: "done" });
  });
});

test("what waits for the run that publishes is not sent again and again", async () => {
  await using world = await smallWorld(2);
  await world.with(async (opened) => {
    const held = holding(opened);
    const sent: number[] = [];
    const sweeping = {
      ledger: held.wired.ledger,
      now: () => Date.now() * 1000,
      emit: () => {},
      wake: async (jobs: readonly { readonly id: number }[]) =>
        void sent.push(...jobs.map(({ id }) => id)),
    };
    await using working = startWorking(held.wired, { sweepMs: 60_000 });
    await working.jobs.submit(BUILD);
    await until(() => held.puts() > 0);
    const { job } = await working.jobs.submit(BUILD);

    for (let turn = 0; turn < 5; turn += 1) await sweepJobs(sweeping, { isForgetting: false });
    held.open();

    expect(sent).toEqual([]);
    expect(await working.ended(job.id)).toMatchObject({ state: "done" });
  });
});

test.each([1, 3])(
  "of what came while a job ran the most urgent is started first, with %s in hand",
  async (concurrency) => {
    await using world = await smallWorld(2);
    await world.with(async (opened) => {
      const held = holding(opened);
      await using working = startWorking(held.wired, { concurrency });
      await working.jobs.submit(BUILD);
      await until(() => held.puts() > 0);

      const lanes = ["nightly", "live", "editor", "takedown"] as const;
      for (const lane of lanes) await working.jobs.submit({ ...rebuild("posts:1"), lane });
      await sleep(400);
      held.open();

      for (const id of ["2", "3", "4", "5"]) await working.ended(id);
      const started = working.events.flatMap((each) =>
        // Those that passed a build are looked at again after it.
        each.event === "started" && !canonical(each.job.work).includes("looksAgain")
          ? each.job.lane
          : [],
      );
      expect(started).toEqual(["nightly", ...lanes.toReversed()]);
    });
  },
);
