import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import type { JobRequest } from "../../src/jobs/job.ts";
import { LANES } from "../../src/jobs/job.ts";
import { type Clock, HAND_ON_MS } from "../../src/lambda/hand-on.ts";
import { runRecords } from "../../src/lambda/run.ts";
import { tickOnce } from "../../src/lambda/tick.ts";
import type { Past } from "../../src/ledger/ledger.ts";
import type { Wired } from "../../src/pipeline.ts";
import { openProcess } from "../pipeline/crews.ts";
import { differences, SITE } from "../pipeline/small-site.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { type Fauxqs, startFauxqs } from "../services/fauxqs.ts";
import { randomFrom } from "../services/random.ts";
import { CALM, eventOf, type Functions, openFunctions } from "./functions.ts";

const BUILD: JobRequest = { work: { is: "build", allowDeletes: true }, lane: "nightly" };
const rebuild = (...targets: readonly string[]): JobRequest => ({
  ...{ work: { is: "rebuild", targets }, lane: "editor" },
});

let server: Fauxqs;
beforeAll(async () => {
  server = await startFauxqs();
});
afterAll(() => server[Symbol.asyncDispose]());

async function withFunctions(
  posts: number,
  work: (functions: Functions, wired: Wired, world: World) => Promise<void>,
): Promise<void> {
  await using world = await smallWorld(posts);
  await world.with(async (wired) => {
    await using functions = openFunctions(server, wired);
    await work(functions, wired, world);
  });
}

/** Builds are of now. */
async function expectExact(world: World): Promise<void> {
  world.now = Date.now() * 1000;
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
}

function names(functions: Functions): readonly string[] {
  return functions.told.map(({ event }) => event);
}

/** A message as it is when its delay is over. */
function due(text: string): string {
  return JSON.stringify({ ...JSON.parse(text), readyMs: 0 });
}

/** A clock that rings after so many puts of an invocation, and the pipeline that it counts. */
function ringingAfter(puts: number, wired: Wired) {
  let left = Number.POSITIVE_INFINITY;
  let ring = () => {};
  let cuts = 0;
  const store: Wired["store"] = {
    ...wired.store,
    async put(...of) {
      left -= 1;
      if (left === 0) {
        cuts += 1;
        ring();
      }
      return await wired.store.put(...of);
    },
  };
  const clock = (): Clock => ({
    remainingMs: () => 900_000,
    alarm(ms, whenOver) {
      expect(ms).toBe(900_000 - HAND_ON_MS);
      [left, ring] = [puts, whenOver];
      return () => {
        left = Number.POSITIVE_INFINITY;
      };
    },
  });
  return { wired: { ...wired, store }, clock, cuts: () => cuts };
}

test("a run that takes longer than functions may is gone on with by others until all is live", async () => {
  await withFunctions(30, async (functions, wired, world) => {
    const cut = ringingAfter(3, wired);
    const environment = await functions.environment(cut.wired);
    const { job } = await functions.jobs.submit(BUILD);
    const live: number[] = [];

    while ((await functions.jobs.job(job.id))?.state === "waiting") {
      await functions.invoke("nightly", environment, cut.clock());
      live.push(world.objects.size);
    }

    expect(await functions.jobs.job(job.id)).toMatchObject({ state: "done", attempts: 1 });
    await expectExact(world);
    // Each function left more than it found, and only the last one was not cut off.
    expect(cut.cuts()).toBeGreaterThan(2);
    expect(live).toEqual([...new Set(live)].toSorted((a, b) => a - b));
    expect(live).toHaveLength(cut.cuts() + 1);
    expect(names(functions).filter((name) => name === "started")).toHaveLength(live.length);
    expect(functions.queues.waiting("nightly")).toEqual([]);
  });
});

test("a job whose plan takes longer than functions may is given up after some of them", async () => {
  await withFunctions(4, async (functions, wired) => {
    let ring = () => {};
    const source: Wired["source"] = {
      ...wired.source,
      async read(...of) {
        ring();
        return await wired.source.read(...of);
      },
    };
    const environment = await functions.environment({ ...wired, source });
    const { job } = await functions.jobs.submit(BUILD);
    const alarm: Clock["alarm"] = (_, whenOver) => {
      ring = whenOver;
      return () => {};
    };

    await functions.invoke("nightly", environment, { ...CALM, alarm });

    const error = { code: "interrupted", hint: expect.stringContaining("nightbake worker") };
    expect(await functions.jobs.job(job.id)).toMatchObject({
      state: "waiting",
      attempts: 1,
      error,
    });
    expect(functions.queues.waiting("nightly")).toHaveLength(1);
    await wired.ledger.changeJob(Number(job.id), (kept) => ({
      ...(kept && { job: { ...kept, attempts: 5, startAt: 0 } }),
      result: 0,
    }));
    const again = eventOf(...functions.queues.waiting("nightly").map(due));
    await runRecords(environment, again, functions.invocation({ ...CALM, alarm }));

    expect(await functions.jobs.job(job.id)).toMatchObject({ state: "failed", attempts: 6, error });
  });
});

