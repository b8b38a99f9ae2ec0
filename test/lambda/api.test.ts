import { Agent } from "node:http";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import site from "../../site.config.ts";
import { newMemory } from "../../src/control/server.ts";
import { newToken, SCOPES, tokenHash } from "../../src/control/token.ts";
import { PipelineError } from "../../src/error.ts";
import type { Message, Queue } from "../../src/jobs/queue.ts";
import { apiEvent } from "../../src/lambda/api.ts";
import { deskOf } from "../../src/lambda/desk.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { fuzzed } from "../control/fuzzed.ts";
import { type Got, sent } from "../control/sent.ts";
import { type Asking, type Served, served } from "../control/served.ts";
import { randomFrom } from "../services/random.ts";
import { gateway, kept } from "./gateway.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const REQUESTS = 300;
const TOKENS = { all: newToken(), read: newToken(), revoked: newToken(), unknown: newToken() };

/** The same tokens at each. */
async function withTokens(opening?: Parameters<typeof served>[0]): Promise<Served> {
  const api = await served(opening);
  onTestFinished(() => api[Symbol.asyncDispose]());
  const add = (name: "all" | "read" | "revoked", scopes: readonly string[]) =>
    api.ledger.addToken({ name, hash: tokenHash(TOKENS[name]), scopes, createdAt: 1 });
  await add("all", SCOPES);
  await add("read", ["read"]);
  await add("revoked", SCOPES);
  await api.ledger.revokeToken("revoked", 1);
  return api;
}

const HEADERS = [
  ...["content-type", "cache-control", "x-content-type-options", "content-security-policy"],
  ...["location", "www-authenticate", "allow", "retry-after"],
];

/** An answer but for what is never the same twice. */
async function answerOf(api: Served, [method, path, asking]: Request) {
  const response = await api.ask(method, path, asking);
  const body = await response.text();
  return {
    status: response.status,
    headers: HEADERS.map((name) => [name, response.headers.get(name)]),
    hasId: response.headers.has("x-request-id"),
    body: constant(body),
  };
}

function constant(body: string): string {
  return body
    .replace(/urn:nightbake:request:[0-9a-f-]+/g, "urn")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "now")
    .replace(/^(nightbake_http_request_seconds.*|process_\w+) [\d.e+-]+$/gm, "$1");
}

function alike(got: Got | undefined): string {
  return JSON.stringify({ ...got, body: constant(got?.body ?? "") });
}

type Request = readonly [method: string, path: string, asking: Asking];

const REBUILD = { rows: ["article:42"], lane: "editor" };
/** In turn, since they change what there is. The job is cancelled, so that its events end. */
const ROUTES: readonly Request[] = [
  ["POST", "/v1/rebuilds", { body: REBUILD, headers: { "idempotency-key": "a1" } }],
  ["POST", "/v1/rebuilds", { body: REBUILD, headers: { "idempotency-key": "a1" } }],
  ["POST", "/v1/rebuilds", { body: { rows: ["articel:42"] } }],
  ["POST", "/v1/rebuilds", { body: { rows: ["article:é💥"] } }],
  ["POST", "/v1/rebuilds", { body: "{" }],
  ["POST", "/v1/rebuilds", { body: REBUILD, headers: { "content-type": "text/plain" } }],
  ["POST", "/v1/rebuilds", { body: " ".repeat(600_000) }],
  ["POST", "/v1/rebuilds", {}],
  ["GET", "/v1/jobs?limit=2&lane=editor", {}],
  ["GET", "/v1/jobs?limit=0&x=%26%23%F0%9F%92%A5", {}],
  ["GET", "/v1/jobs/1", {}],
  ["GET", "/v1/jobs/nothing%2Fhere%3F", {}],
  ["POST", "/v1/jobs/1/cancel", {}],
  ["GET", "/v1/jobs/1/events", {}],
  ["GET", "/v1/jobs/1/events", { headers: { "last-event-id": "1" } }],
  ["GET", "/v1/jobs/1/events", { headers: { "last-event-id": "x" } }],
  ["GET", "/health/live", {}],
  ["GET", "/health/ready", {}],
  ["GET", "/metrics", {}],
  ["DELETE", "/v1/jobs/1", {}],
  ["HEAD", "/health/live", {}],
  ["GET", "//v1/jobs", {}],
  ["GET", "/", {}],
];

