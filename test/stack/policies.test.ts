import { expect, test } from "vitest";
import { FUNCTIONS, type Need, needsOf } from "./actions.ts";
import calls from "./calls.json" with { type: "json" };
import { packageStack } from "./packaged.ts";
import { PLACE, resolver } from "./resolve.ts";
import { actionsOf, isAllowed, policiesOf, type Target } from "./simulate.ts";
import { ofType, type Template } from "./template.ts";

const { template } = await packageStack({ sitePrefix: "blog" });
const resolved = resolver(template)(template) as Template;
const LANES = ["takedown", "editor", "live", "nightly", "help"];
const arn = (service: string, rest: string) =>
  `arn:aws:${service}:${PLACE.region}:${PLACE.account}:${rest}`;
const bucket = "arn:aws:s3:::sitebucket";
const parameters = arn("ssm", "parameter/nightbake/prod");
const decrypting = (parameter: string, service = "ssm") => ({
  "kms:ViaService": `${service}.${PLACE.region}.amazonaws.com`,
  "kms:EncryptionContext:PARAMETER_ARN": parameter,
});
const key = arn("kms", "key/0f4c5b4e-1111-2222-3333-444455556666");

/** What there is, by the kinds that needs name. */
const OWN: Readonly<Record<string, Target>> = {
  object: { arn: `${bucket}/blog/articles/a/index.html` },
  bucket: { arn: bucket },
  listing: { arn: bucket, context: { "s3:prefix": "blog/" } },
  distribution: { arn: `arn:aws:cloudfront::${PLACE.account}:distribution/ESITEDISTRIBUTION` },
  parameters: { arn: parameters },
  key: { arn: key, context: decrypting(`${parameters}/LEDGER_URL`) },
  ...Object.fromEntries(
    LANES.map((lane) => [`${lane} queue`, { arn: arn("sqs", `nightbake-prod-${lane}`) }]),
  ),
  ...Object.fromEntries(
    Object.keys(FUNCTIONS).map((name) => [`${name} log`, { arn: logOf(`nightbake-prod-${name}`) }]),
  ),
};

/** The same of others, and of ours what lies beside it. */
const OTHERS: Readonly<Record<string, readonly Target[]>> = {
  object: [
    { arn: "arn:aws:s3:::other/blog/index.html" },
    { arn: `${bucket}/index.html` },
    { arn: `${bucket}/blogs/index.html` },
  ],
  bucket: [{ arn: "arn:aws:s3:::other" }],
  listing: [
    { arn: bucket, context: { "s3:prefix": "" } },
    { arn: bucket, context: { "s3:prefix": "private/" } },
    { arn: "arn:aws:s3:::other", context: { "s3:prefix": "blog/" } },
  ],
  distribution: [{ arn: `arn:aws:cloudfront::${PLACE.account}:distribution/EOTHER` }],
  parameters: [
    { arn: arn("ssm", "parameter/nightbake") },
    { arn: arn("ssm", "parameter/nightbake/production") },
  ],
  key: [
    { arn: key },
    { arn: key, context: decrypting(arn("ssm", "parameter/other/LEDGER_URL")) },
    { arn: key, context: decrypting(`${parameters}/LEDGER_URL`, "s3") },
  ],
  queue: [
    { arn: arn("sqs", "nightbake-dev-editor") },
    { arn: arn("sqs", "nightbake-prod-editor-dead") },
  ],
  log: [{ arn: logOf("other") }],
};

function logOf(name: string): string {
  return arn("logs", `log-group:/aws/lambda/${name}:log-stream:1`);
}

const roleName = (name: string) => `${name[0]?.toUpperCase()}${name.slice(1)}Role`;
const roleOf = (name: string) => policiesOf(resolved, roleName(name));
const keyOf = ([action, kind]: Need) => `${action} ${kind}`;
const everything = new Map(
  Object.values(FUNCTIONS)
    .flat()
    .map((need) => [keyOf(need), need]),
);
const cases = Object.entries(FUNCTIONS).flatMap(([name, needs]) =>
  needs.map((need) => [name, ...need] as const),
);

test("of every call that was recorded somebody has said what it needs", () => {
  const { person: _, ...functions } = calls;
  expect(
    Object.values(functions)
      .flat()
      .filter((call) => needsOf(call) === undefined),
  ).toEqual([]);
});

test.each(cases)("%s may do what it does: %s on its %s", async (name, action, kind) => {
  expect(await isAllowed(roleOf(name), action, OWN[kind] ?? { arn: "" })).toBe(true);
});

