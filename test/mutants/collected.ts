import { expect as real } from "vitest";

/** A test as a suite declares it. */
export interface CollectedTest {
  /** Path of its suite. */
  readonly suite: string;
  /** With the names of what it stands in. */
  readonly name: string;
  readonly run: () => unknown;
}

type Body = (...args: readonly never[]) => unknown;

/** All tests of the suites that were imported, in their order. */
export const tests: CollectedTest[] = [];
const around: string[] = [];
let suite = "";

/** Imports a suite, which declares its tests here instead of to Vitest. */
export async function collect(path: string): Promise<void> {
  suite = path;
  await import(path);
}

/** The real one: it works outside of a run, too. */
export const expect = real;

export const describe = Object.assign(group, { each: forEach(group) });
export const test = Object.assign(add, { each: forEach(add) });

function group(name: string, body: () => unknown): void {
  around.push(name);
  body();
  around.pop();
}

function add(name: string, run: () => unknown): void {
  tests.push({ suite, name: [...around, name].join(" > "), run });
}

/** Cases are told apart by their number. */
function forEach(declare: (name: string, body: () => unknown) => void) {
  return (cases: readonly unknown[]) => (name: string, body: Body) => {
    for (const [at, each] of cases.entries()) {
      const args = (Array.isArray(each) ? each : [each]) as never[];
      declare(`${name} #${at + 1}`, () => body(...args));
    }
  };
}
