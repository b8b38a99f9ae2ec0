import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { jobEvents } from "../../src/control/remote.ts";
import { STATES } from "../../src/jobs/job.ts";
import { eventAt } from "../../src/jobs/kept.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { type Opening, served } from "../control/served.ts";
import { functionUrl, type Invocation, runtime } from "./function-url.ts";
import { gateway } from "./gateway.ts";

const REBUILD = { work: { is: "rebuild", targets: ["article:1"] }, lane: "editor" } as const;

beforeAll(() => vi.stubGlobal("awslambda", runtime));
afterAll(() => vi.unstubAllGlobals());

/** The function with a job that a token may follow. */
async function followed(opening?: Opening) {
  const invocations: Invocation[] = [];
  const api = await served({ open: opening ?? functionUrl(invocations) });
  onTestFinished(() => api[Symbol.asyncDispose]());
  const { job } = await api.jobs.submit(REBUILD);
  const token = await api.token("read");
  return { api, invocations, job: job.id, token };
}

/** What a worker does between two events. */
async function tell(ledger: Ledger, job: string, event: "note" | "done") {
  const ended = event === "done" && { state: STATES.indexOf("done"), finishedAt: 2 };
  await ledger.changeJob(Number(job), (kept) => {
    if (kept === undefined) throw new Error("There is no such job.");
    return { job: { ...kept, ...ended }, events: [eventAt(1, event)], result: undefined };
  });
}

test("a client gets every event once, over any number of invocations", async () => {
  const { api, invocations, job, token } = await followed();
  const seen: number[] = [];
  const remote = { url: api.url, token, signal: new AbortController().signal };
  const following = (async () => {
    for await (const { id } of jobEvents(remote, job)) seen.push(Number(id));
  })();

  for (let nth = 1; nth <= 4; nth += 1) {
    await vi.waitUntil(() => seen.length === 2 * nth - 1 && invocations.length === nth);
    await tell(api.ledger, job, "note");
    await vi.waitUntil(() => seen.length === 2 * nth);
    // Something happens while nobody follows.
    invocations.at(-1)?.alarms[0]?.ring();
    await invocations.at(-1)?.ended;
    await tell(api.ledger, job, nth === 4 ? "done" : "note");
  }
  await following;

  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(invocations).toHaveLength(5);
  await Promise.all(invocations.map(({ ended }) => ended));
});

test("behind API Gateway a stream ends with what is known, and its client goes on behind that", async () => {
  const { api, job, token } = await followed(gateway());
  const seen: number[] = [];
  const remote = { url: api.url, token, signal: new AbortController().signal };

  for await (const { id } of jobEvents(remote, job)) {
    seen.push(Number(id));
    if (seen.length < 4) await tell(api.ledger, job, seen.length === 3 ? "done" : "note");
  }

  expect(seen).toEqual([1, 2, 3, 4]);
  expect(api.log.length).toBeGreaterThan(1);
});

test("a stream is ended before the function's time is over, and counts no more", async () => {
  const { api, invocations, job, token } = await followed();

  const response = await api.ask("GET", `/v1/jobs/${job}/events`, { token });
  const text = response.text();
  await vi.waitUntil(() => invocations.length === 1);
  const [alarm] = invocations[0]?.alarms ?? [];
  expect(alarm?.ms).toBe(895_000);
  alarm?.ring();

  // It ends like any other: nothing is cut off.
  expect(await text).toMatch(/^retry: 1000\n\nid: 1\nevent: queued\ndata: \{.*\}\n\n$/);
  const metrics = await api.ask("GET", "/metrics", { token: await api.token("metrics") });
  expect(await metrics.text()).toContain("\nnightbake_event_streams 0\n");
});

test("a client that goes away ends its stream", async () => {
  const { api, invocations, job, token } = await followed();
  const leave = new AbortController();
  const headers = { authorization: `Bearer ${token}` };
  const url = `${api.url}/v1/jobs/${job}/events`;

  const response = await fetch(url, { headers, signal: leave.signal });
  await response.body?.getReader().read();
  leave.abort();

  await invocations[0]?.ended;
  expect(api.log).toMatchObject([{ status: 200, route: "/v1/jobs/:id/events" }]);
});

test("what is no stream has its status and headers, too, with a body or without", async () => {
  const { api, token } = await followed();

  const refused = await api.ask("GET", "/v1/jobs/7/events", { token });
  const unknown = await api.ask("GET", "/v1/jobs/1/events", {});
  const head = await api.ask("HEAD", "/v1/jobs/1/events", { token });

  expect([refused.status, unknown.status, head.status]).toEqual([404, 401, 405]);
  expect(await refused.json()).toMatchObject({ code: "not_found" });
  expect(unknown.headers.get("www-authenticate")).toBe('Bearer realm="nightbake"');
  expect(head.headers.get("allow")).toBe("GET");
});

test("the function is given to Lambda's runtime as one that streams", async () => {
  const given = vi.fn((streaming) => streaming);
  vi.stubGlobal("awslambda", { ...runtime, streamifyResponse: given });
  vi.resetModules();

  const { events } = await import("../../src/lambda.ts");

  expect(given.mock.calls).toEqual([[events]]);
  vi.stubGlobal("awslambda", runtime);
});
