import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readParameters } from "../../src/lambda/parameters.ts";
import { readSettings } from "../../src/lambda/settings.ts";
import { nightbake } from "../cli/nightbake.ts";

const SECRET = "s3cret-Pa55";
const STORED: Readonly<Record<string, string>> = {
  DATABASE_URL: `mysql://bake:${SECRET}@db/blog`,
  LEDGER_URL: `mysql://bake:${SECRET}@db/ledger`,
  NIGHTBAKE_CONCURRENCY: "8",
};

/** Parameter Store, as far as it is asked: it gives one parameter a page. */
async function startSsm(refuse?: { readonly status: number; readonly type: string }) {
  const asked: object[] = [];
  const server = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    asked.push({ target: request.headers["x-amz-target"], ...body });
    response.setHeader("content-type", "application/x-amz-json-1.1");
    if (refuse !== undefined) {
      response.writeHead(refuse.status);
      return void response.end(JSON.stringify({ __type: refuse.type, message: "asked for" }));
    }
    const at = Number(body.NextToken ?? 0);
    const all = Object.entries(body.Path === "/nightbake/test" ? STORED : {});
    const Parameters = all
      .slice(at, at + 1)
      .map(([name, Value]) => ({ Name: `${body.Path}/${name}`, Type: "SecureString", Value }));
    const NextToken = at + 1 < all.length ? String(at + 1) : undefined;
    response.end(JSON.stringify({ Parameters, NextToken }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  vi.stubEnv("AWS_ENDPOINT_URL_SSM", endpoint);
  return {
    asked,
    endpoint,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
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
  await using ssm = await startSsm();

  expect(await readParameters("/nightbake/test")).toEqual(STORED);

  expect(ssm.asked).toHaveLength(3);
  expect(ssm.asked[2]).toEqual({
    ...{ target: "AmazonSSM.GetParametersByPath", Path: "/nightbake/test" },
    ...{ WithDecryption: true, Recursive: false, NextToken: "2" },
  });
});

test("a function's settings are those of its environment and of its parameters", async () => {
  await using _ssm = await startSsm();
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
  await using _ssm = await startSsm(refuse);

  await expect(readParameters(path)).rejects.toMatchObject({
    ...{ code, message: expect.stringContaining(message), at: { path } },
    hint: expect.any(String),
  });
});

test("commands have the same settings, and show none of them", async () => {
  await using ssm = await startSsm();
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
