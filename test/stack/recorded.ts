import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import type { Config } from "../../src/config.ts";
import { newToken, SCOPES, tokenHash } from "../../src/control/token.ts";
import { doWork } from "../../src/jobs/do-work.ts";
import { type Job, LANES, type Work } from "../../src/jobs/job.ts";
import { apiEvent } from "../../src/lambda/api.ts";
import { deskOf } from "../../src/lambda/desk.ts";
import type { QueueEvent } from "../../src/lambda/event.ts";
import { runRecords } from "../../src/lambda/run.ts";
import { tickOnce } from "../../src/lambda/tick.ts";
import { CREW, helpOut, releasesOf, resume, rollback, takeDown } from "../../src/pipeline.ts";
import { openLoad, openWork } from "../../src/wiring.ts";
import { openHistory } from "../../src/wiring-ledger.ts";
import { openQueue } from "../../src/wiring-queue.ts";
import { openTick } from "../../src/wiring-schedule.ts";
import { ROOT } from "../cli/nightbake.ts";
import { openRecorder, type Recorder } from "./recorder.ts";
import { openServers } from "./servers.ts";

/** What each function asks, and a person with a clone. */
export type Calls = Readonly<Record<string, readonly string[]>>;

const QUIET = { emit: () => {}, signal: new AbortController().signal };
/** So small that helpers find some, however few pages there are. */
const TERMS = { ...CREW, pages: 1, pollMs: 1 };
const ROUTE = "/articles/a-starter-is-a-schedule/";

type Settings = (origin: string) => Config;

const [FIRST, SECOND, THIRD] = ["https://a.example", "https://b.example", "https://c.example"];

/** Lets two sites live through what their functions do, and gives what each of them asked. */
export async function recordCalls(): Promise<Calls> {
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, "test");
  vi.stubEnv("AWS_REGION", "us-east-1");
  await using open = new AsyncDisposableStack();
  const recorders = {
    run: openRecorder(),
    help: openRecorder(),
    tick: openRecorder(),
    api: openRecorder(),
    person: openRecorder(),
  };
  for (const each of Object.values(recorders)) open.use(each);
  await publishing(recorders);
  await lookingBack(recorders);
  const entries = Object.entries(recorders);
  return Object.fromEntries(entries.map(([who, recorder]) => [who, recorder.calls()]));
}

type Recorders = Readonly<Record<"run" | "help" | "tick" | "api" | "person", Recorder>>;

/** Builds with helpers, over the work of another hand, too; rebuilds, checks, and the messages in between. */
async function publishing(recorders: Recorders) {
  await using aws = await openServers({ isVersioned: false });
  const [run, help] = [await aws.as(recorders.run), await aws.as(recorders.help)];
  await load(run);
  await together({ run, help }, FIRST);
  await together({ run, help }, SECOND);
  await aws.overwrite();
  aws.edit("UPDATE articles SET slug = slug || '-again'");
  await together({ run, help }, THIRD);
  aws.edit("UPDATE articles SET title = 'Other' WHERE id = 5; DELETE FROM articles WHERE id = 6");
  await jobs(run(THIRD), [{ is: "rebuild", targets: ["article:5", "article:6"] }]);
  await jobs(run(THIRD), [{ is: "build" }, { is: "due" }, { is: "verify" }, { is: "sweep" }]);
  await request((await aws.as(recorders.api))(THIRD));
  await askFor((await aws.as(recorders.tick))(THIRD));
  await handOn(run(THIRD), aws.event());
}

/** A takedown that is cut off and ended by a build, and a rollback: they need versions. */
async function lookingBack(recorders: Recorders) {
  await using aws = await openServers({ isVersioned: true });
  const [run, person] = [await aws.as(recorders.run), await aws.as(recorders.person)];
  await load(run);
  await jobs(run(FIRST), [{ is: "build" }]);
  await jobs(run(SECOND), [{ is: "build" }]);
  recorders.person.refuse(["s3 ListObjectVersions"]);
  await expect(erase(person(SECOND))).rejects.toMatchObject({ code: "store_unavailable" });
  recorders.person.refuse([]);
  await jobs(run(SECOND), [{ is: "build" }]);
  await restore(person(SECOND));
}

async function load(config: Settings) {
  await using loading = await openLoad(config(FIRST));
  await loading.run(join(ROOT, "content/data"), {});
}

/** Opens all parts as a function does; nothing waits for real. */
async function opened(config: Config) {
  const { wired, queue, ...rest } = await openWork(config);
  const as = { code: "0".repeat(32), leaseMs: 10_000, crew: TERMS, sleep: () => sleep(1) };
  return { ...rest, queue, wired: { ...wired, ...as } };
}

/** A build with a helper for as long as it takes. */
async function together({ run, help }: Readonly<Record<"run" | "help", Settings>>, origin: string) {
  await using leading = await opened(run(origin));
  await using helping = await opened(help(origin));
  await leading.queue.call?.(1);
  const over = new AbortController();
  const { signal } = over;
  const helped = (async () => {
    while (!signal.aborted) {
      await helpOut(helping.wired, { emit: () => {}, signal, terms: TERMS });
      await sleep(1);
    }
  })();
  await doWork(leading.wired, { lane: "nightly", work: { is: "build" } } as Job, QUIET);
  over.abort();
  await helped;
  await helping.queue.call?.(1);
}

async function jobs(config: Config, works: readonly Work[]) {
  await using open = await opened(config);
  for (const work of works) await doWork(open.wired, { lane: "editor", work } as Job, QUIET);
}

/** A rebuild in each lane, and the metrics. */
async function request(config: Config) {
  await using open = await openHistory(config);
  await using queue = await openQueue(config, open.ledger);
  const token = newToken();
  await open.ledger.addToken({ name: "me", hash: tokenHash(token), scopes: SCOPES, createdAt: 1 });
  const about = { requestsPerMinute: 600, eventsUrl: undefined, streams: "brief" } as const;
  const desk = () => deskOf(open, async () => queue, about);
  const ask = async (method: string, rawPath: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const requestContext = { stage: "$default", http: { method, sourceIp: "192.0.2.1" } };
    const event = { version: "2.0", rawPath, headers, requestContext, body: JSON.stringify(body) };
    const { statusCode } = await apiEvent(event, { awsRequestId: "1" }, desk);
    expect(statusCode).toBeLessThan(300);
  };
  for (const lane of LANES) await ask("POST", "/v1/rebuilds", { rows: ["article:7"], lane });
  for (const path of ["/metrics", "/health/ready"]) await ask("GET", path);
}

/** What waits is sent again. */
async function askFor(config: Config) {
  await using open = await openTick(config);
  await tickOnce(open, { emit: () => {}, now: () => Date.now() + 3_600_000 });
}

/** A function without time sends all messages again. */
async function handOn(config: Config, event: QueueEvent) {
  await using open = await opened(config);
  expect(event.Records).toHaveLength(LANES.length);
  const clock = { remainingMs: () => 0, alarm: () => () => {} };
  const environment = { ...open, code: open.wired.code, helpers: 1 };
  await runRecords(environment, event, { request: "1", clock, emit: () => {} });
}

async function erase(config: Config) {
  await using open = await opened(config);
  const why = { reason: "", isErased: true, since: Date.now() * 1000 };
  await takeDown(open.wired, [ROUTE], { ...QUIET, ...why });
}

async function restore(config: Config) {
  await using open = await opened(config);
  await releasesOf(open.wired, 10);
  await rollback(open.wired, 1, { ...QUIET, isDryRun: false });
  await resume(open.wired);
}
