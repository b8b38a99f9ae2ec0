import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryCourse } from "./course.ts";
import { type RaceSums, race } from "./race.ts";

const SEED = Number(process.env["SEED"] ?? 1);
/** How many, with seeds that count on from the first. */
const RACES = Number(process.env["RACES"] ?? 10);
const TURNS = 4000;

vi.setConfig({ testTimeout: 3_600_000 });

// Claims end in a race, and nothing waits for that.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

describe("four publishers of one site at random speed", () => {
  const all: RaceSums[] = [];

  test.each(Array.from({ length: RACES }, (_, at) => SEED + at))(
    "never put older data over newer and end exact, seed %i",
    async (seed) => {
      const sums = await race(memoryCourse(), seed, (turns) => turns >= TURNS);

      console.info(`seed ${seed}: ${JSON.stringify(sums)}`);
      all.push(sums);
    },
  );

  test.runIf(RACES >= 10)("meet all that may go wrong", () => {
    for (const what of ["headersOnly", "back", "refused", "late", "killed", "releases"] as const) {
      expect(Math.max(...all.map((sums) => sums[what])), what).toBeGreaterThan(0);
    }
  });
});
