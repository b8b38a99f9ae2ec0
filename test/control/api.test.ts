import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { clock } from "../cli/fakes.ts";
import { type Asking, type Served, served } from "./served.ts";

const named = { rows: ["article:42"] };

/** What answers have of what is looked at here. */
interface Told {
  readonly id: string;
  readonly requestedAt: string;
  readonly startAt: string;
  readonly instance: string;
  readonly jobs: readonly { readonly id: string }[];
}

/** Asks with a token for everything; gives status and JSON. */
async function asker(api: Served) {
  const token = await api.token("read", "rebuild", "build", "takedown", "metrics");
  return async (method: string, path: string, asking: Asking = {}) => {
    const response = await api.ask(method, path, { token, ...asking });
    return {
      status: response.status,
      headers: response.headers,
      json: (await response.json()) as Told,
    };
  };
}

test("a rebuild becomes a job, which says where to look", async () => {
  await using api = await served();
  const ask = await asker(api);
  const body = {
    ...named,
    routes: ["/articles/x/"],
    lists: ["tag:scaling"],
    at: ["mariadb:0-1-8"],
  };

  const { status, headers, json } = await ask("POST", "/v1/rebuilds", { body });

  expect(status).toBe(202);
  expect(headers.get("location")).toBe("/v1/jobs/1");
  const targets = ["article:42", "tag:scaling", "/articles/x/"];
  const work = { is: "rebuild", targets, at: ["mariadb:0-1-8"] };
  const job = { id: "1", state: "waiting", lane: "editor", requests: 1, work };
  expect(json).toMatchObject({ ...job, isNew: true });
  expect((await ask("GET", "/v1/jobs/1")).json).toMatchObject(job);
});

test("everything is a build in the last lane, kinds are looked at whole", async () => {
  await using api = await served();
  const ask = await asker(api);
  const works = [
    [{ everything: true }, "nightly", { is: "build" }],
    [{ everything: true, lane: "live" }, "live", { is: "build" }],
    [{ kinds: ["tag"] }, "editor", { is: "rebuild", targets: [], kinds: ["tag"] }],
  ] as const;

  for (const [body, lane, work] of works) {
    expect((await ask("POST", "/v1/rebuilds", { body })).json).toMatchObject({ lane, work });
  }
});

test("a debounced job waits", async () => {
  await using api = await served();
  const ask = await asker(api);

  const { json } = await ask("POST", "/v1/rebuilds", { body: { ...named, debounceMs: 60_000 } });

  expect(Date.parse(json.startAt) - Date.parse(json.requestedAt)).toBe(60_000);
});

test("the same key means the same request, and is refused with another", async () => {
  await using api = await served();
  const ask = await asker(api);
  const headers = { "idempotency-key": "a1" };

  const first = await ask("POST", "/v1/rebuilds", { body: named, headers });
  await api.jobs.cancel(first.json.id);
  const again = await ask("POST", "/v1/rebuilds", { body: named, headers });
  const other = await ask("POST", "/v1/rebuilds", { body: { rows: ["article:1"] }, headers });
  const without = await ask("POST", "/v1/rebuilds", { body: named });

  expect(again).toMatchObject({ status: 202, json: { id: first.json.id, isNew: false } });
  expect(other).toMatchObject({ status: 409, json: { code: "request_conflict", status: 409 } });
  expect(without.json.id).not.toBe(first.json.id);
});

