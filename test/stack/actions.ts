import calls from "./calls.json" with { type: "json" };

/** What is done to what: `["s3:GetObject", "object"]`; the kinds are those of `simulate.ts`. */
export type Need = readonly [action: string, kind: string];

const LANES = ["takedown", "editor", "live", "nightly"];
const PUT: readonly Need[] = [["s3:PutObject", "object"]];
const READ: Need = ["s3:GetObject", "object"];
/** S3 answers 403 for what is missing to those who may not list. */
const FOUND: Need = ["s3:ListBucket", "bucket"];

/**
 * What a call has to be allowed: "Required permissions for Amazon S3 API operations", "How to perform
 * conditional writes" and "… deletes" in the S3 User Guide, and the services' pages of the Service Authorization Reference.
 */
const NEEDS: Readonly<Record<string, readonly Need[]>> = {
  "cloudfront CreateInvalidation": [["cloudfront:CreateInvalidation", "distribution"]],
  "cloudfront GetInvalidation": [["cloudfront:GetInvalidation", "distribution"]],
  "s3 DeleteObjects": [["s3:DeleteObject", "object"]],
  "s3 DeleteObjects If-Match": [["s3:DeleteObject", "object"], READ],
  "s3 DeleteObjects of versions": [["s3:DeleteObjectVersion", "object"]],
  "s3 GetObject": [READ, FOUND],
  "s3 HeadObject": [READ, FOUND],
  "s3 ListObjectVersions": [["s3:ListBucketVersions", "listing"]],
  "s3 ListObjectsV2": [["s3:ListBucket", "listing"]],
  "s3 PutObject": PUT,
  "s3 PutObject If-Match": [...PUT, READ],
  "s3 PutObject If-None-Match": PUT,
  "ssm GetParametersByPath": [
    ["ssm:GetParametersByPath", "parameters"],
    ["kms:Decrypt", "key"],
  ],
};

/** Undefined for a call of which nobody has said what it needs. */
export function needsOf(call: string): readonly Need[] | undefined {
  const [, operation, queue] = /^sqs (\w+) (\w+)$/.exec(call) ?? [];
  if (operation === "SendMessageBatch") return [["sqs:SendMessage", `${queue} queue`]];
  if (operation === "GetQueueAttributes") return [["sqs:GetQueueAttributes", `${queue} queue`]];
  return NEEDS[call];
}

/** What Lambda does with a function's role before and while the function runs: takes messages, writes the log. */
const BY_LAMBDA: Readonly<Record<string, readonly Need[]>> = {
  run: LANES.flatMap((lane) => taking(`${lane} queue`)),
  help: taking("help queue"),
};

function taking(kind: string): readonly Need[] {
  return ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"].map((each) => [
    each,
    kind,
  ]);
}

/** Of each function all that it has to be allowed, each once. */
export const FUNCTIONS: Readonly<Record<string, readonly Need[]>> = Object.fromEntries(
  ["run", "help", "tick", "api", "events"].map((name) => {
    // Both answer the same requests.
    const called = { ...calls, events: calls.api } as Readonly<Record<string, readonly string[]>>;
    const asked = called[name] ?? [];
    const log: readonly Need[] = ["logs:CreateLogStream", "logs:PutLogEvents"].map((each) => [
      each,
      `${name} log`,
    ]);
    const needs = [
      ...asked.flatMap((call) => needsOf(call) ?? []),
      ...log,
      ...(BY_LAMBDA[name] ?? []),
    ];
    return [name, [...new Map(needs.map((need) => [need.join(" "), need])).values()]];
  }),
);