describe("the function behind API Gateway", () => {
  test.each([
    ["a token for all", TOKENS.all, undefined],
    ["a token for all, at a stage of its own", TOKENS.all, "live"],
    ["a token that may read", TOKENS.read, undefined],
    ["a revoked token", TOKENS.revoked, undefined],
    ["an unknown token", TOKENS.unknown, undefined],
    ["no token", undefined, undefined],
  ])("answers each route as a server does, for %s", async (_, token, stage) => {
    const listening = await withTokens();
    const behind = await withTokens({ open: gateway(stage) });

    for (const [method, path, asking] of ROUTES) {
      const asked = [method, path, { token, ...asking }] as const;
      expect([path, await answerOf(behind, asked)]).toEqual([
        path,
        await answerOf(listening, asked),
      ]);
    }
  });

  test(`answers what nobody expects as a server does (SEED=${SEED})`, async () => {
    const listening = await withTokens();
    const behind = await withTokens({ open: gateway() });
    const random = randomFrom(SEED);
    const agent = new Agent({ keepAlive: true });
    const differing: unknown[] = [];

    for (let nth = 0; nth < REQUESTS; nth += 1) {
      const each = fuzzed(random, `Bearer ${TOKENS.all}`);
      // No gateway takes the first for a request; the dots of the others are taken out of paths, as clients do.
      if (/^\*|\/%2e/.test(each.path)) continue;
      const expected = await sent(listening.url, agent, each);
      // What the gateway here refuses by itself has no type, or no answer.
      const told = await sent(behind.url, agent, each).catch(() => undefined);
      if ((told?.type ?? "") !== "" && alike(told) !== alike(expected)) {
        differing.push([{ ...each, body: String(each.body) }, told, expected]);
      }
    }
    agent.destroy();
    expect(differing.slice(0, 3)).toEqual([]);
  });
});

/** The event of a request, as a gateway would bring it. */
function event(parts: { headers?: object; http?: object; [name: string]: unknown } = {}) {
  const { http = {}, ...rest } = parts;
  const told = { method: "GET", path: "/v1/jobs", sourceIp: "203.0.113.7", ...http };
  return {
    ...{ version: "2.0", rawPath: "/v1/jobs", rawQueryString: "", headers: {} },
    ...{ requestContext: { stage: "$default", http: told }, isBase64Encoded: false },
    ...rest,
  };
}

/** A desk on a ledger in memory, and what its log has. */
async function desk(send: Queue["send"] = async () => {}) {
  const ledger = await openSqliteLedger(":memory:");
  const queue = { send, counts: async () => ({ takedown: 0, editor: 0, live: 0, nightly: 0 }) };
  const eventsUrl = "https://events.example.com";
  const options = { requestsPerMinute: 600, eventsUrl, streams: "brief" } as const;
  const answering = await deskOf({ ledger, site }, async () => queue, options);
  const log: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    log.push(String(text));
    return true;
  });
  onTestFinished(async () => {
    write.mockRestore();
    await answering[Symbol.asyncDispose]();
    await ledger[Symbol.asyncDispose]();
  });
  const scopes = ["read", "rebuild", "metrics"];
  await ledger.addToken({ name: "cms", hash: tokenHash(TOKENS.all), scopes, createdAt: 1 });
  const ask = async (asked: unknown) => {
    const answer = await apiEvent(asked, { awsRequestId: "c6af9ac6" }, async () => kept(answering));
    return { ...answer, json: JSON.parse(answer.body) };
  };
  return { ask, log };
}

const authorization = `Bearer ${TOKENS.all}`;

test.each([
  ["nothing", undefined],
  ["text", "GET /"],
  ["a list", []],
  ["a message of SQS", { Records: [] }],
  ["another format", event({ version: "1.0" })],
  ["no path", event({ rawPath: undefined })],
  ["a path that is none", event({ rawPath: "v1/jobs" })],
  ["no context", event({ requestContext: undefined })],
  ["no method", event({ http: { method: undefined } })],
  ["a method that HTTP does not have", event({ http: { method: "BREW" } })],
  ["no address", event({ http: { sourceIp: undefined } })],
  ["a header that is a list", event({ headers: { authorization: [authorization] } })],
  ["a body that is none", event({ body: { rows: [authorization] } })],
])("an event with %s is refused, and nothing of it told", async (_, malformed) => {
  const { ask, log } = await desk();

  const refused = await ask(malformed);

  expect(refused).toMatchObject({ statusCode: 400, json: { code: "request_invalid" } });
  expect(refused.headers).toMatchObject({ "content-type": expect.stringContaining("problem") });
  expect(refused.json.instance).toBe("urn:nightbake:request:c6af9ac6");
  expect(log.join("") + refused.body).not.toContain(TOKENS.all);
});

