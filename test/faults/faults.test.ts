import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { obey } from "../kill/asked.ts";
import { problemsOf } from "../kill/problems.ts";
import { SCENARIOS, type Scenario } from "../kill/scenarios.ts";
import { openStages, type Stages } from "../kill/stage.ts";
import { MIXES, type Mix } from "./mixes.ts";

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
  const faults = turnOn(mix, seed);

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

function turnOn({ s3, cdn }: Mix, seed: number) {
  const { faults } = stages.bucket.place;
  const count = () => faults.s3.injected + faults.cdn.injected;
  const before = count();
  for (const [at, [share, fault]] of s3.entries()) {
    faults.s3.rate(share, fault, { seed: seed * 1000 + at, match: isNoMarker });
  }
  for (const [at, [share, fault]] of cdn.entries()) {
    faults.cdn.rate(share, fault, { seed: seed * 1000 + 500 + at });
  }
  return {
    /** Gives how many requests went wrong. */
    turnOff() {
      faults.s3.clear();
      faults.cdn.clear();
      return count() - before;
    },
  };
}

async function run({ command }: Scenario, attempt: number): Promise<unknown> {
  await using wired = await stages.bucket.open(attempt);
  return await obey(wired, { command, attempt, site: stages.bucket.places().site });
}

/** Who overwrites the marker unties the store from its ledger: then everything is put again. */
const isNoMarker = ({ path }: { readonly path: string }) => !path.includes("/.nightbake.json");

/** Of a summary; commands without one fail no pages. */
function failedIn(summary: unknown): number {
  return (summary as { readonly failed?: number } | undefined)?.failed ?? 0;
}

/** An expected failure with a hint; nothing that would be a bug. */
function expectClear(error: Error, said: string): void {
  if (!(error instanceof PipelineError)) throw new Error(said, { cause: error });
  expect(error.code, said).toMatch(/^(?:store|cdn)_(?:unavailable|rejected|throttled|conflict)$/);
  expect(error.hint, said).toMatch(/^[A-Z].+\.$/);
}

function textOf(end: unknown, scenario: Scenario): string {
  if (end instanceof PipelineError) return end.code;
  if (end instanceof Error) return String(end);
  const failed = failedIn(end) - (failing.get(scenario) ?? 0);
  return failed === 0 ? "done" : `${failed} pages failed`;
}