test("a sweep that takes longer is gone on with by the next function", async () => {
  await withFunctions(1, async (functions, wired) => {
    const past = { kind: "post", key: Buffer.from("1"), until: 1 } as unknown as Past;
    let ring = () => {};
    const ledger: Wired["ledger"] = {
      ...wired.ledger,
      async lastBefore() {
        return 1;
      },
      async sweepPast(upTo, limit) {
        ring();
        await wired.ledger.sweepPast(upTo, limit);
        return Array.from({ length: limit }, () => past);
      },
    };
    const environment = await functions.environment({
      ...wired,
      ledger,
      keep: { days: 1, releases: 1 },
    });
    const { job } = await functions.jobs.submit({ work: { is: "sweep" }, lane: "nightly" });
    const alarm: Clock["alarm"] = (_, whenOver) => {
      ring = whenOver;
      return () => {};
    };

    await functions.invoke("nightly", environment, { ...CALM, alarm });

    expect(await functions.jobs.job(job.id)).toMatchObject({ state: "waiting", attempts: 0 });
    expect(functions.queues.waiting("nightly")).toHaveLength(1);
  });
});

test("a function without time sends its message again and leaves the job alone", async () => {
  await withFunctions(2, async (functions, wired) => {
    const environment = await functions.environment(wired);
    const { job } = await functions.jobs.submit(BUILD);
    const clock: Clock = {
      remainingMs: () => HAND_ON_MS,
      alarm: () => expect.fail("no time left"),
    };

    const answer = await functions.invoke("nightly", environment, clock);

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await functions.jobs.job(job.id)).toMatchObject({ state: "waiting", attempts: 0 });
    const [again = "{}"] = functions.queues.waiting("nightly");
    expect(JSON.parse(again)).toMatchObject({ body: { is: "job", job: job.id } });
    // Not at once: such a function would do nothing else.
    expect(JSON.parse(again).readyMs).toBeGreaterThan(Date.now() + 30_000);
    expect(functions.told).toMatchObject([{ event: "trouble", error: { code: "config_invalid" } }]);
  });
});

test("exactly the messages that failed are named, and spoil no others", async () => {
  await withFunctions(4, async (functions, wired, world) => {
    let failing = false;
    const ledger: Wired["ledger"] = {
      ...wired.ledger,
      async jobsIn(...of) {
        if (!failing) return await wired.ledger.jobsIn(...of);
        failing = false;
        throw new PipelineError("ledger_unavailable", "Asked for.");
      },
    };
    const environment = await functions.environment({ ...wired, ledger });
    const { job } = await functions.jobs.submit(BUILD);
    const [message = ""] = functions.queues.waiting("nightly");
    const secret = '{"password":"s3cret"}';
    failing = true;

    const answer = await runRecords(
      environment,
      eventOf(message, secret, message, "s3cret"),
      functions.invocation(),
    );

    const failed = answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    expect(failed).toEqual(["message-0", "message-1", "message-3"]);
    expect(functions.told.filter(({ event }) => event === "refused")).toMatchObject([
      { messageId: "message-0", error: { code: "ledger_unavailable" } },
      { messageId: "message-1", error: { code: "input_invalid" } },
      { messageId: "message-3", error: { code: "input_invalid" } },
    ]);
    expect(JSON.stringify(functions.told)).not.toContain("s3cret");
    expect(await functions.jobs.job(job.id)).toMatchObject({ state: "done", attempts: 1 });
    await expectExact(world);
  });
});

