import { expect, test } from "vitest";
import { checkHistories, renderedShare } from "../history/property.ts";

const RUNS = Number(process.env["HISTORIES"] ?? 20);
const STEPS = Number(process.env["STEPS"] ?? 30);
const SEED = Number(process.env["SEED"] ?? 20_261_125);

test(`after each of ${STEPS} steps of ${RUNS} random histories in which pages are taken down and lifted the store equals a build from scratch`, async () => {
  console.info(`seed ${SEED}`);

  const asked = { histories: RUNS, steps: STEPS, seed: SEED, hasTakedowns: true };
  const sums = await checkHistories(asked);

  console.info(JSON.stringify(sums));
  expect(renderedShare(sums)).toBeLessThanOrEqual(1.05);
}, 900_000);
