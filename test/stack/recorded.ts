import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { type Config, readConfig } from "../../src/config.ts";
import { doWork } from "../../src/jobs/do-work.ts";
import { type Job, LANES, type Work } from "../../src/jobs/job.ts";
import { CREW, helpOut, releasesOf, resume, rollback, takeDown } from "../../src/pipeline.ts";
import { openLoad, openWork } from "../../src/wiring.ts";
import { ROOT } from "../cli/nightbake.ts";
import { startCloudFrontApi } from "../services/cloudfront-api.ts";
import { startFauxqs } from "../services/fauxqs.ts";
import { createBucket, s3Client } from "../services/s3.ts";
import { startS3Front } from "../services/s3-front.ts";
import { sharedRadosgw } from "../services/shared.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { openRecorder, type Recorder } from "./recorder.ts";

/** What each function asks, and a person with a clone. */
export type Calls = Readonly<Record<string, readonly string[]>>;

const QUIET = { emit: () => {}, signal: new AbortController().signal };
/** So small that helpers find some, however few pages there are. */
const TERMS = { ...CREW, pages: 1, pollMs: 1 };
const ROUTE = "/articles/a-starter-is-a-schedule/";

/** Servers like AWS's, and one site on them. radosgw knows no conditions where it keeps versions. */
async function openAws({ isVersioned }: { readonly isVersioned: boolean }) {
  await using parts = new AsyncDisposableStack();
  const s3 = parts.use(await startS3Front(await sharedRadosgw()));
  const S3_BUCKET = await createBucket(s3, undefined, { isVersioned });
  const cdn = parts.use(await startCloudFrontApi({ evict: async () => {}, completesAfterMs: 0 }));
  const sqs = parts.use(await startFauxqs());
  const { url } = sqs.createQueues();
  const home = temporaryFolder("nightbake-calls-");
  const open = parts.move();
  const options = { config: join(ROOT, "site.config.ts") };
  return {
    /** The settings of one whose calls are written down, for a site of this address. */
    async as({ before }: Recorder) {
      const env = {
        S3_BUCKET,
        S3_ENDPOINT: await before(s3.endpoint),
        CLOUDFRONT_DISTRIBUTION_ID: cdn.distributionId,
        CLOUDFRONT_ENDPOINT: await before(cdn.endpoint),
        SQS_QUEUE_URL: await before(url),
        AWS_REGION: s3.region,
        AWS_ACCESS_KEY_ID: s3.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
        NIGHTBAKE_HOME: home,
        NIGHTBAKE_KEEP_MB: "0",
      };
      return (SITE_URL: string) => readConfig({ env: { ...env, SITE_URL }, cwd: home, options });
    },
    /** Somebody changes rows. */
    edit(sql: string) {
      using database = new DatabaseSync(join(home, "source.db"));
      database.exec(sql);
    },
    /** Another hand puts something else at every page. */
    async overwrite() {
      const client = s3Client(s3);
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: S3_BUCKET }));
      for (const { Key = "" } of Contents.filter(({ Key }) => Key?.endsWith(".html"))) {
        await client.send(new PutObjectCommand({ Bucket: S3_BUCKET, Key, Body: "foreign" }));
      }
      client.destroy();
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

type Settings = (origin: string) => Config;

const [FIRST, SECOND, THIRD] = ["https://a.example", "https://b.example", "https://c.example"];

/** Lets two sites live through what their functions do, and gives what each of them asked. */
export async function recordCalls(): Promise<Calls> {
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
  await using aws = await openAws({ isVersioned: false });
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
  await wake(run(THIRD));
  await wake((await aws.as(recorders.tick))(THIRD));
  await answer((await aws.as(recorders.api))(THIRD));
}

/** A takedown that is cut off and ended by a build, and a rollback: they need versions. */
async function lookingBack(recorders: Recorders) {
  await using aws = await openAws({ isVersioned: true });
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

/** Says that jobs of every lane wait. */
async function wake(config: Config) {
  await using open = await opened(config);
  await open.queue.send(LANES.map((lane) => ({ id: `job-${lane}`, lane, body: {} })));
}

/** What the HTTP API asks: a job's message, and how many messages wait. */
async function answer(config: Config) {
  await wake(config);
  await using open = await opened(config);
  await open.queue.counts();
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
