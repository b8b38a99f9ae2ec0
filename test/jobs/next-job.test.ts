import { expect, test } from "vitest";
import { nextJob } from "../../src/jobs/next-job.ts";
import type { KeptJob } from "../../src/ledger/ledger.ts";

const NOW = 10_000_000_000;
const [TAKEDOWN, EDITOR, LIVE, NIGHTLY] = [0, 1, 2, 3];
const job = (id: number, lane = EDITOR, waitedSeconds = 1) =>
  ({ id, lane, startAt: NOW - waitedSeconds * 1_000_000 }) as KeptJob;

test.each([
  ["nothing", [], undefined],
  ["what is due only", [job(1, EDITOR, -1), job(2, NIGHTLY)], 2],
  ["the oldest of the first lane", [job(1, NIGHTLY), job(2, LIVE), job(4), job(3)], 3],
  ["a takedown before all", [job(1), job(2, TAKEDOWN)], 2],
  ["a nightly one that is still patient last", [job(1, NIGHTLY, 590), job(2)], 2],
  ["a nightly one that has lost its patience first", [job(1, NIGHTLY, 610), job(2)], 1],
  [
    "of two without patience the one over it for longer",
    [job(1, LIVE, 310), job(2, EDITOR, 130)],
    2,
  ],
])("%s", (_, waiting, next) => {
  expect(nextJob(waiting, NOW)?.id).toBe(next);
});