test("messages that come twice, at once too, late or in another order run each job once", async () => {
  await withFunctions(6, async (functions, wired, world) => {
    const environment = await functions.environment(wired);
    const other = await functions.environment(wired);
    const first = await functions.jobs.submit(BUILD);
    await functions.ended(first.job.id, environment);
    world.edit(2, "title", "Two");
    world.edit(3, "title", "Three");
    const jobs = [
      (await functions.jobs.submit(rebuild("posts:2", "topics:x,2"))).job,
      (await functions.jobs.submit({ ...rebuild("posts:3", "topics:x,3"), lane: "live" })).job,
      (await functions.jobs.submit({ work: { is: "verify" }, lane: "nightly" })).job,
    ];
    const messages = LANES.flatMap((lane) => functions.queues.waiting(lane));
    expect(messages).toHaveLength(3);
    const late = eventOf(...messages.toReversed(), ...messages);

    await Promise.all([
      runRecords(environment, late, functions.invocation()),
      runRecords(other, late, functions.invocation()),
    ]);
    for (const { id } of jobs) await functions.ended(id, environment);

    for (const { id } of jobs) {
      expect(await functions.jobs.job(id)).toMatchObject({ state: "done", attempts: 1 });
      const events = await Array.fromAsync(functions.jobs.events(id, 0, AbortSignal.abort()));
      expect(events.filter(({ event }) => event === "done")).toHaveLength(1);
    }
    await expectExact(world);
  });
});

test("a job whose function was killed is found by the tick, and gone on with", async () => {
  await withFunctions(8, async (functions, wired, world) => {
    const { job } = await functions.jobs.submit(BUILD);
    const perils = { random: randomFrom(1), delayMs: 0, stallMs: 0 };
    await using killed = await openProcess(world.site, world.store, perils);
    const dying = await functions.environment({
      ...killed.wired,
      store: {
        ...killed.wired.store,
        async put(...of) {
          await killed.wired.store.put(...of);
          killed.kill();
          return await new Promise(() => {});
        },
      },
    });
    void functions.invoke("nightly", dying);
    while (world.objects.size === 0) await sleep(5);
    expect(await functions.jobs.job(job.id)).toMatchObject({ state: "running" });
    // Its hold and its claim end after ten seconds.
    await wired.ledger.changeJob(Number(job.id), (kept) => ({
      ...(kept && { job: { ...kept, heldUntil: 1 } }),
      result: 0,
    }));
    const database = new DatabaseSync(`${world.site.dir}/ledger.db`);
    database.exec("UPDATE nb_lease SET expires_ms = 1 WHERE slot = 4");
    database.close();
    const environment = await functions.environment(wired);
    expect(functions.queues.waiting("nightly")).toEqual([]);

    const on = {
      ledger: wired.ledger,
      site: SITE,
      schedule: { entries: [], zone: "UTC", hasDue: false },
    };
    await tickOnce({ on, queue: environment.queue }, { emit: () => {} });

    expect(await functions.ended(job.id, environment)).toMatchObject({
      state: "done",
      attempts: 2,
    });
    await expectExact(world);
  });
});

test("what waits for the run that publishes is run when it ends, without another message", async () => {
  await withFunctions(4, async (functions, wired, world) => {
    const environment = await functions.environment(wired);
    let held: Promise<unknown> | undefined;
    const slow = await functions.environment({
      ...wired,
      store: {
        ...wired.store,
        async put(...of) {
          // Meanwhile the other job's message comes, and is done with.
          held ??= functions.jobs
            .submit(BUILD)
            .then(() => functions.invoke("nightly", environment));
          await held;
          return await wired.store.put(...of);
        },
      },
    });
    const first = await functions.jobs.submit({ ...BUILD, lane: "live" });

    await functions.invoke("live", slow);

    expect(await functions.jobs.job(first.job.id)).toMatchObject({ state: "done" });
    const [waiting] = await functions.jobs.list({ state: "waiting", limit: 9 });
    expect(functions.queues.waiting("nightly")).toHaveLength(1);
    await functions.invoke("nightly", environment);
    expect(await functions.jobs.job(waiting?.id ?? "")).toMatchObject({ state: "done" });
    await expectExact(world);
  });
});

test("a function whose code is not the current one leaves the job to others", async () => {
  await withFunctions(2, async (functions, wired) => {
    const environment = await functions.environment(wired);
    const { job } = await functions.jobs.submit(BUILD);
    await wired.ledger.meetCode("another", { at: Date.now() * 1000, isActivated: true });

    const answer = await functions.invoke("nightly", environment);

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(functions.told).toMatchObject([
      { event: "trouble", error: { code: "release_outdated", at: { code: environment.code } } },
    ]);
    expect(await functions.jobs.job(job.id)).toMatchObject({ state: "waiting", attempts: 0 });
    expect(functions.queues.waiting("nightly")).toEqual([]);
  });
});