test.each(cases)("%s may not do to others: %s on another %s", async (name, action, kind) => {
  const others = OTHERS[kind] ?? OTHERS[kind.split(" ").at(-1) ?? ""] ?? [];
  expect(others).not.toEqual([]);
  for (const other of others)
    expect(await isAllowed(roleOf(name), action, other), other.arn).toBe(false);
});

test.each(Object.keys(FUNCTIONS))("%s may do nothing that only others do", async (name) => {
  const own = new Set((FUNCTIONS[name] ?? []).map(keyOf));
  // One condition holds for both.
  const isSame = ([action, kind]: Need) =>
    action === "s3:ListBucket" && own.has(`${action} bucket`) && kind === "listing";
  const foreign = [...everything.values()].filter((need) => !own.has(keyOf(need)) && !isSame(need));
  for (const [action, kind] of foreign) {
    expect(
      await isAllowed(roleOf(name), action, OWN[kind] ?? { arn: "" }),
      `${action} ${kind}`,
    ).toBe(false);
  }
  expect(foreign.length).toBeGreaterThan(3);
});

test.each(Object.keys(FUNCTIONS))(
  "the role of %s names each action that it needs, and no other",
  (name) => {
    const needed = (FUNCTIONS[name] ?? []).map(([action]) => action);

    expect(new Set(actionsOf(roleOf(name)))).toEqual(new Set(needed));
  },
);

test.each([
  ["s3:PutBucketPolicy", "bucket"],
  ["s3:PutBucketVersioning", "bucket"],
  ["s3:DeleteBucket", "bucket"],
  ["s3:PutObjectAcl", "object"],
  ["s3:BypassGovernanceRetention", "object"],
  ["sqs:PurgeQueue", "editor queue"],
  ["sqs:SetQueueAttributes", "editor queue"],
  ["cloudfront:UpdateDistribution", "distribution"],
  ["cloudfront:DeleteDistribution", "distribution"],
  ["ssm:PutParameter", "parameters"],
  ["kms:Encrypt", "key"],
  ["logs:DeleteLogGroup", "run log"],
])("no function may %s", async (action, kind) => {
  const { arn = "" } = OWN[kind] ?? {};
  const target = action.startsWith("logs:") ? arn.replace(/:log-stream:1$/, "") : arn;
  for (const name of Object.keys(FUNCTIONS)) {
    expect(await isAllowed(roleOf(name), action, { arn: target }), name).toBe(false);
  }
});

test("Lambda makes network interfaces where there is a network, and no function's code does", async () => {
  const { template } = await packageStack({ subnets: "subnet-1", securityGroups: "sg-1" });
  const inNetwork = resolver(template)(template) as Template;
  const interfaces = { arn: arn("ec2", "network-interface/eni-1") };
  const code = { "lambda:SourceFunctionArn": arn("lambda", "function:nightbake-prod-run") };
  const making = "ec2:CreateNetworkInterface";

  for (const name of Object.keys(FUNCTIONS)) {
    const policies = policiesOf(inNetwork, roleName(name));
    expect(await isAllowed(policies, making, interfaces)).toBe(true);
    expect(await isAllowed(policies, making, { ...interfaces, context: code })).toBe(false);
    expect(await isAllowed(roleOf(name), making, interfaces)).toBe(false);
  }
});

test("a misspelt action is an error and no refusal, and no policy has one", async () => {
  const actions = Object.keys(FUNCTIONS).flatMap((name) => actionsOf(roleOf(name)));

  await expect(isAllowed([], "s3:PutObjct", { arn: "*" })).rejects.toThrow("invalid.action");
  for (const each of actions) await expect(isAllowed([], each, { arn: "*" })).resolves.toBe(false);
});

test("roles are Lambda's alone, and name resources instead of all", () => {
  const roles = ofType(resolved, "AWS::IAM::Role");

  expect(roles).toHaveLength(5);
  for (const [name, { Properties = {} }] of roles) {
    const { Statement } = Properties["AssumeRolePolicyDocument"] as { Statement: object[] };
    expect(Statement).toEqual([
      { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
    ]);
    expect(Properties).not.toHaveProperty("ManagedPolicyArns");
    const wide =
      JSON.stringify(policiesOf(resolved, name)).match(/"(Action|Resource)":"?\[?"[^"]*\*"/g) ?? [];
    // Streams of its log, objects of the site's folder, parameters below the path, and its key, whichever it is, for these alone.
    expect(
      wide.filter(
        (each) =>
          !/sitebucket\/blog\/\*"$|parameter\/nightbake\/prod\/\*"$|key\/\*"$|log-group:[^*"]+:\*"$/.test(
            each,
          ),
      ),
    ).toEqual([]);
  }
});
