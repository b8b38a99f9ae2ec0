import { expect, test } from "vitest";
import { ASSUMED } from "../../bench/cost-model.ts";
import { type ErrorCode, PipelineError } from "../../src/error.ts";
import type { JobState, Work } from "../../src/jobs/job.ts";
import { lineOf } from "../../src/lambda/log.ts";
import { packageStack } from "./packaged.ts";
import { resolver } from "./resolve.ts";
import { ofType, type Template } from "./template.ts";

const { template } = await packageStack();
const resolved = resolver(template)(template) as Template;
const filters = ofType(resolved, "AWS::Logs::MetricFilter");
const alarms = ofType(resolved, "AWS::CloudWatch::Alarm");

/** Whether a pattern like `{ $.event = "ended" && $.job.state = "done" }` finds a line. */
function finds(pattern: string, line: string): boolean {
  const [, inner = ""] = /^\{ (.*) \}$/.exec(pattern) ?? [];
  return inner.split(" && ").every((part) => {
    const [, path = "", value] = /^\$\.([\w.]+) = "(\w+)"$/.exec(part) ?? [];
    const found = path
      .split(".")
      .reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], JSON.parse(line));
    return found === value;
  });
}

/** The names of the metrics that count a line of a function's log. */
function countedIn(line: string, name = "run"): readonly string[] {
  const group = `/aws/lambda/nightbake-prod-${name}`;
  return filters
    .filter(([, { Properties = {} }]) => Properties["LogGroupName"] === group)
    .filter(([, { Properties = {} }]) => finds(String(Properties["FilterPattern"]), line))
    .map(([name]) => name);
}

function metricOf(filter: string): Readonly<Record<string, unknown>> {
  const { MetricTransformations } = resolved.Resources[filter]?.Properties ?? {};
  const [metric = {}] = MetricTransformations as Record<string, unknown>[];
  return metric;
}

const ended = (state: JobState, work: Work) => lineOf({ event: "ended", job: { state, work } });

const trouble = (code: ErrorCode) =>
  lineOf({ event: "trouble", error: new PipelineError(code, "No.") });

test.each<[line: string, metrics: readonly string[]]>([
  [ended("failed", { is: "build" }), ["FailedJobs"]],
  [ended("failed", { is: "sweep" }), ["FailedJobs"]],
  [ended("done", { is: "build" }), ["Builds"]],
  [ended("done", { is: "rebuild", targets: [] }), []],
  [ended("waiting", { is: "build" }), []],
  [lineOf({ event: "started", job: { state: "running", work: { is: "build" } } }), []],
  [lineOf({ event: "error", error: new Error("no") }), []],
  [trouble("release_outdated"), ["OutdatedCode"]],
  [trouble("queue_unavailable"), []],
])("%s counts as %j", (line, metrics) => {
  expect(countedIn(line)).toEqual(metrics);
});

test("a job whose functions died each time has failed in the tick's log, and counts as well", () => {
  const failed = ended("failed", { is: "build" });

  expect(countedIn(failed, "tick").map((name) => metricOf(name)["MetricName"])).toEqual([
    "FailedJobs",
  ]);
  expect(countedIn(ended("done", { is: "build" }), "tick")).toEqual([]);
});

test("every metric of ours has an alarm", () => {
  const watched = alarms.map(([, { Properties = {} }]) => [
    Properties["Namespace"],
    Properties["MetricName"],
  ]);

  for (const [name] of filters) {
    const { MetricNamespace, MetricName } = metricOf(name);
    expect(watched).toContainEqual([MetricNamespace, MetricName]);
  }
});

test("every alarm goes to the topic, when it begins and when it ends, and says where to read on", () => {
  const [[, topic] = []] = ofType(resolved, "AWS::SNS::Topic");
  const arn = `arn:aws:sns:eu-central-1:123456789012:${topic?.Properties?.["TopicName"]}`;

  expect(alarms.length).toBeGreaterThan(10);
  for (const [name, { Properties = {} }] of alarms) {
    expect(Properties, name).toMatchObject({ AlarmActions: [arn], OKActions: [arn] });
    expect(Properties["AlarmDescription"], name).toMatch(/docs\/reference\/aws\.md, "[\w ]+"\.$/);
  }
});

test("the costs of a month count them all", () => {
  const metrics = new Set(filters.map(([name]) => String(metricOf(name)["MetricName"])));

  expect(ASSUMED).toMatchObject({ alarms: alarms.length, metrics: metrics.size });
});

test("no alarm looks back for longer than CloudWatch does", () => {
  for (const [name, { Properties = {} }] of alarms) {
    const seconds = Number(Properties["Period"]) * Number(Properties["EvaluationPeriods"]);
    // "Evaluating an alarm" in the CloudWatch User Guide: a day, or a week of periods of an hour or more.
    const most = Number(Properties["Period"]) < 3600 ? 86_400 : 604_800;
    expect(seconds, name).toBeLessThanOrEqual(most);
  }
});
