import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { bulkLoad } from "../../bench/bulk-load.ts";
import { synthetic } from "../../bench/data-sets.ts";
import { bundle } from "../../deploy/bundle.ts";
import { readConfig } from "../../src/config.ts";
import { newToken, tokenHash } from "../../src/control/token.ts";
import { STATES } from "../../src/jobs/job.ts";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { build } from "../../src/pipeline.ts";
import { openMysqlTarget } from "../../src/source/mysql-target.ts";
import { openBuild } from "../../src/wiring.ts";
import { startCloudFrontApi } from "../services/cloudfront-api.ts";
import { type MemoryS3, startMemoryS3 } from "../services/memory-s3.ts";
import { randomFrom } from "../services/random.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { startSsm } from "../services/ssm.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { startLocalStack } from "./local-stack.ts";
import { packageStack } from "./packaged.ts";
import type { Template } from "./template.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const CONFIG = fileURLToPath(new URL("../../site.config.ts", import.meta.url));
const ARTICLES = 600;
/** Three seconds before the build of the night, as the template's defaults have it. */
const BEFORE_THREE = "02:59:57";
const POISON = "not one of ours: s3cret";

let template: Template;
const folder = temporaryFolder("nightbake-bundle-");

beforeAll(async () => {
  [{ template }] = await Promise.all([packageStack(), bundle({ out: folder })]);
});

/** Databases with rows and without, a bucket, a CDN, and the settings that name them. */
async function openSite() {
  await using parts = new AsyncDisposableStack();
  const database = await sharedMariaDb();
  const [source, ledger] = [await database.createDatabase(), await database.createDatabase()];
  {
    await using target = await openMysqlTarget(source);
    await bulkLoad(CONFIG, target, synthetic(ARTICLES));
  }
  const s3 = parts.use(await startMemoryS3());
  const cdn = parts.use(await startCloudFrontApi({ evict: async () => {}, completesAfterMs: 100 }));
  const secrets = { DATABASE_URL: source, LEDGER_URL: ledger };
  const ssm = parts.use(await startSsm(secrets, undefined, "/nightbake/prod"));
  const env = {
    ...bucketOf(s3),
    AWS_ENDPOINT_URL_SSM: ssm.endpoint,
    CLOUDFRONT_DISTRIBUTION_ID: cdn.distributionId,
    CLOUDFRONT_ENDPOINT: cdn.endpoint,
  };
  const open = parts.move();
  const edit = (title: string) =>
    database.query(
      `UPDATE ${new URL(source).pathname.slice(1)}.articles SET title = '${title}' WHERE id = 1`,
    );
  return { s3, env, source, ledger, edit, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

function bucketOf(s3: MemoryS3) {
  return {
    S3_BUCKET: s3.bucket,
    S3_ENDPOINT: s3.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}

/** What one process alone makes of the same rows, in another bucket. */
async function scratch(of: Awaited<ReturnType<typeof openSite>>) {
  await using s3 = await startMemoryS3();
  const { AWS_ENDPOINT_URL_SSM: _, ...rest } = of.env;
  const env = {
    ...{ ...rest, ...bucketOf(s3), DATABASE_URL: of.source },
    ...{ SITE_URL: "https://example.com", CLOUDFRONT_CACHE_TAGS: "x-amz-meta-cache-tag" },
  };
  const cwd = temporaryFolder("nightbake-scratch-");
  await using wired = await openBuild(readConfig({ env, cwd, options: { config: CONFIG } }));
  const { signal } = new AbortController();
  await build(wired, { allowDeletes: false, isDryRun: false, signal, emit: () => {} });
  return shown(s3);
}

/** Objects as text by key, without who wrote them and when. */
function shown({ objects }: MemoryS3): Readonly<Record<string, string>> {
  const text = ({ body, ...rest }: { readonly body: Uint8Array }) =>
    JSON.stringify([rest, Buffer.from(body).toString("latin1")], (name, value) =>
      name === "x-amz-meta-nightbake-write" || name === "last-modified" ? undefined : value,
    );
  const seen = [...objects].filter(([key]) => !key.startsWith("."));
  return Object.fromEntries(seen.map(([key, object]) => [key, text(object)]).sort());
}

/** Milliseconds by which the functions' clocks are ahead, so that they begin today at `time` UTC. */
function aheadOf(time: string): number {
  return Date.parse(`${new Date().toISOString().slice(0, 10)}T${time}Z`) - Date.now();
}

describeWith(
  "shared-mariadb",
  "The packaged stack, its functions and queues on this machine,",
  () => {
    test(`publishes at night what one process would, whatever is delivered twice, late, or to a function that dies (SEED=${SEED})`, async () => {
      await using site = await openSite();
      await using ledger = await openMysqlLedger(site.ledger);
      const log: string[] = [];
      const aheadMs = aheadOf(BEFORE_THREE);
      await using stack = await startLocalStack({
        ...{ template, folder, random: randomFrom(SEED), twice: 0.3, heldMs: 200 },
        ...{ visibleSeconds: 2, tickMs: 500, onLog: (line) => log.push(line) },
        env: () => ({
          ...site.env,
          NIGHTBAKE_HOME: temporaryFolder("nightbake-function-"),
          CLOCK_AHEAD_MS: String(aheadMs),
        }),
      });
      const deaths = [stack.killLater("run", 4000), stack.killLater("help", 2500)];
      stack.send("EditorQueue", POISON);

      await expect
        .poll(async () => (await ledger.jobsIn(STATES.indexOf("done"), 9)).length, {
          timeout: 90_000,
        })
        .toBe(1);
      await Promise.all(deaths);

      expect(shown(site.s3)).toEqual(await scratch(site));
      const helped = log.filter((line) => /"event":"helped","shards":[1-9]/.test(line));
      expect(helped.length).toBeGreaterThan(0);
      await expect
        .poll(() => stack.waiting("EditorDeadLetters"), { timeout: 60_000 })
        .toEqual([POISON]);

      const token = newToken();
      const scopes = ["rebuild"];
      await ledger.addToken({ name: "cms", hash: tokenHash(token), scopes, createdAt: 1 });
      await site.edit("Edited");
      const answer = (await stack.invoke("api", apiEvent(token))) as {
        readonly statusCode: number;
      };
      expect(answer.statusCode).toBe(202);
      await expect
        .poll(async () => (await ledger.jobsIn(STATES.indexOf("done"), 9)).length, {
          timeout: 60_000,
        })
        .toBe(2);

      expect(shown(site.s3)).toEqual(await scratch(site));
      expect(log.join("\n")).not.toMatch(/s3cret|nbt_/);
    }, 240_000);
  },
);

/** What API Gateway calls a function with. */
function apiEvent(token: string) {
  const path = "/v1/rebuilds";
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: "",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      host: "api.example.com",
    },
    requestContext: { http: { method: "POST", path, sourceIp: "192.0.2.1" }, requestId: "1" },
    body: JSON.stringify({ rows: ["article:1"] }),
    isBase64Encoded: false,
  };
}
