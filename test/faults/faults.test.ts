import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { obey } from "../kill/asked.ts";
import { problemsOf } from "../kill/problems.ts";
import { SCENARIOS, type Scenario } from "../kill/scenarios.ts";
import { openStages, type Stages } from "../kill/stage.ts";
import { expectClear } from "./clear.ts";
import { MIXES, type Mix } from "./mixes.ts";
import { turnOn } from "./turn-on.ts";

/** Runs of each mix, with seeds that count on from the first. */
const RUNS = Number(process.env["FAULTS"] ?? 5);
const SEED = Number(process.env["SEED"] ?? 1);

vi.setConfig({ testTimeout: 3_600_000, hookTimeout: 600_000 });

/** The commands that publish over the network, one after another. */
const COMMANDS = SCENARIOS.filter(({ place }) => place === "bucket");

let stages: Stages;
/** Pages that fail for what their rows hold, by scenario. */
const failing = new Map<Scenario, number>();

beforeAll(async () => {
  console.info(`seeds ${SEED} to ${SEED + RUNS - 1}`);
  stages = await openStages();
  for (const scenario of COMMANDS) {
    failing.set(scenario, failedIn(await run(scenario, stages.bucket.restore(scenario.given))));
  }
});
afterAll(() => stages[Symbol.asyncDispose]());

describe.each([...MIXES.entries()])("mix %i", (nth, mix) => {
  test(`with ${mix.name} a run ends exact, or says why not and the next one does`, async () => {
    for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
      const scenario = COMMANDS[(seed + nth) % COMMANDS.length] as Scenario;
      console.info(`${mix.name}, ${scenario.name}: ${await runWith(mix, scenario, seed)}`);
    }
  });
});

/** A run that meets faults and, if it does not get through, one that meets none; gives how the first ended. */
async function runWith(mix: Mix, scenario: Scenario, seed: number): Promise<string> {
  const { bucket } = stages;
  const attempt = bucket.restore(scenario.given);
  const faults = turnOn(bucket.place.faults, mix, seed);

  const first = await run(scenario, attempt).catch((error: unknown) => error);

  const count = faults.turnOff();
  await bucket.place.settled();
  const said = `seed ${seed}, ${scenario.name}: ${textOf(first, scenario)}`;
  if (first instanceof Error) expectClear(first, said);
  const isDone = !(first instanceof Error) && failedIn(first) === failing.get(scenario);
  if (!isDone) expect(failedIn(await run(scenario, attempt + 1)), said).toBe(failing.get(scenario));
  // A page that was put twice is told twice.
  const ran = { ...scenario, attempt: attempt + 2, mayPayAgain: !isDone };
  expect(await problemsOf(bucket, ran), said).toEqual([]);
  return `${count} faults, ${textOf(first, scenario)}`;
}

async function run({ command }: Scenario, attempt: number): Promise<unknown> {
  await using wired = await stages.bucket.open(attempt);
  return await obey(wired, { command, attempt, site: stages.bucket.places().site });
}

/** Of a summary; commands without one fail no pages. */
function failedIn(summary: unknown): number {
  return (summary as { readonly failed?: number } | undefined)?.failed ?? 0;
}

function textOf(end: unknown, scenario: Scenario): string {
  if (end instanceof PipelineError) return end.code;
  if (end instanceof Error) return String(end);
  const failed = failedIn(end) - (failing.get(scenario) ?? 0);
  return failed === 0 ? "done" : `${failed} pages failed`;
}
