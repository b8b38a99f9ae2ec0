import { afterAll, beforeAll, expect, test } from "vitest";
import { startJob } from "../../src/jobs/attempt.ts";
import { readSchedule } from "../../src/jobs/schedule.ts";
import { tickOnce } from "../../src/lambda/tick.ts";
import { SITE } from "../pipeline/small-site.ts";
import { smallWorld } from "../pipeline/world.ts";
import { type Fauxqs, startFauxqs } from "../services/fauxqs.ts";
import { openFunctions } from "./functions.ts";

const SCHEDULE = {
  ...{ scheduleBuild: "0 3 * * *", scheduleVerify: "off", scheduleSweep: "off" },
  ...{ scheduleDue: "on", scheduleTimeZone: "Europe/Berlin" },
};

let server: Fauxqs;
beforeAll(async () => {
  server = await startFauxqs();
});
afterAll(() => server[Symbol.asyncDispose]());

test("a tick that comes twice, late or not at all asks for a night's build once, and sends what waits", async () => {
  await using world = await smallWorld(2);
  await world.with(async (wired) => {
    await using functions = openFunctions(server, wired);
    const { queue } = await functions.environment(wired);
    // Berlin's clock skips this night from two to three.
    const night = Date.parse("2026-03-29T01:00:00Z");
    const on = { ledger: wired.ledger, site: SITE, schedule: readSchedule(SCHEDULE, night) };
    const emitted: object[] = [];
    const emit = (event: object) => void emitted.push(event);
    const tick = (nowMs: number) => tickOnce({ on, queue }, { emit, now: () => nowMs });

    await tick(night - 40_000);
    expect(await functions.jobs.list({ limit: 9 })).toEqual([]);
    // Two minutes' calls were lost, the next one comes twice.
    await Promise.all([tick(night + 140_000), tick(night + 140_000)]);
    await tick(night + 200_000);

    const jobs = await functions.jobs.list({ limit: 9 });
    expect(jobs).toMatchObject([{ work: { is: "build" }, lane: "nightly", state: "waiting" }]);
    expect(emitted).toMatchObject([{ event: "note", message: expect.stringContaining("build") }]);
    const bodies = functions.queues.waiting("nightly").map((text) => JSON.parse(text).body);
    expect(bodies.length).toBeGreaterThan(0);
    expect(bodies).toEqual(bodies.map(() => ({ is: "job", job: jobs[0]?.id })));
  });
});

test("a job whose functions died each time has failed, and the tick that finds it says so", async () => {
  await using world = await smallWorld(2);
  await world.with(async (wired) => {
    await using functions = openFunctions(server, wired);
    const { queue, code } = await functions.environment(wired);
    const { job } = await functions.jobs.submit({ lane: "editor", work: { is: "build" } });
    let nowMs = Date.now();
    const never = { ...SCHEDULE, scheduleBuild: "off", scheduleDue: "off" };
    const on = { ledger: wired.ledger, site: SITE, schedule: readSchedule(never, nowMs) };
    const emitted: object[] = [];

    for (let deaths = 0; deaths < 6; deaths += 1) {
      expect(emitted).toEqual([]);
      const hold = { id: Number(job.id), holder: `lambda-${deaths}`, code };
      await startJob(wired.ledger, hold, nowMs * 1000);
      nowMs += 600_000;
      await tickOnce({ on, queue }, { emit: (event) => emitted.push(event), now: () => nowMs });
    }

    const failed = { id: job.id, state: "failed", error: { code: "worker_lost" } };
    expect(emitted).toMatchObject([{ event: "ended", job: failed }]);
  });
});
