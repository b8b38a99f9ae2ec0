import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The dearest suites, cheapest first; all others come before them, so that most mutants die early. */
const DEAR = ["found-pages", "loaded-pages", "plan-build", "redirects", "scan", "history", "feeds"];

class CheapFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => cost(a) - cost(b));
  }
}

function cost({ moduleId }: TestSpecification): number {
  return DEAR.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
}

/** What sees a planner's decisions in milliseconds, and a few random histories; lists of 5,000 entries are too slow. */
export default defineConfig({
  test: {
    include: ["test/plan/**/*.test.ts", "test/pipeline/history.test.ts"],
    exclude: ["test/plan/recut.test.ts"],
    setupFiles: ["test/mutants/no-shrinking.ts"],
    env: { HISTORIES: "2", STEPS: "20", ROUNDS: "2" },
    sequence: { sequencer: CheapFirst },
    testTimeout: 120_000,
    // Modules are loaded once a mutant, not once a suite, which halves the time.
    isolate: false,
    maxWorkers: 1,
  },
});
