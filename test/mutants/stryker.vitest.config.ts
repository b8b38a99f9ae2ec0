import { defineConfig } from "vitest/config";

/** The suites that see what the planner decides; those with servers or the corpus are too slow for thousands of mutants. */
export default defineConfig({
  test: {
    include: [
      "test/plan/**/*.test.ts",
      "test/pipeline/{history,rebuild,bad-rows,failing-pages,routes,dry-run}.test.ts",
    ],
    env: { HISTORIES: "20" },
    testTimeout: 120_000,
    maxWorkers: 1,
  },
});
