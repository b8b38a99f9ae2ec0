import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { randomFrom } from "../services/random.ts";
import { type Kill, live } from "./case.ts";
import { everyNth, someOf } from "./choice.ts";
import { EFFECTS } from "./points.ts";
import { runChild } from "./process.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { openStages, pointsOf, type Stages, type StateName } from "./stage.ts";

/** Kills at every so many points; without it at some of each effect. `npm run test:kill` misses none. */
const STRIDE = process.env["KILL"] === undefined ? undefined : Number(process.env["KILL"]);
const SEED = Number(process.env["SEED"] ?? 41);
/** Of each scenario. */
const MOMENTS = STRIDE === undefined ? 1 : Math.ceil(50 / STRIDE);
/** Every so many cases are killed twice, and end with two processes at the same time. */
const [TWICE, SHARED] = STRIDE === undefined ? [8, 6] : [4, 3];
/** Of a build that are cut off in CI before their changes are taken back. */
const PUTS = 10;
/** After every so many, what had changed since these states is taken back. */
const BACK = 3;
const CHANGING: readonly StateName[] = ["empty", "built", "unsent"];

/** Calls at which no scenario kills. */
const NOT_KILLED: readonly string[] = [
  // What people ask of the ledger forgets its own plan; who dies there leaves it to the next release.
  "ledger.discard",
  // Only rendered bodies are ever cleared, which are another cache.
  "kept.clear",
  // The embedded source is compared row by row: no scenario here has a server that sums ranges up.
  "ledger.seeRanges",
  // Followers are killed in a suite of their own: no scenario here has a database with a log.
  "ledger.tell",
  "ledger.heed",
  "ledger.forgetTold",
  // Nor one that builds ask what it tells.
  "ledger.setNoteIfUnwritten",
  // So are workers, of whom these tell.
  "ledger.changeJob",
  "ledger.forgetJobs",
  "ledger.meetCode",
  "ledger.request",
  // And the schedule, of which test/jobs/schedule.test.ts tells.
  "ledger.tick",
  "ledger.lastTick",
  // Tokens are nobody's pages, and what rebuilds looked at is looked at once more at worst.
  "ledger.addToken",
  "ledger.revokeToken",
  "ledger.usedToken",
  "ledger.forgetRebuilt",
  // Of processes that share a run, and die, test/pipeline/shards.test.ts tells.
  "ledger.cutShards",
  "ledger.dropShards",
  "ledger.finishShard",
  "ledger.keepShard",
  "ledger.leaveShard",
  "ledger.openCrew",
  "ledger.pauseCrew",
  "ledger.readAhead",
  "ledger.reclaimShards",
  "ledger.takeShard",
];

vi.setConfig({ testTimeout: 3_600_000, hookTimeout: 600_000 });

const random = randomFrom(SEED);
let stages: Stages;
const points = new Map<string, readonly string[]>();
/** At which of them it is killed. */
let places: ReadonlyMap<string, readonly number[]>;

beforeAll(async () => {
  console.info(`seed ${SEED}`);
  stages = await openStages();
  for (const { name, place, given, command } of SCENARIOS) {
    points.set(name, await pointsOf(stages[place], given, command));
  }
  places = STRIDE === undefined ? someOf(points, random) : everyNth(points, STRIDE, random);
});

afterAll(() => stages[Symbol.asyncDispose]());

test("every effect has a point in one of the scenarios, but for those that are named here", () => {
  const met = new Set([...points.values()].flat());
  const isMet = (effect: string) => met.has(`${effect} before`) && met.has(`${effect} after`);

  expect(EFFECTS.filter((effect) => !isMet(effect)).sort()).toEqual([...NOT_KILLED].sort());
});

describe.each(SCENARIOS)("$name", (scenario) => {
  test("ends exact when it is killed at any point of the protocol", async () => {
    const all = points.get(scenario.name) ?? [];
    const chosen = places.get(scenario.name) ?? [];

    const { struck, failures } = await killAll(
      scenario,
      chosen.map((at) => ({ at: at + 1 })),
    );

    console.info(`${scenario.name}: killed at ${struck} of ${all.length} points`);
    expect(failures).toEqual([]);
    expect(struck).toBeGreaterThanOrEqual(chosen.length);
  });

  test("ends exact when it is killed at random moments", async () => {
    const longest = await duration(scenario);
    const moments = Array.from({ length: MOMENTS }, () => ({ afterMs: random() * longest }));

    const { struck, failures } = await killAll(scenario, moments);

    console.info(`${scenario.name}: killed at ${struck} moments of ${longest.toFixed(0)} ms`);
    expect(failures).toEqual([]);
  });
});

test("a put that was cut off is not believed when what it was for is taken back", async () => {
  const scenario = SCENARIOS.find(({ name }) => name === "a build") as Scenario;
  const all = points.get(scenario.name) ?? [];
  const puts = [...all.keys()].filter((at) => /^(?:store.put|ledger.confirm) /.test(all[at] ?? ""));
  const stride = STRIDE ?? Math.ceil(puts.length / PUTS);
  const chosen = puts.filter((_, nth) => nth % stride === 0);

  const { failures } = await killAll(
    scenario,
    chosen.map((at) => ({ at: at + 1 })),
    () => true,
  );

  expect(failures).toEqual([]);
  expect(chosen.length).toBeGreaterThanOrEqual(PUTS / 2);
});

/** How long the command takes a process that nobody kills, ms. */
async function duration({ place, given, command }: Scenario): Promise<number> {
  const stage = stages[place];
  const attempt = stage.restore(given);
  return (await runChild(stages.bundle, { ...stage.places(), command, attempt })).ms;
}

/** A case for each of these kills; what went wrong in each. */
async function killAll(
  scenario: Scenario,
  first: readonly Kill[],
  takesBack = (n: number) => CHANGING.includes(scenario.given) && n % BACK === 1,
): Promise<{ readonly struck: number; readonly failures: readonly string[] }> {
  const failures: string[] = [];
  let struck = 0;
  for (const [n, kill] of first.entries()) {
    const kills = n % TWICE === 0 ? [kill, kill] : [kill];
    const isTakenBack = takesBack(n);
    const isShared = n % SHARED === 0;
    const outcome = await live(stages, { scenario, kills, isShared, isTakenBack });
    struck += outcome.struck;
    if (outcome.problems.length > 0)
      failures.push(
        `${named(scenario, kills)}${isTakenBack ? ", taken back" : ""}: ${outcome.problems}`,
      );
  }
  return { struck, failures };
}

function named({ name }: Scenario, kills: readonly Kill[]): string {
  const at = kills.map((kill) =>
    "at" in kill ? `${kill.at} (${points.get(name)?.[kill.at - 1]})` : `${kill.afterMs} ms`,
  );
  return `killed at ${at.join(", then ")}`;
}
