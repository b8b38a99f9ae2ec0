import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { afterEach, expect, test, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import { help, run, tick } from "../../src/lambda.ts";
import { build } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { openBuild, openLoad } from "../../src/wiring.ts";
import { openLedger } from "../../src/wiring-ledger.ts";
import { type Fauxqs, startFauxqs } from "../services/fauxqs.ts";
import { describeWith } from "../services/requires.ts";
import { s3Client } from "../services/s3.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { eventOf } from "./functions.ts";

const FOLDER = fileURLToPath(new URL("../sites/golden/site/", import.meta.url));
const HERE = process.cwd();
const CONTEXT = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 900_000 };

afterEach(() => {
  process.chdir(HERE);
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What is in a bucket, as text by key. */
async function bucketOf(server: Fauxqs, Bucket: string): Promise<Record<string, string>> {
  const client = s3Client(server);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  const read = Contents.map(async ({ Key = "" }) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return [Key, (await Body?.transformToString()) ?? ""] as const;
  });
  const all = Object.fromEntries(await Promise.all(read));
  client.destroy();
  return all;
}

/** What a build of nothing but the rows makes. */
async function scratch(env: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const objects = new Map<string, Artifact>();
  const cwd = FOLDER;
  await using wired = await openBuild(
    readConfig({ env: { ...env, NIGHTBAKE_HOME: temporaryFolder("nightbake-scratch-") }, cwd }),
  );
  await build(
    { ...wired, store: memoryStore(objects) },
    { ...{ allowDeletes: false, isDryRun: false, emit: () => {} }, signal: AbortSignal.any([]) },
  );
  return Object.fromEntries(
    [...objects].map(([key, { body }]) => [key, Buffer.from(body).toString()]),
  );
}

/** Our own files in a bucket, which no reader sees. */
const withoutOurs = (all: Record<string, string>) =>
  Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith(".")));

describeWith("shared-mariadb", "The functions", () => {
  test("do by their settings alone what a clone does, and tell it in lines of JSON", async () => {
    await using server = await startFauxqs();
    const mariadb = await sharedMariaDb();
    const queues = server.createQueues();
    const bucket = await server.createBucket();
    const rows = { DATABASE_URL: await mariadb.createDatabase() };
    const env = {
      ...{ ...rows, LEDGER_URL: await mariadb.createDatabase(), SQS_QUEUE_URL: queues.url },
      ...{ S3_BUCKET: bucket, S3_ENDPOINT: server.endpoint, AWS_REGION: server.region },
      ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
      ...{ NIGHTBAKE_HOME: temporaryFolder("nightbake-lambda-"), NIGHTBAKE_KEEP_MB: "0" },
    };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    process.chdir(FOLDER);
    const config = readConfig({ env, cwd: FOLDER });
    await using load = await openLoad(config);
    await load.run(join(FOLDER, "rows"), {});
    await using ledger = await openLedger(config);
    const jobs = openJobs(ledger);
    const { job } = await jobs.submit({ work: { is: "build" }, lane: "nightly" });
    const lines: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);

    vi.stubEnv("LEDGER_URL", "mysql://bake:old@127.0.0.1:1/ledger");
    await expect(tick()).rejects.toMatchObject({ code: "ledger_unavailable" });
    // Its password was another one; the next function has read it again.
    vi.stubEnv("LEDGER_URL", env.LEDGER_URL);
    await tick();
    const answer = await run(eventOf(...queues.waiting("nightly")), CONTEXT);
    const helped = await help(eventOf('{"is":"help"}', "{}"), CONTEXT);

    vi.restoreAllMocks();
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(helped).toEqual({ batchItemFailures: [{ itemIdentifier: "message-1" }] });
    expect(await jobs.job(job.id)).toMatchObject({ state: "done", attempts: 1 });
    expect(withoutOurs(await bucketOf(server, bucket))).toEqual(withoutOurs(await scratch(rows)));
    const told = lines.map((line) => JSON.parse(line));
    expect(JSON.stringify(told)).not.toContain("bake:old");
    expect(told).toMatchObject([
      { event: "error", code: "ledger_unavailable" },
      { event: "started", job: { id: job.id, holder: "lambda-request-1-1" } },
      { event: "ended", job: { id: job.id, state: "done" } },
      { event: "refused", messageId: "message-1", code: "input_invalid" },
    ]);
  });

  test("say what they lack, and do not go on without it", async () => {
    vi.stubEnv("DATABASE_URL", "");
    const lines: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);

    vi.resetModules();
    const fresh = await import("../../src/lambda.ts");
    const refused = fresh.run(eventOf("{}"), CONTEXT);

    await expect(refused).rejects.toMatchObject({ code: "config_invalid" });
    vi.restoreAllMocks();
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        ...{ event: "error", code: "config_invalid" },
        problems: expect.arrayContaining([expect.objectContaining({ place: "DATABASE_URL" })]),
      },
    ]);
  });
});
