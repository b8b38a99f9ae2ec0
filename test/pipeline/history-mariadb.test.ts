import { expect, test } from "vitest";
import { openMariaDb } from "../history/mariadb.ts";
import { checkHistories, renderedShare } from "../history/property.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";

/** What the planner does is the same as with SQLite, where ten times as many are lived through. */
const RUNS = Number(process.env["HISTORIES"] ?? 25);
const STEPS = Number(process.env["STEPS"] ?? 20);
const SEED = Number(process.env["SEED"] ?? 20_261_123);

describeWith("shared-mariadb", "With rows and ledger in MariaDB", () => {
  test(`after each of ${STEPS} steps of ${RUNS} random histories the store equals one made from scratch with SQLite`, async () => {
    console.info(`seed ${SEED}`);
    await using databases = await openMariaDb(await sharedMariaDb());

    const sums = await checkHistories({ histories: RUNS, steps: STEPS, seed: SEED }, databases);

    console.info(JSON.stringify(sums));
    expect(renderedShare(sums)).toBeLessThanOrEqual(1.05);
  }, 900_000);
});
