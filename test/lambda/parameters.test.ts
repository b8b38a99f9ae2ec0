import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readParameters } from "../../src/lambda/parameters.ts";
import { readSettings } from "../../src/lambda/settings.ts";
import { nightbake } from "../cli/nightbake.ts";
import { startSsm } from "../services/ssm.ts";

const SECRET = "s3cret-Pa55";
const STORED: Readonly<Record<string, string>> = {
  DATABASE_URL: `mysql://bake:${SECRET}@db/blog`,
  LEDGER_URL: `mysql://bake:${SECRET}@db/ledger`,
  NIGHTBAKE_CONCURRENCY: "8",
};

/** Parameter Store where the SDK looks for it. */
async function openSsm(...of: Parameters<typeof startSsm> | []) {
  const [stored = STORED, refuse] = of;
  const ssm = await startSsm(stored, refuse);
  vi.stubEnv("AWS_ENDPOINT_URL_SSM", ssm.endpoint);
  return ssm;
}

beforeEach(() => {
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test("all pages of parameters are read, decrypted, by the ends of their names", async () => {
  await using ssm = await openSsm();

  expect(await readParameters("/nightbake/test")).toEqual(STORED);

  expect(ssm.asked).toHaveLength(3);
  expect(ssm.asked[2]).toEqual({
    ...{ target: "AmazonSSM.GetParametersByPath", Path: "/nightbake/test" },
    ...{ WithDecryption: true, Recursive: false, NextToken: "2" },
  });
});

test("a function's settings are those of its environment and of its parameters", async () => {
  await using _ssm = await openSsm();
  vi.stubEnv("NIGHTBAKE_PARAMETERS", "/nightbake/test/");
  vi.stubEnv("S3_BUCKET", "site");
  const queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/nightbake";
  vi.stubEnv("SQS_QUEUE_URL", queue);

  expect(await readSettings()).toMatchObject({
    ...{ databaseUrl: STORED["DATABASE_URL"], ledgerUrl: STORED["LEDGER_URL"] },
    ...{ s3Bucket: "site", sqsQueueUrl: queue, concurrency: 8 },
  });
  vi.stubEnv("LEDGER_URL", "mysql://bake:other@db/ledger");
  vi.stubEnv("SQS_QUEUE_URL", "");
  const twice = await readSettings().catch((error: unknown) => error);
  expect(twice).toMatchObject({ code: "config_invalid", problems: [{ place: "LEDGER_URL" }] });
  expect(JSON.stringify(twice)).not.toContain(SECRET);
  vi.stubEnv("LEDGER_URL", undefined);
  await expect(readSettings()).rejects.toMatchObject({
    ...{ code: "config_invalid", problems: [{ place: "SQS_QUEUE_URL" }] },
  });
});

test.each([
  [undefined, "/nightbake/other", "config_invalid", "no parameters below /nightbake/other"],
  [{ status: 400, type: "AccessDeniedException" }, "/a", "config_invalid", "AccessDenied"],
  [{ status: 400, type: "ThrottlingException" }, "/a", "config_unavailable", "ThrottlingException"],
  [{ status: 500, type: "InternalServerError" }, "/a", "config_unavailable", "InternalServerError"],
])("with %o nothing can be read below %s: %s", async (refuse, path, code, message) => {
  await using _ssm = await openSsm(STORED, refuse);

  await expect(readParameters(path)).rejects.toMatchObject({
    ...{ code, message: expect.stringContaining(message), at: { path } },
    hint: expect.any(String),
  });
});

test("commands have the same settings, and show none of them", async () => {
  await using ssm = await openSsm();
  const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  const aws = { AWS_ENDPOINT_URL_SSM: ssm.endpoint, AWS_REGION: "eu-central-1", ...keys };

  const shown = await nightbake(["config", "--json"], {
    env: { ...aws, NIGHTBAKE_PARAMETERS: "/nightbake/test" },
  });
  const failed = await nightbake(["config"], { env: { ...aws, NIGHTBAKE_PARAMETERS: "/none" } });

  expect(shown.code).toBe(0);
  expect(shown.out).toContain('"name":"LEDGER_URL","value":"***","from":"parameter"');
  expect(shown.out + shown.err).not.toContain(SECRET);
  expect(failed).toMatchObject({ code: 2, err: expect.stringContaining("below /none") });
});
