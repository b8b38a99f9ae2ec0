import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { maskedConfig } from "../src/cli/shown-config.ts";
import { readConfig } from "../src/config.ts";
import { PipelineError } from "../src/error.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const PASSWORD = "s3cret-Pa55";

function folder(dotEnv?: string): string {
  const cwd = temporaryFolder("nightbake-config-");
  if (dotEnv !== undefined) writeFileSync(join(cwd, ".env"), dotEnv);
  return cwd;
}

function refusal(env: Record<string, string>, dotEnv?: string): PipelineError {
  try {
    readConfig({ env, cwd: folder(dotEnv) });
  } catch (error) {
    if (error instanceof PipelineError) return error;
    throw error;
  }
  throw new Error("The configuration was accepted.");
}

/** `{ NAME: message }` of the problems. */
function problems(env: Record<string, string>, dotEnv?: string): Record<string, string> {
  const all = refusal(env, dotEnv).problems;
  return Object.fromEntries(all.map(({ place, message }) => [place, message]));
}

describe("values", () => {
  test("without settings everything is embedded", () => {
    const cwd = folder();

    const config = readConfig({ env: {}, cwd });

    expect(config).toMatchObject({
      sourceFile: join(cwd, ".nightbake/source.db"),
      ledgerFile: join(cwd, ".nightbake/ledger.db"),
      out: join(cwd, "dist"),
      configFile: join(cwd, "site.config.ts"),
      contentDir: join(cwd, "content"),
      templatesDir: join(cwd, "templates"),
      databaseUrl: undefined,
      databaseReplicaUrls: [],
      s3Bucket: undefined,
      s3Prefix: "",
      awsRegion: undefined,
      deleteShare: 0.2,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("an option wins over the environment, which wins over .env", () => {
    const cwd = folder("OUT_DIR=a\nSITE_URL=https://a.example\nNIGHTBAKE_DELETE_SHARE=0.5\n");
    const env = { OUT_DIR: "b", SITE_URL: "https://b.example/" };

    const config = readConfig({ env, cwd, options: { out: "c" } });

    expect(config.out).toBe(join(cwd, "c"));
    expect(config.siteUrl).toBe("https://b.example");
    expect(config.deleteShare).toBe(0.5);
    expect(config.origins).toMatchObject({
      OUT_DIR: "option",
      SITE_URL: "environment",
      NIGHTBAKE_DELETE_SHARE: ".env",
      S3_BUCKET: "default",
    });
  });

  test("an empty value in the environment hides the one in .env", () => {
    const config = readConfig({ env: { S3_BUCKET: "" }, cwd: folder("S3_BUCKET=my-bucket") });

    expect(config.s3Bucket).toBeUndefined();
  });

  test("content and templates lie beside the site definition", () => {
    const cwd = folder();

    const config = readConfig({ env: {}, cwd, options: { config: "blog/site.config.ts" } });

    expect(config.contentDir).toBe(join(cwd, "blog/content"));
    expect(config.home).toBe(join(cwd, ".nightbake"));
  });

  test("replicas are a list, a prefix loses its slashes", () => {
    const env = {
      DATABASE_URL: "mysql://u:p@one/db",
      DATABASE_REPLICA_URLS: "mysql://u:p@two/db, mysql://u:p@three/db",
      S3_BUCKET: "my-bucket",
      S3_PREFIX: "/blog/en/",
    };

    const config = readConfig({ env, cwd: folder() });

    expect(config.databaseReplicaUrls).toEqual(["mysql://u:p@two/db", "mysql://u:p@three/db"]);
    expect(config.s3Prefix).toBe("blog/en");
  });

  test.each([
    [{}, undefined],
    [{ S3_BUCKET: "my-bucket", S3_ENDPOINT: "http://127.0.0.1:9000" }, "us-east-1"],
    [{ AWS_DEFAULT_REGION: "eu-west-1" }, "eu-west-1"],
    [{ AWS_DEFAULT_REGION: "eu-west-1", AWS_REGION: "eu-west-2" }, "eu-west-2"],
  ])("with %o the region is %s", (env, region) => {
    expect(readConfig({ env, cwd: folder() }).awsRegion).toBe(region);
  });

  test("AWS's variables in .env are kept for its SDK", () => {
    const cwd = folder("AWS_PROFILE=blog\nAWS_REGION=eu-west-1");

    const config = readConfig({ env: { AWS_REGION: "eu-west-2" }, cwd });

    expect(config.aws).toEqual({ AWS_PROFILE: "blog", AWS_REGION: "eu-west-2" });
    expect(config.origins).toMatchObject({ AWS_PROFILE: ".env", AWS_REGION: "environment" });
  });
});

describe("problems", () => {
  test("all are reported at once, in the environment and in .env", () => {
    const env = { DATABASE_URL: "postgres://x/y", NIGHTBAKE_DELETE_SHARE: "20%", S3_PREFIX: "a" };

    const error = refusal(env, "REDIS_URL=localhost\nNIGHTBAKE_CONCURRENCY=0\nNIGHTBAKE_HOEM=x");

    expect(error.code).toBe("config_invalid");
    expect(error.problems.map((each) => each.place).sort()).toEqual([
      "DATABASE_URL",
      "NIGHTBAKE_CONCURRENCY",
      "NIGHTBAKE_DELETE_SHARE",
      "NIGHTBAKE_HOEM",
      "REDIS_URL",
      "S3_PREFIX",
    ]);
  });

  test.each([
    ["NIGHTBAKE_HOEM", "NIGHTBAKE_HOME"],
    ["NIGHTBAKE_DELETESHARE", "NIGHTBAKE_DELETE_SHARE"],
    ["NIGHTBAKE_concurency", "NIGHTBAKE_CONCURRENCY"],
  ])("%s is told to be %s", (wrong, right) => {
    expect(problems({ [wrong]: "x" })[wrong]).toContain(`Did you mean ${right}?`);
  });

  test("a name near to nothing gets no suggestion", () => {
    expect(problems({ NIGHTBAKE_XYZZY_PLUGH: "x" })).toEqual({
      NIGHTBAKE_XYZZY_PLUGH: "There is no such setting.",
    });
  });

  test.each([
    ["DATABASE_URL", "mysql://host"],
    ["DATABASE_URL", "not a url"],
    ["SITE_URL", "https://example.com/blog"],
    ["SITE_URL", "example.com"],
    ["SITE_URL", "https://user:pass@example.com"],
    ["S3_BUCKET", "My_Bucket"],
    ["S3_PREFIX", "a/../b"],
    ["S3_PREFIX", "a//b"],
    ["S3_ENDPOINT", "localhost:9000"],
    ["CLOUDFRONT_DISTRIBUTION_ID", "https://d1.cloudfront.net"],
    ["NIGHTBAKE_DELETE_SHARE", "1.5"],
    ["NIGHTBAKE_DELETE_SHARE", "-0.1"],
    ["NIGHTBAKE_CONCURRENCY", "many"],
    ["NIGHTBAKE_BODIES_MB", "2GB"],
    ["NIGHTBAKE_BODIES_MB", "-1"],
    ["OUT_DIR", "."],
    ["OUT_DIR", ".nightbake"],
    ["OUT_DIR", "content"],
  ])("%s=%s is refused", (name, value) => {
    expect(problems({ [name]: value })).toHaveProperty(name);
  });

  test.each([
    ["DATABASE_REPLICA_URLS", "mysql://u:p@h/db"],
    ["S3_ENDPOINT", "http://127.0.0.1:1"],
    ["CLOUDFRONT_ENDPOINT", "http://127.0.0.1:1"],
    ["INVALIDATION_BUDGET_USD", "10"],
    ["INVALIDATION_EVICTED_USD", "0.001"],
    ["INVALIDATION_MAX_SHARE", "0.1"],
    ["INVALIDATION_RESERVE", "500"],
  ])("%s alone is refused, since it would do nothing", (name, value) => {
    expect(problems({ [name]: value })[name]).toMatch(/does nothing unless \w+ is set/);
  });

  test("where readers get the site may be said without probes, for `verify`", () => {
    const env = { PROBE_URL: "https://staging.example.com" };
    expect(readConfig({ env, cwd: "/nowhere" }).probeUrl).toBe(env.PROBE_URL);
  });
});

describe("parameters", () => {
  const parameters = { DATABASE_URL: "mysql://u:s3cret@db/blog", NIGHTBAKE_CONCURRENCY: "8" };

  test("are settings, of which nothing is shown", () => {
    const config = readConfig({ env: {}, cwd: folder(), parameters });

    expect(config).toMatchObject({ databaseUrl: parameters.DATABASE_URL, concurrency: 8 });
    expect(maskedConfig(config)).toEqual(
      expect.arrayContaining([
        { name: "DATABASE_URL", value: "***", from: "parameter" },
        { name: "NIGHTBAKE_CONCURRENCY", value: "***", from: "parameter" },
      ]),
    );
  });

  test("are refused where something else says the same, and where they are no settings", () => {
    const env = { NIGHTBAKE_CONCURRENCY: "4" };
    const wrong = {
      ...parameters,
      DATABSE_URL: "x",
      NIGHTBAKE_PARAMETERS: "/a",
      AWS_REGION: "x y",
    };

    const read = () => readConfig({ env, cwd: folder(), parameters: wrong });

    const places = ["NIGHTBAKE_CONCURRENCY", "DATABSE_URL", "NIGHTBAKE_PARAMETERS", "AWS_REGION"];
    expect(read).toThrow(
      expect.objectContaining({
        problems: expect.arrayContaining(
          places.map((place) => ({ place, message: expect.not.stringContaining("s3cret") })),
        ),
      }),
    );
  });
});

describe("queues", () => {
  const SQS_QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/nightbake";

  test("are in Redis or in SQS", () => {
    expect(readConfig({ env: { SQS_QUEUE_URL }, cwd: folder() })).toMatchObject({
      ...{ sqsQueueUrl: SQS_QUEUE_URL, helpers: 10 },
    });

    expect(problems({ SQS_QUEUE_URL, REDIS_URL: "redis://cache" })).toEqual({
      SQS_QUEUE_URL: expect.stringContaining("REDIS_URL"),
    });
    expect(Object.keys(problems({ NIGHTBAKE_HELPERS: "4" }))).toEqual(["NIGHTBAKE_HELPERS"]);
  });

  test.each([
    "https://sqs.eu-central-1.amazonaws.com/123456789012/nightbake.fifo",
    "https://user:pass@sqs.eu-central-1.amazonaws.com/123456789012/nightbake",
    "sqs://nightbake",
  ])("are not at %s", (wrong) => {
    expect(Object.keys(problems({ SQS_QUEUE_URL: wrong }))).toEqual(["SQS_QUEUE_URL"]);
  });
});

describe("secrets", () => {
  const env = {
    DATABASE_URL: `mysql://bake:${PASSWORD}@db:3306/blog?ssl-key=${PASSWORD}`,
    DATABASE_REPLICA_URLS: `mysql://bake:${PASSWORD}@r1/blog,mysql://bake:${PASSWORD}@r2/blog`,
    REDIS_URL: `redis://:${PASSWORD}@cache`,
    AWS_SECRET_ACCESS_KEY: PASSWORD,
    AWS_SESSION_TOKEN: PASSWORD,
    AWS_PROFILE: "blog",
  };

  test("are masked, everything else is shown with its origin", () => {
    const shown = maskedConfig(readConfig({ env, cwd: folder() }));

    const settings = Object.fromEntries(shown.map((each) => [each.name, each]));
    expect(JSON.stringify(shown)).not.toContain(PASSWORD);
    expect(settings["DATABASE_URL"]).toEqual({
      name: "DATABASE_URL",
      value: "mysql://bake:***@db:3306/blog?ssl-key=***",
      from: "environment",
    });
    expect(settings["DATABASE_REPLICA_URLS"]?.value).toBe(
      "mysql://bake:***@r1/blog,mysql://bake:***@r2/blog",
    );
    expect(settings["AWS_SECRET_ACCESS_KEY"]?.value).toBe("***");
    expect(settings["AWS_PROFILE"]?.value).toBe("blog");
  });

  test.each([
    `mysql://bake:${PASSWORD}#1@db/blog`,
    `mysql//bake:${PASSWORD}@db/blog`,
    `${PASSWORD}`,
    `https://bake:${PASSWORD}@db/blog`,
  ])("are in no error, even of %s", (wrong) => {
    const names = ["DATABASE_URL", "DATABASE_REPLICA_URLS", "LEDGER_URL", "REDIS_URL", "SITE_URL"];
    const error = refusal(Object.fromEntries(names.map((name) => [name, wrong])));

    expect(error.problems.map((each) => each.place).sort()).toEqual(names.sort());
    const told = JSON.stringify([error.message, error.hint, error.at, error.problems, error.stack]);
    expect(told).not.toContain(PASSWORD);
  });
});

test("passwords and the authority of databases come from files where the URLs do not say", () => {
  const cwd = temporaryFolder("nightbake-config-");
  writeFileSync(join(cwd, "password"), "p@ss/w#rd\n");
  const env = {
    DATABASE_URL: "mysql://bake@db/blog",
    DATABASE_REPLICA_URLS: "mysql://bake@db2/blog,mysql://bake:own@db3/blog?ssl=false",
    DATABASE_PASSWORD_FILE: "password",
    DATABASE_CA_FILE: "ca.pem",
  };
  const config = readConfig({ cwd, env });
  const ssl = `?ssl=${encodeURIComponent(join(cwd, "ca.pem"))}`;

  expect(config.databaseUrl).toBe(`mysql://bake:p%40ss%2Fw%23rd@db/blog${ssl}`);
  expect(config.databaseReplicaUrls).toEqual([
    `mysql://bake:p%40ss%2Fw%23rd@db2/blog${ssl}`,
    "mysql://bake:own@db3/blog?ssl=false",
  ]);
  expect(JSON.stringify(maskedConfig(config))).not.toContain("p%40ss");
  expect(() => readConfig({ cwd, env: { ...env, DATABASE_PASSWORD_FILE: "absent" } })).toThrow(
    expect.objectContaining({
      problems: expect.arrayContaining([
        { place: "DATABASE_URL", message: expect.stringContaining("password file") },
      ]),
    }),
  );
});
