import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { JobEvent, JobRequest } from "../../src/jobs/job.ts";
import { describeWith } from "../services/requires.ts";
import { startClones } from "./clones.ts";

const BUILD: JobRequest = { work: { is: "build", allowDeletes: true }, lane: "nightly" };
const rebuild = (id: number): JobRequest => ({
  work: { is: "rebuild", targets: [`posts:${id}`, `topics:x,${id}`] },
  lane: "editor",
});

/** Seconds between the last event before an attempt that was not the first, and that attempt. */
function recovery(events: readonly JobEvent[]): string {
  const starts = events.filter(({ event }) => event === "started");
  const again = starts.at(-1);
  const before = events
    .filter(({ id }) => id < (again?.id ?? 0))
    .filter(({ event }) => event !== "again");
  return `${((again?.at ?? 0) - (before.at(-1)?.at ?? 0)) / 1_000_000} s`;
}

describeWith("redis", "Workers in processes of their own", () => {
  test("one is killed, one is stopped, Redis is restarted and emptied: all jobs end, and the site is exact", async () => {
    await using clones = await startClones({ posts: 12, workers: 3, pauseMs: 40 });
    const { jobs, world, redis } = clones;

    const { job: first } = await jobs.submit(BUILD);
    const killed = await clones.holderOf(first.id);
    await killed.kill();
    expect(await clones.ended(first.id)).toMatchObject({ state: "done", attempts: 2 });
    console.log(`replaced after kill -9: ${recovery(await clones.events(first.id))}`);
    expect(await clones.differences()).toEqual([]);

    for (const id of [1, 2, 3, 4]) world.edit(id, "title", "Second");
    const { job: second } = await jobs.submit(BUILD);
    const stopped = await clones.holderOf(second.id);
    process.kill(stopped.pid, "SIGTERM");
    expect(await clones.ended(second.id)).toMatchObject({ state: "done", attempts: 1 });
    expect(await stopped.ended()).toBe(0);
    console.log(`replaced after SIGTERM: ${recovery(await clones.events(second.id))}`);

    for (const id of [5, 6, 7, 8]) world.edit(id, "title", "Third");
    const { job: third } = await jobs.submit(BUILD);
    await clones.holderOf(third.id);
    await redis.kill();
    world.edit(9, "title", "While Redis is away");
    const { job: lost } = await jobs.submit(rebuild(9));
    await redis.start();
    expect(await clones.ended(third.id)).toMatchObject({ state: "done", attempts: 1 });
    const found = await clones.ended(lost.id);
    expect(found).toMatchObject({ state: "done", outcome: { failed: 0 } });
    console.log(`asked for without Redis, live after ${found.outcome?.seconds} s`);

    for (const id of [1, 5, 10]) world.edit(id, "title", "Fourth");
    const asked = [await jobs.submit(BUILD), await jobs.submit(rebuild(1))];
    asked.push(await jobs.submit({ ...rebuild(5), lane: "live" }));
    await redis.flush();
    await sleep(100);
    asked.push(await jobs.submit({ ...rebuild(10), lane: "takedown" }));
    const ended = await Promise.all(asked.map(({ job }) => clones.ended(job.id)));
    expect(ended.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
    const waits = ended.map(({ outcome }) => outcome?.seconds.toFixed(1));
    console.log(`live after Redis was emptied: ${waits.join(", ")} s`);

    expect(await clones.differences()).toEqual([]);
  }, 120_000);
});
