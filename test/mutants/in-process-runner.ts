import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { registerHooks } from "node:module";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { INSTRUMENTER_CONSTANTS, type MutantCoverage } from "@stryker-mutator/api/core";
import { declareFactoryPlugin, PluginKind } from "@stryker-mutator/api/plugin";
import {
  type CompleteDryRunResult,
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";
import type { CollectedTest } from "./collected.ts";

const SUITES = "test/plan/*.test.ts";
/** Lists of 5,000 entries are too slow for thousands of mutants. */
const LEFT_OUT = ["recut.test.ts"];
/** They need seconds, so they are asked only about what they are for: the files that they import. */
const DEAR = ["feeds.test.ts"];
/** Random changes of sitemaps. */
const ROUNDS = "2";

/** What instrumented code reads and writes, see Stryker's `syntax-helpers`. */
interface Shared {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: MutantCoverage;
}

/**
 * Runs the planner's suites in Stryker's own process: modules are loaded once for all mutants and
 * not once for each, which makes a mutant cost milliseconds. Suites say `vitest` and get `collected.ts`.
 */
class InProcessRunner implements TestRunner {
  readonly #shared: Shared;
  #tests: readonly CollectedTest[] | undefined;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** A mutant of code that runs while it is loaded gets a process of its own. */
  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun(): Promise<DryRunResult> {
    const tests = await this.#load();
    const results: TestResult[] = [];
    for (const each of tests) {
      this.#shared.currentTestId = idOf(each);
      results.push(await outcome(each));
    }
    this.#shared.currentTestId = undefined;
    const { mutantCoverage = { static: {}, perTest: {} } } = this.#shared;
    return { status: DryRunStatus.Complete, tests: results, mutantCoverage };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, mutantActivation, testFilter, hitLimit } = options;
    if (mutantActivation === "static") this.#shared.activeMutant = activeMutant.id;
    const all = await this.#load().catch(String);
    if (typeof all === "string") return { status: MutantRunStatus.Error, errorMessage: all };
    Object.assign(this.#shared, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
    const wanted = testFilter && new Set(testFilter);
    const covering = all.filter((each) => wanted?.has(idOf(each)) ?? true);
    const tests: TestResult[] = [];
    for (const each of ownFirst(covering, activeMutant.fileName)) {
      const result = await outcome(each);
      tests.push(result);
      if (result.status === TestStatus.Failed) break;
    }
    this.#shared.activeMutant = undefined;
    const complete: CompleteDryRunResult = { status: DryRunStatus.Complete, tests };
    const timeout = determineHitLimitReached(this.#shared.hitCount, hitLimit);
    return toMutantRunResult(timeout ?? complete);
  }

  async #load(): Promise<readonly CollectedTest[]> {
    if (this.#tests !== undefined) return this.#tests;
    process.env["ROUNDS"] = ROUNDS;
    const collected = pathToFileURL(resolve("test/mutants/collected.ts")).href;
    registerHooks({
      resolve: (name, context, next) =>
        name === "vitest" && context.parentURL !== collected
          ? { url: collected, shortCircuit: true }
          : next(name, context),
    });
    await import(resolve("test/mutants/no-shrinking.ts"));
    const { collect, tests }: typeof import("./collected.ts") = await import(collected);
    for (const suite of await suites()) await collect(suite);
    this.#tests = tests;
    return tests;
  }
}

async function suites(): Promise<readonly string[]> {
  const found = await Array.fromAsync(glob(SUITES));
  const wanted = found.filter((path) => !LEFT_OUT.includes(basename(path)));
  return wanted.sort().map((path) => resolve(path));
}

/** Suites that import the file that was changed come first: they most probably see it. */
function ownFirst(tests: readonly CollectedTest[], file: string): readonly CollectedTest[] {
  const name = `/${basename(file)}"`;
  const suites = [...new Set(tests.map(({ suite }) => suite))];
  const own = new Set(suites.filter((suite) => readFileSync(suite, "utf8").includes(name)));
  const [first = [], rest = []] = [true, false].map((is) =>
    tests.filter(({ suite }) => own.has(suite) === is),
  );
  return [...first, ...rest.filter(({ suite }) => !DEAR.includes(basename(suite)))];
}

function idOf({ suite, name }: CollectedTest): string {
  return `${basename(suite)} > ${name}`;
}

async function outcome(test: CollectedTest): Promise<TestResult> {
  const begunMs = performance.now();
  const result = { id: idOf(test), name: test.name, fileName: test.suite };
  try {
    await test.run();
    return { ...result, status: TestStatus.Success, timeSpentMs: performance.now() - begunMs };
  } catch (error) {
    const timeSpentMs = performance.now() - begunMs;
    const failureMessage = error instanceof Error ? error.message : String(error);
    return { ...result, status: TestStatus.Failed, failureMessage, timeSpentMs };
  }
}

function inProcessRunner(): TestRunner {
  // A promise that a mutant leaves behind is no reason to stop.
  process.on("unhandledRejection", () => {});
  const globals = globalThis as unknown as Record<string, Shared>;
  globals[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {};
  return new InProcessRunner(globals[INSTRUMENTER_CONSTANTS.NAMESPACE] as Shared);
}

export const strykerPlugins = [
  declareFactoryPlugin(PluginKind.TestRunner, "in-process", inProcessRunner),
];
