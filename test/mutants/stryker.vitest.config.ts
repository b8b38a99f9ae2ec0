import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The dearest suites, cheapest first; all others come before them, so that most mutants die early. */
const DEAR = ["routes", "failing-pages", "bad-rows", "history", "rebuild", "recut", "feeds"];

class CheapFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => cost(a) - cost(b));
  }
}

function cost({ moduleId }: TestSpecification): number {
  return DEAR.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
}

/** The suites that see what the planner decides; those with servers or the corpus are too slow for thousands of mutants. */
export default defineConfig({
  test: {
    include: [
      "test/plan/**/*.test.ts",
      "test/pipeline/{history,rebuild,bad-rows,failing-pages,routes}.test.ts",
    ],
    setupFiles: ["test/mutants/no-shrinking.ts"],
    env: { HISTORIES: "12", ROUNDS: "3" },
    sequence: { sequencer: CheapFirst },
    testTimeout: 120_000,
    maxWorkers: 1,
  },
});