test.each([
  ["that is empty", {}, 400, "request_invalid"],
  ["without names", { rows: [] }, 400, "request_invalid"],
  ["with text for a list", { rows: "article:42" }, 400, "request_invalid"],
  ["with no kind", { rows: ["article"] }, 400, "request_invalid"],
  ["with a route among rows", { rows: ["/x/"] }, 400, "request_invalid"],
  ["with too many names", { rows: new Array(1001).fill("article:42") }, 400, "request_invalid"],
  ["with everything denied", { everything: false }, 400, "request_invalid"],
  ["with everything and more", { everything: true, ...named }, 400, "request_invalid"],
  ["with an unknown lane", { ...named, lane: "fast" }, 400, "request_invalid"],
  ["with a wait below zero", { ...named, debounceMs: -1 }, 400, "request_invalid"],
  ["with what there is not", { ...named, priority: 1 }, 400, "request_invalid"],
  ["with an unknown kind of a row", { rows: ["articel:42"] }, 422, "input_invalid"],
  ["with a key of the wrong type", { rows: ["article:x"] }, 422, "input_invalid"],
  ["with an unknown kind", { kinds: ["articel"] }, 422, "input_invalid"],
  ["with no position", { ...named, at: ["mariadb:lost"] }, 422, "input_invalid"],
])("a body %s is refused, and makes no job", async (_, body, status, code) => {
  await using api = await served();
  const ask = await asker(api);

  const refused = await ask("POST", "/v1/rebuilds", { body });

  expect(refused).toMatchObject({
    status,
    json: { status, code, type: `urn:nightbake:error:${code}` },
  });
  expect(refused.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  expect((await ask("GET", "/v1/jobs")).json.jobs).toEqual([]);
});

test("jobs are listed newest first, page by page", async () => {
  await using api = await served();
  const ask = await asker(api);
  for (const lane of ["editor", "live", "nightly"]) {
    await ask("POST", "/v1/rebuilds", { body: { ...named, lane } });
  }
  const ids = async (query: string) =>
    (await ask("GET", `/v1/jobs${query}`)).json.jobs.map(({ id }) => id);

  expect(await ids("")).toEqual(["3", "2", "1"]);
  expect(await ids("?limit=2")).toEqual(["3", "2"]);
  expect(await ids("?limit=2&before=2")).toEqual(["1"]);
  expect(await ids("?lane=live&state=waiting")).toEqual(["2"]);
  expect((await ask("GET", "/v1/jobs?limit=0")).status).toBe(400);
});

test("a job that waits is cancelled at once; one that has ended stays as it is", async () => {
  await using api = await served();
  const ask = await asker(api);
  await ask("POST", "/v1/rebuilds", { body: named });

  const cancelled = await ask("POST", "/v1/jobs/1/cancel");

  expect(cancelled).toMatchObject({ status: 200, json: { state: "cancelled" } });
  expect(await ask("POST", "/v1/jobs/1/cancel")).toMatchObject({
    status: 200,
    json: cancelled.json,
  });
  expect((await ask("POST", "/v1/jobs/2/cancel")).status).toBe(404);
});

test("one token may ask so often in a minute, and others still may", async () => {
  const { now, pass } = clock();
  await using api = await served({ requestsPerMinute: 3, now });
  const [ask, other] = [await asker(api), await asker(api)];
  const statuses = [];
  for (let nth = 0; nth < 4; nth += 1) statuses.push((await ask("GET", "/v1/jobs")).status);

  const refused = await ask("GET", "/v1/jobs");
  expect([...statuses, refused.status]).toEqual([200, 200, 200, 429, 429]);
  expect(refused.json).toMatchObject({ code: "rate_limited" });
  expect(refused.headers.get("retry-after")).toBe("20");
  expect((await other("GET", "/v1/jobs")).status).toBe(200);
  expect((await api.ask("GET", "/health/live")).status).toBe(200);

  pass(20_000);
  expect((await ask("GET", "/v1/jobs")).status).toBe(200);
  expect((await ask("GET", "/v1/jobs")).status).toBe(429);
});

test("strangers are let try so often; who was known before is not among them", async () => {
  const { now, pass } = clock();
  await using api = await served({ now });
  const ask = await asker(api);
  await ask("GET", "/v1/jobs");
  const wrong = { token: `nbt_${"x".repeat(43)}` };
  const statuses = new Set();
  for (let nth = 0; nth < 60; nth += 1) statuses.add((await ask("GET", "/v1/jobs", wrong)).status);

  expect(statuses).toEqual(new Set([401]));
  expect((await ask("GET", "/v1/jobs", wrong)).status).toBe(429);
  expect((await ask("GET", "/v1/jobs")).status).toBe(200);
  expect((await ask("GET", "/v1/jobs", { token: "none" })).status).toBe(429);
  pass(60_000);
  expect((await ask("GET", "/v1/jobs", wrong)).status).toBe(401);
});

test("a clone is ready while all that it needs is there, and tells no more than codes", async () => {
  const { now, pass } = clock();
  let error: PipelineError | undefined;
  const look = async () => {
    if (error !== undefined) throw error;
  };
  const checks = [
    { name: "ledger", look: async () => {} },
    { name: "store", look },
  ];
  await using api = await served({ checks, now });
  const ready = async () => {
    const response = await api.ask("GET", "/health/ready");
    return { status: response.status, json: await response.json() };
  };

  expect(await ready()).toEqual({
    status: 200,
    json: { status: "ok", checks: { ledger: "ok", store: "ok" } },
  });
  error = new PipelineError("store_unavailable", "s3://secret does not answer.");
  // Whoever asks again at once gets the same answer.
  expect((await ready()).status).toBe(200);
  pass(2000);
  const told = { ledger: "ok", store: "store_unavailable" };
  expect(await ready()).toEqual({ status: 503, json: { status: "unavailable", checks: told } });
  expect((await api.ask("GET", "/health/live")).status).toBe(200);
});

test("metrics tell of jobs and requests, never of what nobody declared", async () => {
  await using api = await served();
  const ask = await asker(api);
  await ask("POST", "/v1/rebuilds", { body: named });
  await api.ask("GET", '/made"up');
  const token = await api.token("metrics");

  const response = await api.ask("GET", "/metrics", { token });

  const text = await response.text();
  expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  expect(text).toContain('nightbake_jobs{lane="editor",state="waiting"} 1\n');
  expect(text).toContain(
    'nightbake_http_requests_total{method="POST",route="/v1/rebuilds",status="202"} 1\n',
  );
  expect(text).toContain('nightbake_http_requests_total{method="GET",route="",status="404"} 1\n');
  expect(text).not.toContain("made");
  for (const line of text.trim().split("\n")) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) nightbake_|# (HELP|TYPE) process_|[a-z_]+(\{[^{}]*\})? [-+.\de]+$)/,
    );
  }
});

test("of what fails inside only the log has more than a code", async () => {
  await using api = await served();
  const ask = await asker(api);
  await api.ledger[Symbol.asyncDispose]();

  const { status, json } = await ask("GET", "/v1/jobs");

  expect(status).toBe(500);
  expect(json).toMatchObject({ code: "bug", detail: "The server could not answer: bug." });
  const [answered] = api.log.filter(({ error }) => error !== undefined);
  expect(json.instance).toBe(`urn:nightbake:request:${answered?.id}`);
  expect(String(answered?.error)).toContain("statement has been finalized");
});