test("a body may be text or base64, names of headers may be in any case", async () => {
  const { ask, log } = await desk();
  const headers = { Authorization: authorization, "Content-Type": "application/json" };
  const body = JSON.stringify({ rows: ["article:42"], routes: ["/é/"] });
  const posted = { rawPath: "/v1/rebuilds", headers, http: { method: "POST" } };

  const plain = await ask(event({ ...posted, body }));
  const bytes = Buffer.from(body).toString("base64");
  const based = await ask(event({ ...posted, body: bytes, isBase64Encoded: true }));

  expect([plain.statusCode, based.statusCode]).toEqual([202, 202]);
  expect(based.json.work).toEqual(plain.json.work);
  expect(plain.json.work.targets).toContain("/é/");
  const links = { self: "/v1/jobs/1", events: "https://events.example.com/v1/jobs/1/events" };
  expect(plain.json.links).toEqual(links);
  expect(JSON.parse(log[0] ?? "")).toMatchObject({ event: "request", status: 202, by: "cms" });
  expect(log.join("")).not.toContain(TOKENS.all);
});

test("strangers are counted by the address that the gateway tells", async () => {
  const { ask } = await desk();
  const statuses = new Set<number>();
  for (let nth = 0; nth < 61; nth += 1) statuses.add((await ask(event())).statusCode);

  const other = await ask(event({ http: { sourceIp: "203.0.113.8" } }));
  // What a client says of itself does not count.
  const claimed = await ask(event({ headers: { "x-forwarded-for": "203.0.113.9" } }));

  expect([...statuses]).toEqual([401, 429]);
  expect([other.statusCode, claimed.statusCode]).toEqual([401, 429]);
});

test("the answer waits until the message is sent", async () => {
  const sent: Message[] = [];
  const slow = async (messages: readonly Message[]) => {
    await new Promise((resolve) => setImmediate(resolve));
    sent.push(...messages);
  };
  const { ask } = await desk(slow);
  const headers = { authorization, "content-type": "application/json" };
  const body = JSON.stringify({ rows: ["article:42"] });

  await ask(event({ rawPath: "/v1/rebuilds", headers, body, http: { method: "POST" } }));

  expect(sent).toMatchObject([{ lane: "editor", body: { is: "job", job: "1" } }]);
});

test("a function that cannot be opened says so by its code", async () => {
  const { log } = await desk();
  const open = async () => {
    const message = "The ledger at db.internal does not answer.";
    throw new PipelineError("ledger_unavailable", message);
  };

  const { statusCode, body } = await apiEvent(event(), { awsRequestId: "c6af9ac6" }, open);

  expect(statusCode).toBe(503);
  expect(JSON.parse(body)).toMatchObject({ code: "ledger_unavailable" });
  expect(body).not.toContain("db.internal");
  expect(log.join("")).toContain("db.internal");
});

test("each invocation closes what it opened, and remembers who asked how often", async () => {
  await using ledger = await openSqliteLedger(":memory:");
  const scopes = ["read"];
  await ledger.addToken({ name: "cms", hash: tokenHash(TOKENS.all), scopes, createdAt: 1 });
  const options = { requestsPerMinute: 2, eventsUrl: undefined, streams: "brief" } as const;
  const memory = newMemory(options.requestsPerMinute);
  let [opened, closed] = [0, 0];
  const open = async () => {
    opened += 1;
    const none = () => Promise.reject(new Error("Nothing is sent."));
    const answering = await deskOf({ ledger, site }, none, { ...options, memory });
    const close = async () => {
      closed += 1;
      await answering[Symbol.asyncDispose]();
    };
    return { ...answering, [Symbol.asyncDispose]: close };
  };

  const statuses = [];
  for (let nth = 0; nth < 3; nth += 1) {
    const asked = event({ headers: { authorization } });
    statuses.push((await apiEvent(asked, { awsRequestId: "c6af9ac6" }, open)).statusCode);
  }

  expect(statuses).toEqual([200, 200, 429]);
  expect([opened, closed]).toEqual([3, 3]);
});
