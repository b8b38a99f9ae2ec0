import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../../src/config.ts";
import { ROOT } from "../cli/nightbake.ts";
import { packageStack } from "./packaged.ts";
import { circleIn, referenceProblems } from "./references.ts";
import { resolver } from "./resolve.ts";
import { schemaProblems } from "./schema.ts";
import { ofType, type Template } from "./template.ts";

const { template, text, said, files } = await packageStack();
const resolved = resolver(template)(template) as Template;
const inNetwork = await packageStack({
  subnets: "subnet-1,subnet-2",
  securityGroups: "sg-1",
  routeTables: "rtb-1, rtb-2",
  vpc: "vpc-1",
  helpers: "25",
  alarmEmail: "bakers@example.com",
});

const propertiesOf = (name: string) => resolved.Resources[name]?.Properties ?? {};
const distribution = (config: object): Template => ({
  Resources: {
    Site: {
      Type: "AWS::CloudFront::Distribution",
      Properties: {
        DistributionConfig: {
          Enabled: true,
          DefaultCacheBehavior: { TargetOriginId: "store", ViewerProtocolPolicy: "https-only" },
          ...config,
        },
      },
    },
  },
});

test("the stack packages without an account, a network or anything in the environment", () => {
  expect(said).not.toMatch(/warning|deprecat/i);
  expect(ofType(template, "AWS::Lambda::Function")).toHaveLength(5);
});

test("functions get the bundle and nothing else that lies there", () => {
  expect(files).toEqual([".build/aws/lambda.mjs"]);
});

test("CloudFormation knows every property, with its type and its values", () => {
  expect(schemaProblems(template)).toEqual([]);
  expect(schemaProblems(inNetwork.template)).toEqual([]);
});

test("the header of the cache tags is found when it is misspelt", () => {
  const misspelt = JSON.parse(text.replace('"HeaderName":', '"HeaderNam":')) as Template;

  expect(schemaProblems(misspelt)).toEqual([
    "SiteDistribution.DistributionConfig.CacheTagConfig.HeaderName: It is missing.",
    "SiteDistribution.DistributionConfig.CacheTagConfig.HeaderNam: CloudFormation does not know it. Did you mean HeaderName?",
  ]);
});

test.each([
  [
    "a misspelt name",
    distribution({ CacheTagConfig: { HeaderNam: "x-amz-meta-cache-tag" } }),
    "Site.DistributionConfig.CacheTagConfig.HeaderNam: CloudFormation does not know it. Did you mean HeaderName?",
  ],
  [
    "a missing property",
    distribution({ CacheTagConfig: {} }),
    "Site.DistributionConfig.CacheTagConfig.HeaderName: It is missing.",
  ],
  [
    "a wrong type",
    distribution({ Enabled: "yes" }),
    'Site.DistributionConfig.Enabled: "yes" is not of type boolean.',
  ],
  [
    "a wrong value",
    distribution({ HttpVersion: "http4" }),
    'Site.DistributionConfig.HttpVersion: "http4" is none of http1.1, http2, http2and3, http3.',
  ],
  [
    "an object for a list",
    distribution({ Origins: { Id: "store" } }),
    "Site.DistributionConfig.Origins: It must be a list.",
  ],
  [
    "a misspelt type",
    { Resources: { Jobs: { Type: "AWS::SQS::Queu" } } },
    "Jobs.Type: CloudFormation does not know it. Did you mean AWS::SQS::Queue?",
  ],
  [
    "what no resource has",
    { Resources: { Jobs: { Type: "AWS::SQS::Queue", DeletePolicy: "Retain" } } },
    "Jobs.DeletePolicy: CloudFormation does not know it. Did you mean DeletionPolicy?",
  ],
])("%s is found, with its place", (_, wrong, problem) => {
  expect(schemaProblems(wrong as Template)).toContain(problem);
});

test("every name that the template refers to is in it", () => {
  expect(referenceProblems(template)).toEqual([]);
  expect(referenceProblems(inNetwork.template)).toEqual([]);
});

test.each([
  [{ Ref: "Quue" }, "There is no Quue. Did you mean Queue?"],
  [{ "Fn::GetAtt": ["Queue", "Arm"] }, "There is no Arm. Did you mean Arn?"],
  [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how CloudFormation writes it.
    { "Fn::Sub": "${AWS::Region}-${Queue.QueueNam}" },
    "There is no QueueNam. Did you mean QueueName?",
  ],
])("%j is found to lead nowhere", (value, problem) => {
  const Properties = { QueueName: value };
  const Resources = { Queue: { Type: "AWS::SQS::Queue", Properties } };

  expect(referenceProblems({ Resources })).toEqual([expect.stringContaining(problem)]);
});

test("no resource waits for itself", () => {
  const named = (QueueName: string) => ({
    Type: "AWS::SQS::Queue",
    Properties: { QueueName: { Ref: QueueName } },
  });

  expect(circleIn(template)).toBeUndefined();
  expect(circleIn(inNetwork.template)).toBeUndefined();
  expect(circleIn({ Resources: { A: named("B"), B: named("C"), C: named("B") } })).toEqual([
    "B",
    "C",
    "B",
  ]);
});

