import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { jobEvents, type RemoteEvent } from "../../src/control/remote.ts";
import { STATES } from "../../src/jobs/job.ts";
import { eventAt } from "../../src/jobs/kept.ts";
import type { KeptJob } from "../../src/ledger/ledger.ts";
import { randomFrom } from "../services/random.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { balancer } from "./balancer.ts";
import { type Served, served } from "./served.ts";
import { tellDone as end, tell } from "./tell.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const REBUILD = { work: { is: "rebuild", targets: ["article:1"] }, lane: "editor" } as const;

/** Ids of events, as they come. */
function following(events: AsyncIterable<RemoteEvent>) {
  const seen: number[] = [];
  const ended = (async () => {
    for await (const { id } of events) seen.push(Number(id));
  })();
  return { seen, ended };
}

/** Two clones on one ledger, what stands before them, and a job that one may follow. */
async function clones() {
  const file = join(temporaryFolder("nightbake-control-"), "ledger.db");
  await using parts = new AsyncDisposableStack();
  const one = parts.use(await served({ file }));
  const two = parts.use(await served({ file }));
  const front = parts.use(await balancer(one.url));
  const { job } = await one.jobs.submit(REBUILD);
  const token = await one.token("read");
  const remote = { url: front.url, token, signal: new AbortController().signal };
  const open = parts.move();
  return { one, two, front, job: job.id, remote, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

test(`a client that loses its clone again and again gets every event once (SEED=${SEED})`, async () => {
  await using site = await clones();
  const { one, two, front, job, remote } = site;
  const random = randomFrom(SEED);
  const { seen, ended } = following(jobEvents(remote, job));

  for (let nth = 0, clone = one, before = 0; nth < 120; nth += 1) {
    if (nth % 30 === 29) {
      // This clone has told what nobody knew when the last connection was lost.
      await expect.poll(() => seen.length).toBeGreaterThan(before);
      before = nth + 1;
      clone = clone === one ? two : one;
      front.lead(clone.url, { cut: true });
    }
    await tell(one.ledger, job, "note");
    await sleep(random() * 12);
  }
  await end(two.ledger, job);
  await ended;

  expect(seen).toEqual(Array.from({ length: 122 }, (_, at) => at + 1));
  // Both of them served it.
  for (const { log } of [one, two]) {
    expect(log.filter(({ route }) => route.endsWith("/events")).length).toBeGreaterThanOrEqual(2);
  }
});

test("a clone that stops ends its streams at once, and their clients go on at another", async () => {
  await using site = await clones();
  const { one, two, front, job, remote } = site;
  const { seen, ended } = following(jobEvents(remote, job));
  await expect.poll(() => seen).toEqual([1]);

  const whole = one.ask("GET", `/v1/jobs/${job}/events`, { token: remote.token });
  const text = (await whole).text();

  front.lead(two.url);
  await one.stop();
  // It is ended, not cut off.
  expect(await text).toContain("id: 1\n");
  await end(two.ledger, job);

  await ended;
  expect(seen).toEqual([1, 2]);
});

/** The lines of a stream, until `isEnough` or its end. */
async function linesOf(response: Response, isEnough: (text: string) => boolean): Promise<string> {
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (isEnough(text)) break;
  }
  return text;
}

const follow = async (api: Served, path: string, headers: Record<string, string> = {}) =>
  api.ask("GET", path, { headers, token: await api.token("read") });

test("a stream begins behind the event that came last", async () => {
  await using api = await served();
  const { job } = await api.jobs.submit(REBUILD);
  await tell(api.ledger, job.id, "note");
  await end(api.ledger, job.id);
  const path = `/v1/jobs/${job.id}/events`;

  const text = await (await follow(api, path, { "last-event-id": "1" })).text();

  expect(text.match(/^id: .*$/gm)).toEqual(["id: 2", "id: 3"]);
  expect(await (await follow(api, path, { "last-event-id": "3" })).text()).not.toContain("id:");
  expect((await follow(api, path, { "last-event-id": "x" })).status).toBe(400);
  expect((await follow(api, "/v1/jobs/99/events")).status).toBe(404);
});

test("a stream shows that it lives, and ends when its token is revoked", async () => {
  await using api = await served({ heartbeatMs: 20 });
  const { job } = await api.jobs.submit(REBUILD);
  const response = await follow(api, `/v1/jobs/${job.id}/events`);
  const [{ name = "" } = {}] = await api.ledger.tokens();
  let beats = 0;

  const text = await linesOf(response, (all) => {
    beats = all.split(": nothing new").length - 1;
    if (beats === 3) void api.ledger.revokeToken(name, 1);
    return false;
  });

  expect(beats).toBeGreaterThanOrEqual(3);
  expect(text).toMatch(/^retry: \d+\n/);
});

test("a client that goes leaves nothing behind", async () => {
  await using api = await served();
  const { job } = await api.jobs.submit(REBUILD);
  const response = await follow(api, `/v1/jobs/${job.id}/events`);
  const metrics = await api.token("metrics");
  const streams = async () => {
    const text = await (await api.ask("GET", "/metrics", { token: metrics })).text();
    return /^nightbake_event_streams (\d+)$/m.exec(text)?.[1];
  };
  await linesOf(response, (text) => text.includes("id: 1"));

  await expect.poll(streams).toBe("0");
});

test("a token may follow so many jobs, and one more when it follows one less", async () => {
  await using api = await served();
  const { job } = await api.jobs.submit(REBUILD);
  const token = await api.token("read");
  const open = () => api.ask("GET", `/v1/jobs/${job.id}/events`, { token });
  const streams = await Promise.all(Array.from({ length: 50 }, open));

  expect((await open()).status).toBe(429);

  await streams[0]?.body?.cancel();
  await expect.poll(async () => (await open()).status).toBe(200);
});

test("what nobody foresaw is told without its message", async () => {
  await using api = await served();
  const { job } = await api.jobs.submit(REBUILD);
  const error = { code: "bug", message: "mysql://bake:pass@db" };
  await api.ledger.changeJob(Number(job.id), (kept) => ({
    job: { ...(kept as KeptJob), state: STATES.indexOf("failed"), error: JSON.stringify(error) },
    events: [eventAt(1, "failed", error)],
    result: undefined,
  }));

  const events = await (await follow(api, `/v1/jobs/${job.id}/events`)).text();
  const told = await (await follow(api, `/v1/jobs/${job.id}`)).text();

  expect(events + told).not.toContain("pass");
  expect(events).toContain('"code":"bug"');
  expect(told).toContain('"code":"bug"');
});
