import { expect, test } from "vitest";
import { checkHistories, renderedShare } from "../history/property.ts";

const RUNS = Number(process.env["HISTORIES"] ?? 250);
const STEPS = Number(process.env["STEPS"] ?? 30);
const SEED = Number(process.env["SEED"] ?? 20_261_124);

test(`also after each of ${STEPS} steps of ${RUNS} random histories the store equals a build from scratch, and only what differs was put`, async () => {
  console.info(`seed ${SEED}`);

  const sums = await checkHistories({ histories: RUNS, steps: STEPS, seed: SEED });

  console.info(JSON.stringify(sums));
  expect(renderedShare(sums)).toBeLessThanOrEqual(1.05);
}, 900_000);