test("every function has a role and a log group of its own, and Node's patch stays until it is deployed", () => {
  const functions = ofType(resolved, "AWS::Lambda::Function").map(
    ([, { Properties = {} }]) => Properties,
  );
  const roles = functions.map(({ Role }) => Role);
  const groups = ofType(resolved, "AWS::Logs::LogGroup").map(([, each]) => each.Properties);

  expect(new Set(roles).size).toBe(functions.length);
  for (const { FunctionName, RuntimeManagementConfig } of functions) {
    const LogGroupName = `/aws/lambda/${FunctionName}`;
    expect(groups).toContainEqual({ LogGroupName, RetentionInDays: 30 });
    expect(RuntimeManagementConfig).toEqual({ UpdateRuntimeOn: "FunctionUpdate" });
  }
});

test("a queue hides a message six times as long as its function may take, and has dead letters", () => {
  const mappings = ofType(resolved, "AWS::Lambda::EventSourceMapping").map(
    ([, each]) => each.Properties ?? {},
  );
  const queues = ofType(resolved, "AWS::SQS::Queue").map(([, each]) => each.Properties ?? {});
  const taken = mappings.map(({ EventSourceArn }) => String(EventSourceArn).split(":").at(-1));
  const dead = queues.filter(({ QueueName }) => String(QueueName).endsWith("-dead"));

  expect(taken).toEqual(
    ["takedown", "editor", "live", "nightly", "help"].map((lane) => `nightbake-prod-${lane}`),
  );
  expect(dead).toHaveLength(taken.length);
  for (const { EventSourceArn, FunctionName, ...mapping } of mappings) {
    const queue =
      queues.find(({ QueueName }) => String(EventSourceArn).endsWith(`:${QueueName}`)) ?? {};
    const [, taker] = ofType(resolved, "AWS::Lambda::Function").find(([, each]) =>
      String(FunctionName).endsWith(`:${each.Properties?.["FunctionName"]}`),
    ) ?? ["", { Type: "" }];
    expect(mapping).toMatchObject({
      BatchSize: 1,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
    expect(queue["VisibilityTimeout"]).toBe(6 * Number(taker.Properties?.["Timeout"]));
    expect(queue["RedrivePolicy"]).toEqual({
      deadLetterTargetArn: `${EventSourceArn}-dead`,
      maxReceiveCount: 5,
    });
  }
});

test("a function that sends to the queue that calls it is not taken for an endless loop", () => {
  const { RecursiveLoop: run } = propertiesOf("RunLambdaFunction");
  const { RecursiveLoop: help } = propertiesOf("HelpLambdaFunction");
  const { RecursiveLoop: tick } = propertiesOf("TickLambdaFunction");

  expect([run, help, tick]).toEqual(["Allow", "Allow", undefined]);
});

test("the clock, the gateway and whoever has the function URL may call their function, and nobody else", () => {
  const permissions = ofType(resolved, "AWS::Lambda::Permission").map(
    ([, { Properties = {} }]) => Properties,
  );
  const called = permissions.map(({ FunctionName, Action, Principal, ...how }) => [
    String(FunctionName).split("-").at(-1),
    Action,
    Principal,
    Object.keys(how).join(),
  ]);

  expect(called.toSorted()).toEqual([
    ["api", "lambda:InvokeFunction", "apigateway.amazonaws.com", "SourceArn"],
    // A URL needs both: "Control access to Lambda function URLs".
    ["events", "lambda:InvokeFunction", "*", "InvokedViaFunctionUrl"],
    ["events", "lambda:InvokeFunctionUrl", "*", "FunctionUrlAuthType"],
    ["tick", "lambda:InvokeFunction", "events.amazonaws.com", "SourceArn"],
  ]);
});

test("all queues are encrypted, and dead letters and messages that nobody takes wake somebody", () => {
  const alarms = ofType(resolved, "AWS::CloudWatch::Alarm").map(
    ([, each]) => each.Properties ?? {},
  );
  const queues = ofType(resolved, "AWS::SQS::Queue").map(([, each]) => each.Properties ?? {});

  for (const { QueueName, SqsManagedSseEnabled } of queues) {
    expect(SqsManagedSseEnabled).toBe(true);
    expect(alarms).toContainEqual(
      expect.objectContaining({
        Dimensions: [{ Name: "QueueName", Value: QueueName }],
        AlarmActions: ["arn:aws:sns:eu-central-1:123456789012:nightbake-prod-alarms"],
      }),
    );
  }
});

test("all parameters stand in the reference with their defaults", () => {
  const page = readFileSync(join(ROOT, "docs/reference/aws.md"), "utf8");
  const described = page.slice(page.indexOf("## Parameters"), page.indexOf("## Connections"));
  const config = parse(readFileSync(join(ROOT, "serverless.yml"), "utf8"), { logLevel: "silent" });

  for (const [name, value] of Object.entries<unknown>(config.params.default)) {
    expect(described).toContain(`\`${name}\``);
    if (/^[\w-]{2,}$/.test(String(value)) && !name.startsWith("site"))
      expect(described, name).toMatch(new RegExp(`\\b${value}\\b`));
  }
});

test("as many functions run at once as the reference counts connections of", () => {
  const page = readFileSync(join(ROOT, "docs/reference/aws.md"), "utf8");
  const mostOf = (name: string) =>
    ofType(template, "AWS::Lambda::EventSourceMapping")
      .filter(([, { Properties }]) => JSON.stringify(Properties).includes(`${name}LambdaFunction`))
      .map(([, { Properties }]) => Properties?.["ScalingConfig"] as { MaximumConcurrency: number })
      .reduce((sum, { MaximumConcurrency }) => sum + MaximumConcurrency, 0);
  const reserved = ["Api", "Events"].map((name) =>
    Number(propertiesOf(`${name}LambdaFunction`)["ReservedConcurrentExecutions"]),
  );
  const [run, help, tick] = [mostOf("Run"), mostOf("Help"), 1];
  const all = [run, help, tick, ...reserved].reduce((sum, each) => sum + each, 0);

  expect(page).toMatch(new RegExp(`ledger = 4 × \\(${run} run .* ${4 * all} by default`));
  expect(page).toMatch(new RegExp(`rows   = 2 × \\(${run} run .* ${2 * (run + help)} by default`));
});

test("helpers run at once as often as their parameter says, and are told so", () => {
  const { template } = inNetwork;
  const helping = template.Resources["HelpEventSourceMappingSQSHelpQueue"]?.Properties;
  const run = template.Resources["RunLambdaFunction"]?.Properties;

  expect(helping).toMatchObject({ ScalingConfig: { MaximumConcurrency: 25 } });
  expect(run).toMatchObject({ Environment: { Variables: { NIGHTBAKE_HELPERS: "25" } } });
});

test("the bucket outlives the stack", () => {
  expect(template.Resources["SiteBucket"]).toMatchObject({
    DeletionPolicy: "Retain",
    UpdateReplacePolicy: "Retain",
  });
});

test("functions stand in the network that the parameters name, and in none without", () => {
  const VpcConfig = { SubnetIds: ["subnet-1", "subnet-2"], SecurityGroupIds: ["sg-1"] };

  for (const [, each] of ofType(inNetwork.template, "AWS::Lambda::Function"))
    expect(each.Properties).toMatchObject({ VpcConfig });
  expect(propertiesOf("RunLambdaFunction")).not.toHaveProperty("VpcConfig");
});

test("functions know the authorities of RDS, who are not public ones", () => {
  for (const [, { Properties }] of ofType(template, "AWS::Lambda::Function"))
    expect(Properties).toMatchObject({
      Environment: { Variables: { NODE_EXTRA_CA_CERTS: "/var/runtime/ca-cert.pem" } },
    });
});

test("an endpoint for S3 is made in the network's route tables", () => {
  expect(inNetwork.template.Resources["StoreEndpoint"]?.Properties).toMatchObject({
    VpcId: "vpc-1",
    RouteTableIds: ["rtb-1", "rtb-2"],
  });
});

test.each([{ subnets: "subnet-1" }, { vpc: "vpc-1" }])(
  "half a network is refused: %j",
  async (parameters) => {
    await expect(packageStack(parameters)).rejects.toThrow(/set both or neither/);
  },
);

test.each(["Run", "Help", "Tick", "Api", "Events"])(
  "all settings of %s are known, and what else it needs are parameters",
  (name) => {
    const { Environment } = propertiesOf(`${name}LambdaFunction`) as {
      Environment: { Variables: Record<string, string> };
    };
    const secret = "mysql://bake:secret@rows.example/site";
    const env = { ...Environment.Variables, DATABASE_URL: secret, LEDGER_URL: secret };

    const config = readConfig({ env, cwd: ROOT });

    expect(config).toMatchObject({
      s3Bucket: "sitebucket",
      // The site definition says where the site is.
      siteUrl: undefined,
      helpers: 10,
      keepMb: 0,
      parametersPath: "/nightbake/prod",
    });
    expect(config.sqsQueueUrl).toBe(
      "https://sqs.eu-central-1.amazonaws.com/123456789012/nightbake-prod",
    );
    expect(config.eventsUrl !== undefined).toBe(name === "Api");
  },
);

test("no secret stands in the template: settings that hold one come from their parameters", () => {
  const { Environment } = propertiesOf("RunLambdaFunction") as {
    Environment: { Variables: object };
  };

  expect(text).not.toMatch(
    /mysql:\/\/|redis:\/\/|:[^/\s"]+@|AKIA[A-Z0-9]{16}|nbt_|BEGIN [A-Z ]*PRIVATE KEY/,
  );
  const secret = /^(DATABASE|LEDGER|REDIS)_|PASSWORD|TOKEN|SECRET|^AWS_/;
  expect(Object.keys(Environment.Variables).filter((name) => secret.test(name))).toEqual([]);
});
