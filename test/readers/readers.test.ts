import fc from "fast-check";
import { expect, test } from "vitest";
import { type Lived, live } from "./life.ts";
import { histories } from "./moments.ts";

const RUNS = Number(process.env["HISTORIES"] ?? 40);
const STEPS = Number(process.env["STEPS"] ?? 5);
const SEED = Number(process.env["SEED"] ?? 20_261_123);

test(`in ${RUNS} histories of builds, renames, mass deletes, clusters, looks and rollbacks crawlers miss no page and no asset, and no page meets another's asset`, async () => {
  console.info(`seed ${SEED}`);
  const sums: Record<string, number> = {};
  const property = fc.asyncProperty(histories(STEPS), async (history) => {
    const { lived, problems } = await live(history);
    for (const name of Object.keys(lived) as (keyof Lived)[]) {
      sums[name] = (sums[name] ?? 0) + lived[name];
    }
    // As text: where counter-examples are not made smaller, a list is cut short.
    expect(problems.join("\n")).toBe("");
  });

  await fc.assert(property, { numRuns: RUNS, seed: SEED });

  console.info(JSON.stringify(sums));
}, 3_600_000);
