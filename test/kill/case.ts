import { PipelineError } from "../../src/error.ts";
import { obey } from "./asked.ts";
import { problemsOf } from "./problems.ts";
import { type Ended, runChild } from "./process.ts";
import type { Scenario } from "./scenarios.ts";
import type { Stage, Stages } from "./stage.ts";

/** When a process is killed: at the nth of its points, or so long after it began. */
export type Kill = { readonly at: number } | { readonly afterMs: number };

/** One scenario, killed once or several times in a row, then run until it is done. */
export interface Case {
  readonly scenario: Scenario;
  readonly kills: readonly Kill[];
  /** Two processes at the same time are started after the kills. */
  readonly isShared: boolean;
  /** All changes of rows are taken back before the command is run again. */
  readonly isTakenBack: boolean;
}

export interface Outcome {
  /** How many of the kills came before the process had ended by itself. */
  readonly struck: number;
  /** What is not as it should be, in words. */
  readonly problems: readonly string[];
}

/** Runs after the kills that may be told of a conflict. */
const TRIES = 4;

/** Lives through a case; what it leaves is compared with a build from scratch. */
export async function live(
  stages: Stages,
  { scenario, kills, isShared, isTakenBack }: Case,
): Promise<Outcome> {
  const stage = stages[scenario.place];
  const { command } = scenario;
  let attempt = stage.restore(scenario.given);
  const run = (kill?: Kill) => {
    const asked = { ...stage.places(), command, attempt };
    if (kill === undefined) return runChild(stages.bundle, asked);
    return "at" in kill
      ? runChild(stages.bundle, { ...asked, killAt: kill.at })
      : runChild(stages.bundle, asked, kill.afterMs);
  };
  const ends: Ended[] = [];
  for (const kill of kills) {
    ends.push(await run(kill));
    attempt += 1;
  }
  if (isTakenBack) stage.takeBack();
  if (isShared) {
    ends.push(...(await Promise.all([run(), run()])));
    attempt += 1;
  }
  const odd = ends
    .filter(({ as }) => as !== "done" && as !== "killed" && as !== "run_conflict")
    .map(({ as }) => `a process ended with ${as}`);
  const last = await finish(stage, scenario, attempt);
  await stage.place.settled();
  const struck = ends.filter(({ as }) => as === "killed").length;
  return {
    struck,
    problems: [
      ...odd,
      ...last,
      // What was put and told is put and told once more when it is taken back.
      ...(await problemsOf(stage, {
        ...scenario,
        attempt: attempt + TRIES,
        mayPayAgain: isTakenBack,
      })),
    ],
  };
}

/** Runs the command in this process until it is done; gives what went wrong. */
async function finish(
  stage: Stage,
  { command }: Scenario,
  first: number,
): Promise<readonly string[]> {
  for (let attempt = first; attempt < first + TRIES; attempt += 1) {
    await using wired = await stage.open(attempt);
    try {
      await obey(wired, { command, attempt, ...stage.places() });
      return [];
    } catch (error) {
      const isConflict = error instanceof PipelineError && error.code === "run_conflict";
      if (!isConflict) return [`the last run failed: ${error}`];
    }
  }
  return [`the command was told of a conflict ${TRIES} times`];
}
